"""Files of arrays put together by hand: what the hostile ones are made of."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from tests.hostile.files import zeros

WIDTH, SMALL = 512, 32
"""Width of W, as published and of the small generator that is attacked."""


def row(width: int = WIDTH) -> "np.ndarray[Any, Any]":
    """A direction."""
    return np.linspace(-1, 1, width, dtype=np.float32)[None]


def npy(array: "np.ndarray[Any, Any]", **options: Any) -> bytes:
    """A .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def npz(**named: "np.ndarray[Any, Any]") -> bytes:
    """A .npz file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **named)
    return buffer.getvalue()


def pt(content: Any, old: bool = False) -> bytes:
    """A .pt file, of either make."""
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not old)
    return buffer.getvalue()


def said(header: str, body: bytes = bytes(64)) -> bytes:
    """A .npy file whose header says anything."""
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + body


def shaped(kind: str, shape: str, body: bytes = bytes(64)) -> bytes:
    """A .npy file whose header says a kind of numbers and a shape."""
    return said(f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}", body)


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def lying(name: str, size: int, packed_size: int | None = None, said_size: int = 2048, others: int = 1) -> bytes:
    """An archive whose members unpack to `size` zeros each, and whose directory says a small size."""
    body = zeros(size)[2:-4]
    packed_size = len(body) if packed_size is None else packed_size
    file, directory = b"", b""
    for number in range(others):
        title = (name.format(number)).encode()
        place = len(file)
        head = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, 0, packed_size, said_size, len(title), 0)
        file += b"PK\3\4" + head + title + body
        directory += b"PK\1\2" + struct.pack("<H", 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, place) + title
    return file + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, others, others, len(directory), len(file), 0)


def overlapping(count: int, size: int) -> bytes:
    """An archive of which all members are one and the same place in the file."""
    body = zeros(size)[2:-4]
    head = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, 0, len(body), 2048, 5, 0)
    file = b"PK\3\4" + head + b"a.npy" + body
    directory = b"".join(
        b"PK\1\2"
        + struct.pack("<H", 20)
        + struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, 0, len(body), 2048, 9, 0)
        + struct.pack("<HHHII", 0, 0, 0, 0, 0)
        + b"%05d.npy" % number
        for number in range(count)
    )
    return file + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(file), 0)


def altered(data: bytes, place: int, value: bytes) -> bytes:
    """An archive whose directory was written over, counted from the start of its first entry."""
    found = bytearray(data)
    start = found.rindex(b"PK\1\2") + place
    found[start : start + len(value)] = value
    return bytes(found)


def tensors(header: Any, body: bytes = bytes(2048), length: int | None = None) -> bytes:
    """A safetensors file put together by hand."""
    said = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(said) if length is None else length) + said + body


def entry(shape: list[int], start: int, end: int, kind: str = "F32") -> dict[str, Any]:
    """What the header of a safetensors file says of an array."""
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


def forged(*shapes: tuple[int, ...], **changed: Any) -> Callable[[], bytes]:
    """A file of the studio's own make whose description says other things."""
    about = {"name": "smile", "space": "w", "slots": [0, 1], "sigma": 1.0, "source": "own"} | changed
    values = [torch.linspace(-1, 1, int(np.prod(shape))).reshape(shape) for shape in shapes or [(SMALL,)]]
    vectors = {f"direction_{number:03d}": value for number, value in enumerate(values)}
    return lambda: save(vectors, {"directions": json.dumps([about] * len(vectors))})
