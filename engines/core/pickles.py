"""Pickles from outside, rebuilt by code of our own: containers, numbers, texts, numpy's arrays and torch's tensors, and nothing is run.

A pickle is a program. Every name that it calls is answered by a stand-in (`engines.core.stand_ins`), so that neither numpy nor torch nor
anything else is called by the file. An object of a class that is not known is kept as `Left`, which callers leave out; a function that is
not known refuses the file when it is called.
"""

import pickle
import pickletools
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from engines.core.stand_ins import ALLOWED, Left, NotPlain, PickledArray, Record, StorageType, Uncalled, View

DAMAGES: tuple[type[Exception], ...] = (
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
    pickle.UnpicklingError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What a damaged file makes its readers raise."""

_MOST_OPERATIONS = 100_000
"""Steps of a pickle; arrays need about thirty each."""

_MOST_TUPLES, _MOST_SHARED = 20_000, 16
"""Tuples in a pickle, and uses of one that was made before."""

_MOST_BITS = 4096
"""Of a whole number."""

_MOST_STRANGERS, _MOST_NODES, _DEEPEST = 200, 200_000, 12
"""Unknown classes, values in all, and containers in containers."""


_RENAMED = {"__builtin__": "builtins", "copy_reg": "copyreg", "pathlib._local": "pathlib"}
"""What other versions of Python call these modules."""


class PlainUnpickler(pickle.Unpickler):
    """Answers every name of a pickle with a stand-in.

    Args:
        stream: The pickle, looked over by `check_pickle`.
        storage: What a reference to something outside the pickle stands for; without it there may be none.
    """

    def __init__(self, stream: BinaryIO, storage: Callable[[Any], Any] | None = None) -> None:
        super().__init__(stream, encoding="latin1")
        self._storage = storage
        self._strangers: dict[tuple[str, str], type] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What a pickle may call, or a class that only holds."""
        module = _RENAMED.get(module, module)
        if (module, name) in ALLOWED:
            return ALLOWED[module, name]
        if module in ("torch", "torch.storage") and name.endswith("Storage"):
            return StorageType(name)
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return Left
        if len(self._strangers) > _MOST_STRANGERS:
            raise NotPlain("names very many classes")
        title = f"{module[:40]}.{name[:40]}"
        return self._strangers.setdefault((module, name), Uncalled(title, (Left,), {}))

    def persistent_load(self, pid: Any) -> Any:
        """A storage of a torch file; refuses references to things outside other files."""
        if self._storage is None:
            raise NotPlain("points outside itself")
        return self._storage(pid)


def dtype_of(kind: Any) -> torch.dtype | None:
    """The type of a storage's numbers, as a pickle names it; nothing where they are no plain numbers."""
    return kind.dtype if isinstance(kind, StorageType) else None


def check_pickle(stream: BinaryIO, operations: int = _MOST_OPERATIONS) -> None:
    """Refuse a pickle that would cost far more than it weighs, before it is read; the stream ends behind it.

    That is one of very many steps, one whose notes have numbers beyond its steps (Python would set memory aside for them), one of huge
    whole numbers, and one of tuples within tuples: the hash of a tuple that holds another twice, which holds another twice, takes for ever.

    Raises:
        ValueError: It is one of them, or damaged.
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
        huge = isinstance(argument, int) and argument.bit_length() > _MOST_BITS
        if huge or max(step, note) > operations or made > max(_MOST_TUPLES, operations // 5) or shared > _MOST_SHARED:
            raise NotPlain("is a pickle of far more than arrays")
        before = name


def plain(content: Any, flat: Mapping[str, Tensor] | None = None) -> Any:
    """What a pickle holds as numbers, texts, lists, dicts with keys of text or number, arrays of numpy and tensors; `Left` for all else.

    Args:
        content: What `PlainUnpickler.load` returned.
        flat: Numbers of a torch file by key.

    Raises:
        ValueError: Sizes that do not fit together, or very many values.
    """
    left, encoded = [_MOST_NODES], dict[int, bytes]()

    def walk(value: Any, depth: int) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise NotPlain("holds very many values")
        if isinstance(value, View):
            return value.tensor(flat or {})
        if isinstance(value, PickledArray):
            found = value.value(encoded)
            return found if isinstance(found, np.ndarray) else walk(found, depth + 1)
        if isinstance(value, Record):
            value = value.entries()
        if depth > _DEEPEST:
            return Left()
        if isinstance(value, Mapping):
            return {key: walk(item, depth + 1) for key, item in value.items() if isinstance(key, str | int)}
        if isinstance(value, list | tuple | set | frozenset):
            return [walk(item, depth + 1) for item in value]
        return value if value is None or isinstance(value, str | int | float) else Left()

    return walk(content, 0)
