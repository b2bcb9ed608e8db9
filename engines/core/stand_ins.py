"""What stands for the names that a pickle from outside calls: numpy's arrays and numbers, torch's tensors, namespaces, `Left` for others.

None of them does more than to keep what it is given, and nothing that a pickle writes into one outlives it.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

_MOST_LETTERS = 4096
"""Of one text in an array."""


class NotPlain(ValueError):
    """A pickle wants to do more than to hold values; the message says what, and begins with a verb."""


class Left:
    """Something that a file holds and that is no plain value."""

    def __new__(cls, *_: Any, **__: Any) -> "Left":
        """Whatever it is made from."""
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        """Nothing is kept."""

    def __repr__(self) -> str:
        return "something else"

    def __setstate__(self, state: Any) -> None:
        """Nothing is kept."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Nothing is kept."""

    def append(self, value: Any) -> None:
        """Nothing is kept."""

    extend = add = append


class Uncalled(type):
    """The kind of class that stands for one that is not known: its objects are left out, and to call it refuses the file."""

    def __call__(cls, *_: Any, **__: Any) -> Any:
        raise NotPlain(f"wants to run {cls.__qualname__}")


class Record(Left):
    """A namespace or a mapping of another class: what was written into it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.entries()

    def entries(self) -> dict[Any, Any]:
        """By name."""
        return self.__dict__.setdefault("_entries", {})

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.entries().update(state)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.entries()[key] = value


class _Rebuilt(Left):
    """What old pickles call for an object of any class."""

    def __new__(cls, kind: Any = None, *_: Any) -> Any:
        """An object of that class, if it is one of ours."""
        return kind.__new__(kind) if isinstance(kind, type) and issubclass(kind, Left) else Left()


class _Type:
    """A pickled dtype: its code, with the byte order that its state brings."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code, self.order = code if isinstance(code, str) else "", "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = ">" if state[1] == ">" else "<"

    @property
    def is_object(self) -> bool:
        """Whether its values are objects of Python."""
        return self.code[:1] == "O"

    def numpy(self) -> "np.dtype[Any] | None":
        """Of numbers and texts; nothing for others."""
        kind, size = self.code[:1], self.code[1:]
        known = (kind in "fiu" and size in ("1", "2", "4", "8")) or self.code == "b1"
        text = kind in ("U", "S") and size.isdigit() and 0 < int(size) <= _MOST_LETTERS
        return np.dtype(self.order + self.code) if self.code and (known or text) else None


class PickledArray:
    """A pickled array, put together from its bytes by us."""

    state: tuple[Any, ...] = ()

    def __init__(self, *_: Any) -> None:
        """What numpy's own names are called with says nothing that the state does not say again."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def value(self, encoded: dict[int, bytes]) -> Any:
        """A list of what it holds, where that are objects; an array of numbers or texts; `Left` for other kinds.

        Args:
            encoded: Texts that stood for bytes before, as bytes, so that arrays which share one share its bytes too.

        Raises:
            ValueError: Its bytes are too few or too many for its shape.
        """
        _, shape, kind, by_columns, raw = self.state
        if kind.is_object:
            return raw[0] if isinstance(raw, list) and len(raw) == 1 else raw if isinstance(raw, list) else Left()
        wanted = kind.numpy()
        if wanted is None:
            return Left()
        return np.frombuffer(_bytes(raw, encoded), wanted).reshape(shape, order="F" if by_columns else "C")


class _Buffer(PickledArray):
    """An array of pickle protocol 5, whose call brings all of it."""

    def __init__(self, raw: Any, kind: Any, shape: Any, order: Any) -> None:
        super().__init__()
        self.state = (1, shape, kind, order == "F", raw)


class _Scalar(PickledArray):
    """One of numpy's own numbers or texts."""

    def __init__(self, kind: Any, raw: Any = b"") -> None:
        super().__init__()
        self.state = (1, (), kind, False, raw)

    def value(self, encoded: dict[int, bytes]) -> Any:
        """A plain number or text."""
        found = super().value(encoded)
        return found.item() if isinstance(found, np.ndarray) else found


@dataclass(frozen=True, eq=False)
class _Encoded:
    """A text that stands for bytes; they are made where they are used, so that a pickle cannot ask for them a thousand times."""

    text: str

    def __setstate__(self, state: Any) -> None:
        raise NotPlain("writes into a text")


class _Latin:
    """What old pickles call for bytes, and nothing that a pickle could write into, as it could into a function."""

    def __call__(self, text: str, encoding: str = "latin1") -> _Encoded:
        if encoding != "latin1" or not isinstance(text, str):
            raise NotPlain(f"wants to encode a text as {str(encoding)[:20]}")
        return _Encoded(text)

    def __setstate__(self, state: Any) -> None:
        raise NotPlain("writes into a function")


def _bytes(raw: Any, encoded: dict[int, bytes]) -> Any:
    text = raw.text if isinstance(raw, _Encoded) else raw
    if not isinstance(text, str):
        return text
    if id(text) not in encoded:
        encoded[id(text)] = text.encode("latin1")
    return encoded[id(text)]


@dataclass(frozen=True, eq=False)
class Storage:
    """Numbers of a torch file that tensors look at.

    Attributes:
        kind: Their type, or nothing where they are no plain numbers.
        key: Under which the file holds them.
        count: How many there are.
        start: Where they begin among the numbers of the key.
    """

    kind: torch.dtype | None
    key: str
    count: int
    start: int = 0

    def __setstate__(self, state: Any) -> None:
        raise NotPlain("writes into a storage")


class View:
    """A tensor, still without its numbers."""

    def __init__(self, storage: Any = None, offset: Any = 0, size: Any = (), stride: Any = (), *_: Any) -> None:
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def __setstate__(self, state: Any) -> None:
        """Attributes that were set on a tensor are left out."""

    def tensor(self, flat: Mapping[str, Tensor]) -> Any:
        """The tensor; `Left` for one of other things than plain numbers, or of far more values than the file holds.

        Raises:
            RuntimeError, ValueError: It reaches beyond its numbers.
        """
        size, stride = ([_whole(value) for value in values] for values in (self.size, self.stride))
        if not isinstance(self.storage, Storage) or self.storage.kind is None:
            return Left()
        numbers = flat[self.storage.key]
        if numbers.dtype != self.storage.kind:
            raise ValueError("one storage of two types")
        values = int(np.prod([float(value) for value in size]))
        if values > max(numbers.numel(), 2**20):
            return Left()  # a stride of 0 makes a huge array of a small file
        start = self.storage.start + _whole(self.offset)
        if values and start + sum((length - 1) * step for length, step in zip(size, stride, strict=True)) >= numbers.numel():
            raise ValueError("a tensor reaches beyond its storage")
        return torch.as_strided(numbers, size, stride, start) if values else torch.empty(size, dtype=numbers.dtype)


class _Parameter(Left):
    """A tensor that was trained: the tensor."""

    def __new__(cls, data: Any = None, *_: Any) -> Any:
        """What it wraps."""
        return data if isinstance(data, View) else Left()


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**48:
        raise ValueError("a size that is none")
    return value


DTYPES = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}
_HOLDERS = {
    "argparse": ("Namespace",),
    "types": ("SimpleNamespace",),
    "easydict": ("EasyDict",),
    "munch": ("Munch",),
    "collections": ("defaultdict",),
}
_VALUES = {
    "pathlib": ("Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"),
    "datetime": ("datetime", "date", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "uuid": ("UUID",),
    "collections": ("Counter", "deque"),
    "builtins": ("set", "frozenset", "complex", "slice", "range", "bytearray", "object"),
    "torch": ("Size", "device"),
    "torch.serialization": ("_get_layout",),
    "torch._tensor": ("_rebuild_from_type_v2",),
    "torch._utils": (
        "_rebuild_sparse_tensor",
        "_rebuild_qtensor",
        "_rebuild_meta_tensor_no_storage",
        "_rebuild_tensor_v3",
        "_rebuild_device_tensor_from_numpy",
    ),
}
ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): PickledArray,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _Latin(),
    ("collections", "OrderedDict"): OrderedDict,
    ("copyreg", "_reconstructor"): _Rebuilt,
    ("torch._utils", "_rebuild_tensor"): View,
    ("torch._utils", "_rebuild_tensor_v2"): View,
    ("torch._utils", "_rebuild_parameter"): _Parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _Parameter,
}
for _core in ("numpy.core", "numpy._core"):
    ALLOWED |= {(f"{_core}.multiarray", "_reconstruct"): PickledArray, (f"{_core}.multiarray", "scalar"): _Scalar}
    ALLOWED |= {(f"{_core}.numeric", "_frombuffer"): _Buffer}
for _names, _stand_in in ((_HOLDERS, Record), (_VALUES, Left)):
    ALLOWED |= {(module, name): _stand_in for module, names in _names.items() for name in names}


class StorageType:
    """A type of storages, by its name; a fresh one for each use, so that nothing that is written into it stays."""

    def __init__(self, name: str) -> None:
        self.dtype = DTYPES.get(name.removesuffix("Storage"))

    def __setstate__(self, state: Any) -> None:
        raise NotPlain("writes into a class")
