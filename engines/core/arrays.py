"""Arrays out of files from outside: .npy, .npz, .pt, .pkl and .safetensors, without running anything that is in them.

A pickle is a program. Here it may only build containers, numbers, strings and numpy arrays, and the arrays are put together by the
functions of this module, so that neither numpy nor torch is called by the file. Sizes are checked before anything is unpacked.
"""

import io
import json
import lzma
import pickle
import pickletools
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from engines.core.errors import WeightsError

SUFFIXES = ("npy", "npz", "pt", "pkl", "safetensors")
LARGEST_BYTES = 64 * 2**20
Arrays = dict[str, Tensor]

_MOST_OPERATIONS = 100_000
"""Steps of a pickle; arrays need about thirty each."""

_MOST_TUPLES, _MOST_SHARED = 20_000, 16
"""Tuples in a pickle, and uses of one that was made before."""

_OLD_PICKLES = 5
"""Pickles at the head of a file as torch wrote it before it wrote archives."""


def read_arrays(data: bytes, filename: str) -> tuple[Arrays, Mapping[str, str]]:
    """Arrays of a file by name (a single one is called "array"), and its notes of text where the format has any.

    Raises:
        WeightsError: Another kind of file, too large, damaged, or with more than arrays in it.
    """
    suffix = filename.rsplit(".", 1)[-1].lower()
    readers: dict[str, Callable[[bytes], tuple[Arrays, Mapping[str, str]]]] = {
        "npy": lambda data: ({"array": _npy(data)}, {}),
        "npz": lambda data: (_npz(data), {}),
        "pt": lambda data: (_torch(data), {}),
        "pkl": lambda data: (_pickled(data), {}),
        "safetensors": _safetensors,
    }
    if suffix not in readers:
        raise WeightsError(f"A file .{suffix[:12]} came; directions are read from {', '.join('.' + name for name in readers)}.")
    if len(data) > LARGEST_BYTES:
        raise WeightsError(f"This file has {len(data) / 2**20:.0f} MB; at most {LARGEST_BYTES // 2**20} are read.")
    try:
        return readers[suffix](data)
    except WeightsError:
        raise
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        EOFError,
        OSError,
        RuntimeError,
        RecursionError,
        MemoryError,
        OverflowError,
        AssertionError,
        SyntaxError,
        lzma.LZMAError,
        pickle.UnpicklingError,
        struct.error,
        tokenize.TokenError,
        zipfile.BadZipFile,
        zlib.error,
        SafetensorError,
    ) as error:
        raise WeightsError(f"This file is damaged or holds more than plain arrays: it could not be read as .{suffix}.") from error


def _npy(data: bytes) -> Tensor:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(stream)
    if int(np.prod(shape, dtype=np.float64)) * dtype.itemsize > len(data):
        raise ValueError("shorter than its header says")
    return _numbers(np.load(io.BytesIO(data), allow_pickle=False))


def _npz(data: bytes) -> Arrays:
    _check_zip(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.removesuffix(".npy"): _npy(archive.read(name)) for name in archive.namelist() if name.endswith(".npy")}


def _torch(data: bytes) -> Arrays:
    if data[:2] == b"PK":
        _check_zip(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                if name.endswith(".pkl"):
                    _check_pickle(io.BytesIO(archive.read(name)))
    else:
        stream = io.BytesIO(data)
        for _ in range(_OLD_PICKLES):
            _check_pickle(stream)
    with warnings.catch_warnings(action="ignore"):  # of file makes that torch has not seen
        return _collected(torch.load(io.BytesIO(data), map_location="cpu", weights_only=True))


def _safetensors(data: bytes) -> tuple[Arrays, Mapping[str, str]]:
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + min(length, len(data))])
    about = header.get("__metadata__", {})
    return _collected(load(data)), {str(key): str(value) for key, value in about.items()}


def _pickled(data: bytes) -> Arrays:
    _check_pickle(io.BytesIO(data))
    return _collected(_PlainUnpickler(io.BytesIO(data)).load())


def _check_pickle(stream: io.BytesIO) -> None:
    """Refuse a pickle that would cost far more than it weighs, before it is read; the stream ends behind it.

    That is one of very many steps, one whose notes have numbers beyond its steps (Python would set memory aside for them), and one
    of tuples within tuples: the hash of a tuple that holds another twice, which holds another twice, takes for ever.
    """
    notes: set[int] = set()
    tuples: set[int] = set()
    made, shared, note, before = 0, 0, 0, ""
    for step, (operation, argument, _) in enumerate(pickletools.genops(stream)):
        name = operation.name
        if "PUT" in name or name == "MEMOIZE":
            note = len(notes) if name == "MEMOIZE" else int(argument or 0)
            notes.add(note)
            (tuples.add if "TUPLE" in before else tuples.discard)(note)
        made += "TUPLE" in name
        shared += name == "DUP" or ("GET" in name and int(argument or 0) in tuples)
        if max(step, note) > _MOST_OPERATIONS or made > _MOST_TUPLES or shared > _MOST_SHARED:
            raise ValueError("a pickle of more than arrays")
        before = name


def _check_zip(data: bytes) -> None:
    """Refuse archives that unpack to far more than they weigh."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(item.file_size for item in archive.infolist())
    if size > LARGEST_BYTES:
        raise WeightsError(f"This file unpacks to {size / 2**20:.0f} MB; at most {LARGEST_BYTES // 2**20} are read.")


def _collected(content: Any) -> Arrays:
    """Arrays of a tensor, an array, or a mapping or sequence of them; other entries, such as a path, are left out."""
    if isinstance(content, Tensor):
        return {"array": _floating(content)}
    if isinstance(content, _Array):
        return {"array": content.tensor()}
    items = content.items() if isinstance(content, Mapping) else enumerate(content) if isinstance(content, list | tuple) else ()
    found: Arrays = {}
    for key, value in items:
        if isinstance(value, Tensor | _Array) and isinstance(key, str | int):
            found[str(key)] = _floating(value) if isinstance(value, Tensor) else value.tensor()
    if not found:
        raise WeightsError("This file holds no array of numbers.")
    return found


def _floating(value: Tensor) -> Tensor:
    plain = value.layout == torch.strided and not (value.is_complex() or value.is_meta or value.is_quantized)
    if not plain or value.numel() * 4 > 4 * LARGEST_BYTES:  # a stride of 0 makes a huge array of a small file
        raise WeightsError("This file holds an array of another kind than plain numbers.")
    return value.detach().float()


def _numbers(array: "np.ndarray[Any, Any]") -> Tensor:
    if array.dtype.kind not in "fiub":
        raise WeightsError("This file holds an array of another kind than plain numbers.")
    return torch.from_numpy(np.array(array, dtype=np.float32, order="C"))


class _Type:
    """A pickled dtype: its code, with the byte order that its state brings."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code, self.order = code if isinstance(code, str) else "", "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = ">" if state[1] == ">" else "<"

    def numpy(self) -> "np.dtype[Any]":
        if self.code[:1] not in ("f", "i", "u") or self.code[1:] not in ("1", "2", "4", "8"):
            raise WeightsError("This file holds an array of another kind than plain numbers.")
        return np.dtype(self.order + self.code)


class _Array:
    """A pickled array, put together from its bytes by us."""

    state: tuple[Any, ...] = ()

    def __init__(self, *_: Any) -> None:
        """What numpy's own names are called with says nothing that the state does not say again."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def tensor(self) -> Tensor:
        """The values; wrong sizes raise `ValueError`."""
        _, shape, kind, by_columns, raw = self.state
        raw = raw.encode("latin1") if isinstance(raw, str) else raw
        values = np.frombuffer(raw, kind.numpy())
        return _numbers(values.reshape(shape, order="F" if by_columns else "C"))


class _Buffer(_Array):
    """An array of pickle protocol 5, whose call brings all of it."""

    def __init__(self, raw: Any, kind: Any, shape: Any, order: Any) -> None:
        super().__init__()
        self.state = (1, shape, kind, order == "F", raw)


class _Latin:
    """What old pickles call for bytes, and nothing that a pickle could write into, as it could into a function."""

    def __call__(self, text: str, encoding: str = "latin1") -> bytes:
        if encoding != "latin1":
            raise WeightsError("This pickle holds more than arrays.")
        return text.encode("latin1")

    def __setstate__(self, state: Any) -> None:
        raise WeightsError("This pickle holds more than arrays.")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.numeric", "_frombuffer"): _Buffer,
    ("numpy._core.numeric", "_frombuffer"): _Buffer,
    ("_codecs", "encode"): _Latin(),
    ("collections", "OrderedDict"): OrderedDict,
}


class _PlainUnpickler(pickle.Unpickler):
    """Knows a handful of names, all but one of them ours."""

    def find_class(self, module: str, name: str) -> Any:
        """What a pickle may call."""
        if (module, name) not in _ALLOWED:
            raise WeightsError(f"This pickle wants to run {module[:40]}.{name[:40]}; only plain arrays are read. Save it as .npy instead.")
        return _ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Refuse references to things outside the file."""
        raise WeightsError("This pickle points outside itself; only plain arrays are read. Save it as .npy instead.")
