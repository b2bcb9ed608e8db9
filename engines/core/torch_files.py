"""Files that `torch.save` wrote, of either form, read without torch's reader and without running anything that is in them.

Since version 1.6 such a file is a zip archive; before, it was five pickles with the numbers behind them. The pickles are rebuilt by
`engines.core.pickles`, which knows tensors and plain values only, so a file is never given to a reader that could be led to run it.
"""

import mmap
import pickletools
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from engines.core.archives import Archive, Buffer, opened
from engines.core.errors import WeightsError
from engines.core.pickles import DAMAGES, PlainUnpickler, check_pickle, dtype_of, plain
from engines.core.stand_ins import NotPlain, Storage

MOST_OPERATIONS = 2_000_000
"""Steps of a checkpoint's pickle: a thousand tensors take some forty thousand."""

_LARGEST_PICKLE = 128 * 2**20
_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_MAGIC_NUMBER, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


@dataclass(frozen=True)
class Kind:
    """What a file is by its first bytes, whatever it is called.

    Attributes:
        name: "torch", "npz", "npy", "safetensors", "pickle", "zip", "program", "empty", or "other".
        words: What to call it in a sentence.
    """

    name: str
    words: str


_STRANGERS = (
    (b"version https://git-lfs", "a pointer of Git LFS in place of the file; fetch the file itself"),
    (b"<", "a web page or XML, not a file of numbers: the site may have refused the download"),
    (b"\x89HDF", "a file of HDF5"),
    (b"\x1f\x8b", "packed with gzip; unpack it first"),
    (b"7z\xbc\xaf", "packed with 7-Zip; unpack it first"),
    (b"Rar!", "packed with RAR; unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{", "a text of JSON"),
)


def kind_of(data: Buffer) -> Kind:
    """What a file is, by its content."""
    head = bytes(data[:512])
    if not head:
        return Kind("empty", "empty")
    if head.startswith(b"\x93NUMPY"):
        return Kind("npy", "an array of numpy")
    if head.startswith(b"PK"):
        return _kind_of_archive(data)
    if _MAGIC in head[:32]:
        return Kind("torch", "a file of torch")
    if 2 <= int.from_bytes(head[:8], "little") <= max(len(data), 2**27) and head[8:9] == b"{":
        return Kind("safetensors", "a file of safetensors")
    if head[257:262] == b"ustar":
        return Kind("other", "a tar archive (torch wrote those before version 0.2); load it there and save it again")
    start = head.lstrip().lower()
    for mark, words in _STRANGERS:
        if start.startswith(mark.lower()):
            return Kind("other", words)
    try:  # the oldest pickles have no mark of their own: the first step tells
        is_pickle = head[0] == 0x80 or (head[:1] in b"(]}NKMJIFSVUXTclji" and head[:1] != b"" and _begins_a_pickle(head))
    except DAMAGES:
        is_pickle = False
    return Kind("pickle", "a pickle that torch did not write") if is_pickle else Kind("other", "of a kind that is not known here")


def _begins_a_pickle(head: bytes) -> bool:
    return all(True for _, _ in zip(pickletools.genops(head), range(3), strict=False))


def _kind_of_archive(data: Buffer) -> Kind:
    try:
        with opened(data, 0, None if isinstance(data, bytes | bytearray) else _stream(data)) as archive:
            names = archive.names
    except zipfile.BadZipFile:
        return Kind("zip", "cut off or damaged: its archive has no end")
    inner = [name for name in names if name == "data.pkl" or name.endswith("/data.pkl")]
    if inner and any("/code/" in name for name in names):
        return Kind("program", "a program of TorchScript; only weights are read. Save its state_dict")
    if inner:
        return Kind("torch", "a file of torch")
    if any(name.endswith(".npy") for name in names):
        return Kind("npz", "an archive of numpy")
    return Kind("zip", "an archive of other files; unpack it first")


def _stream(data: mmap.mmap) -> BinaryIO:
    """A mapped file as zipfile wants it."""
    return _Mapped(data)  # type: ignore[return-value]


class _Mapped:
    """A mapped file with a place of its own to read from."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data, self._place = data, 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = max(0, offset + (0, self._place, len(self._data))[whence])
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        end = len(self._data) if size is None or size < 0 else min(len(self._data), self._place + size)
        part = bytes(self._data[self._place : end])
        self._place += len(part)
        return part

    def readline(self, size: int = -1) -> bytes:
        end = self._data.find(b"\n", self._place)
        return self.read((len(self._data) if end < 0 else end + 1) - self._place)

    def readinto(self, buffer: Any) -> int:
        part = self.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


def load_torch(path: Path) -> Any:
    """The content of a checkpoint from outside: tensors (looking at the mapped file), numbers, texts, lists and dicts; all else is `Left`.

    Raises:
        WeightsError: It is damaged, no file of torch, or wants to run something; the sentence says which.
    """
    name = path.name
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise WeightsError(f"{name} is empty. Download it again from its authors.")
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    kind = kind_of(data)
    if kind.name != "torch":
        again = (
            "Download it again from its authors." if kind.words.startswith("cut off") else "Wanted is a checkpoint that torch.save wrote."
        )
        raise WeightsError(f"{name} is {kind.words}. {again}")
    try:
        return content_of(data, None, MOST_OPERATIONS)
    except WeightsError as error:
        raise WeightsError(f"{name}: {error}") from error
    except NotPlain as error:
        raise WeightsError(f"{name} holds more than tensors and plain options: it {error}, and nothing in a file is run here.") from error
    except DAMAGES as error:
        raise WeightsError(f"{name} is cut off or damaged. Download it again from its authors.") from error


def content_of(data: Buffer, most: int | None, operations: int) -> Any:
    """Tensors and plain values of a torch file of either form.

    Args:
        data: The whole file; tensors look at it where that can be, so it should allow writing.
        most: Bytes that may come out of an archive, each member checked against its check sum; nothing for a mapped file of any size, whose
            members are looked at where they lie.
        operations: The most steps of its pickles.

    Raises:
        WeightsError: Too much comes out of it.
        NotPlain: It wants to run something.
        Exception: One of `DAMAGES`, where it is damaged.
    """
    if data[:2] == b"PK":
        with opened(data, most or _LARGEST_PICKLE, _stream(data) if isinstance(data, mmap.mmap) else None) as archive:
            return _from_archive(archive, data, most is None, operations)
    return _from_old(data, operations)


def _from_archive(archive: Archive, data: Buffer, mapped: bool, operations: int) -> Any:
    name = next(name for name in archive.names if name == "data.pkl" or name.endswith("/data.pkl"))
    stem = name.removesuffix("data.pkl")
    if f"{stem}byteorder" in archive.names and archive.read(f"{stem}byteorder") == b"big":
        raise WeightsError("its numbers are in the byte order of another kind of machine. Save it on a common one.")
    pickled, storages = bytes(archive.read(name)), dict[str, Storage]()
    check_pickle(BytesIO(pickled), operations)
    content = PlainUnpickler(BytesIO(pickled), lambda pid: _stored(pid, storages)).load()
    flat: dict[str, Tensor] = {}
    for key, storage in storages.items():
        if storage.kind is None:
            continue
        place = archive.place(f"{stem}data/{key}") if mapped else None
        if place is None:
            flat[key] = _numbers(archive.read(f"{stem}data/{key}"), storage.kind, 0, storage.count)
        elif (place.stop - place.start) < storage.count * storage.kind.itemsize:
            raise ValueError("fewer numbers than its pickle says")
        else:
            flat[key] = _numbers(data, storage.kind, place.start, storage.count)
    return plain(content, flat)


def _from_old(data: Buffer, operations: int) -> Any:
    """The form before torch 1.6: a magic number, a protocol, the machine, the content, the keys, and the numbers of each key."""
    stream: BinaryIO = _stream(data) if isinstance(data, mmap.mmap) else BytesIO(data)
    storages, found = dict[str, Storage](), list[Any]()
    for _ in range(5):
        start = stream.tell()
        check_pickle(stream, operations)
        end = stream.tell()
        found.append(PlainUnpickler(BytesIO(bytes(data[start:end])), lambda pid: _stored(pid, storages)).load())
    magic, protocol, machine, content, keys = found
    if magic != _MAGIC_NUMBER or protocol != _PROTOCOL or not isinstance(keys, list):
        raise ValueError("not of torch")
    if isinstance(machine, dict) and machine.get("little_endian") is False:
        raise WeightsError("its numbers are in the byte order of another kind of machine. Save it on a common one.")
    flat: dict[str, Tensor] = {}
    place = stream.tell()
    for key in keys:
        storage = storages[str(key)]
        count = int.from_bytes(data[place : place + 8], "little", signed=True)
        if storage.kind is None:
            raise NotPlain("holds numbers of a kind that is not read here, such as complex ones")
        if count < storage.count:
            raise ValueError("fewer numbers than its pickle says")
        flat[str(key)] = _numbers(data, storage.kind, place + 8, count)
        place += 8 + count * storage.kind.itemsize
    return plain(content, flat)


def _stored(pid: Any, storages: dict[str, Storage]) -> Any:
    """What a reference of a torch file stands for: a storage, or part of one; for a module's class, the class."""
    if isinstance(pid, tuple) and len(pid) >= 2 and pid[0] == "module":
        return pid[1]
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or not isinstance(pid[4], int) or pid[4] < 0:
        raise NotPlain("points outside itself")
    key, whole = str(pid[2]), Storage(dtype_of(pid[1]), str(pid[2]), pid[4])
    storages.setdefault(key, whole)
    part = pid[5] if len(pid) > 5 else None
    if isinstance(part, tuple) and len(part) == 3 and all(isinstance(value, int) and value >= 0 for value in part[1:]):
        return Storage(whole.kind, key, part[2], part[1])
    return whole


def _numbers(data: Buffer, kind: torch.dtype, start: int, count: int) -> Tensor:
    if count < 0 or start + count * kind.itemsize > len(data):
        raise EOFError("the file ends before its numbers do")
    if not count:
        return torch.empty(0, dtype=kind)
    return torch.frombuffer(data, dtype=kind, count=count, offset=start)
