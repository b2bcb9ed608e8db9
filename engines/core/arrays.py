"""Arrays out of files from outside: of numpy, torch, pickle and safetensors, without running anything that is in them.

The content decides how a file is read, not its name, and all forms forgive the same: what is no array of numbers is left out, and texts
and single numbers come along as notes. Sizes are checked before anything is unpacked, and again by what comes out.
"""

import json
import lzma
import tokenize
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from engines.core.archives import opened
from engines.core.errors import WeightsError
from engines.core.pickles import DAMAGES, PlainUnpickler, check_pickle, plain
from engines.core.stand_ins import Left, NotPlain
from engines.core.torch_files import content_of, kind_of

SUFFIXES = ("npy", "npz", "pt", "pth", "pkl", "safetensors")
LARGEST_BYTES = 64 * 2**20
Arrays = dict[str, Tensor]
Notes = dict[str, str]

_MOST_OPERATIONS = 100_000
_DAMAGES: tuple[type[Exception], ...] = (*DAMAGES, SyntaxError, lzma.LZMAError, tokenize.TokenError, SafetensorError)
_MOST_HEADER = 2 * 2**20
_MOST_NOTES, _MOST_LETTERS = 1000, 1000
_WORDS = {"npy": ".npy", "npz": ".npz", "torch": ".pt", "pickle": ".pkl", "safetensors": ".safetensors"}


def read_arrays(data: bytes, filename: str) -> tuple[Arrays, Mapping[str, str]]:
    """Arrays of a file by name (a single one is called "array"), and what else it says in texts and single numbers.

    Entries of entries are named with a point between, such as "smile.boundary".

    Args:
        data: Its content, which decides how it is read.
        filename: For sentences only.

    Raises:
        WeightsError: Another kind of file, too large, damaged, without arrays, or one that wants to run something.
    """
    return read_form(data, filename)[:2]


def read_form(data: bytes, filename: str) -> tuple[Arrays, Mapping[str, str], str]:
    """As `read_arrays`, and which form it has: "npy", "npz", "torch", "pickle" or "safetensors"."""
    if len(data) > LARGEST_BYTES:
        raise WeightsError(f"This file has {len(data) / 2**20:.0f} MB; at most {LARGEST_BYTES // 2**20} are read.")
    kind = kind_of(data)
    if kind.name not in _WORDS:
        suffix = filename.rsplit(".", 1)[-1].lower()[:12]
        raise WeightsError(
            f"A file .{suffix} came that is {kind.words}. Arrays of numbers are read from {', '.join('.' + name for name in SUFFIXES)}."
        )
    try:
        content, notes = _content(kind.name, data)
        return *_collected(content, notes), kind.name
    except WeightsError:
        raise
    except NotPlain as error:
        raise WeightsError(
            f"This file holds more than plain arrays: it {error}; only plain arrays are read. Save it as .npy instead."
        ) from error
    except _DAMAGES as error:
        raise WeightsError(f"This file is damaged: it could not be read as {_WORDS[kind.name]}. Save or download it again.") from error


def _content(kind: str, data: bytes) -> tuple[Any, Notes]:
    """What a file holds as `plain` gives it, and texts that lie beside."""
    if kind == "npy":
        return _npy(data), {}
    if kind == "npz":
        return _npz(data), {}
    if kind == "safetensors":
        return _safetensors(data)
    if kind == "torch":
        _check_claim(data)
        return content_of(bytearray(data), LARGEST_BYTES, _MOST_OPERATIONS), {}
    return _unpickled(data), {}


def _npy(data: bytes | bytearray) -> Any:
    """The array of a .npy file, or what its one object is."""
    stream = BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError("a version that numpy does not write")
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, dtype = header(stream)
    if dtype.hasobject:
        return _unpickled(bytes(memoryview(data)[stream.tell() :]))
    count = int(np.prod([float(length) for length in shape]))
    if min(shape, default=0) < 0 or not dtype.itemsize or count * dtype.itemsize > len(data) - stream.tell():
        raise ValueError("shorter than its header says")
    return np.frombuffer(data, dtype, count, stream.tell()).reshape(shape, order="F" if by_columns else "C")


def _npz(data: bytes) -> dict[str, Any]:
    _check_claim(data, ".npy")
    with opened(data, LARGEST_BYTES) as archive:
        return {name.removesuffix(".npy"): _npy(archive.read(name)) for name in archive.names if name.endswith(".npy")}


def _check_claim(data: bytes, ending: str = "") -> None:
    """Refuse an archive that says itself how much it unpacks to."""
    if data[:2] == b"PK":
        with opened(data, 0) as archive:
            size = archive.claimed(ending)
        if size > LARGEST_BYTES:
            raise WeightsError(f"This file unpacks to {size / 2**20:.0f} MB; at most {LARGEST_BYTES // 2**20} are read.")


def _unpickled(data: bytes) -> Any:
    check_pickle(BytesIO(data), _MOST_OPERATIONS)
    return plain(PlainUnpickler(BytesIO(data)).load())


def _safetensors(data: bytes) -> tuple[Any, Notes]:
    length = int.from_bytes(data[:8], "little")
    if length > _MOST_HEADER:
        raise WeightsError(f"This file's header has {length / 2**20:.0f} MB; at most {_MOST_HEADER // 2**20} are read.")
    about = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    return load(data), {str(key): str(value) for key, value in about.items()}


def _collected(content: Any, notes: Notes) -> tuple[Arrays, Notes]:
    """Arrays and notes of what a file holds; entries of other kinds are left out, unless there is nothing else."""
    found: Arrays = {}
    others, room = 0, LARGEST_BYTES // 4

    def walk(name: str, value: Any) -> None:
        nonlocal others, room
        if isinstance(value, Mapping):
            for key, item in value.items():
                walk(f"{name}.{key}" if name else str(key), item)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(f"{name}.{index}" if name else str(index), item)
        elif isinstance(value, Tensor | np.ndarray) and (numbers := _numbers(value)) is not None:
            room -= numbers.numel()
            if room < 0:
                raise WeightsError(f"This file holds more than {LARGEST_BYTES // 4:,} numbers, which is the most that is read.")
            found[name or "array"] = numbers
        elif isinstance(value, np.ndarray) and value.dtype.kind in "US" and value.size == 1:
            walk(name, value.reshape(-1)[0])
        elif isinstance(value, str | bytes | bool | int | float):
            if name and len(notes) < _MOST_NOTES:
                notes[name] = (value.decode("latin1") if isinstance(value, bytes) else str(value))[:_MOST_LETTERS]
        else:
            others += isinstance(value, Left | Tensor | np.ndarray)

    walk("", content)
    if not found:
        kept = "an array of another kind than plain numbers" if others else "no array of numbers"
        raise WeightsError(f"This file holds {kept}.")
    return found, notes


def _numbers(value: "Tensor | np.ndarray[Any, Any]") -> Tensor | None:
    """An array as a tensor of its own, if it holds plain numbers."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fiub" or value.dtype.itemsize > 8:
            return None
        return torch.from_numpy(np.array(value, dtype=np.float32, order="C"))
    is_plain = value.layout == torch.strided and not (value.is_complex() or value.is_meta or value.is_quantized)
    return value.detach().float().clone() if is_plain and value.numel() * 4 <= LARGEST_BYTES else None
