"""Archives that lie: what comes out is bounded, whatever the directory claims."""

import io
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from engines.core.arrays import LARGEST_BYTES, read_arrays
from engines.core.errors import WeightsError

ALLOWED = 300 * 2**20


def header(count: int) -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count},), }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def bomb(claim: int | None, name: str = "a.npy", members: int = 1) -> bytes:
    """An archive of members of 100 MB of zeros, whose directory claims another size."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(members):
            with archive.open(f"{index}{name}", "w") as member:
                member.write(header(25_000_000))
                for _ in range(100):
                    member.write(bytes(2**20))
    data = bytearray(buffer.getvalue())
    place = -1
    while claim is not None and (place := data.find(b"PK\x01\x02", place + 1)) >= 0:
        data[place + 24 : place + 28] = struct.pack("<I", claim)
    return bytes(data)


def many_members() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for index in range(20_500):
            archive.writestr(f"{index}.npy", b"")
    return buffer.getvalue()


def shared_text() -> bytes:
    """One text of 10 MB that stands for bytes ten thousand times."""
    text = b"x" * 10_000_000
    head = b"\x80\x02(X" + struct.pack("<I", len(text)) + text + b"q\x000"
    return head + b"(" + b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R" * 9_000 + b"l."


LIES: dict[str, Callable[[], bytes]] = {
    "npz of its word": lambda: bomb(None),
    "npz that claims little": lambda: bomb(1000),
    "npz that claims as much as is read": lambda: bomb(LARGEST_BYTES - 1),
    "pt that claims little": lambda: bomb(1000, "/data.pkl"),
    "npz of many that claim little": lambda: bomb(1000, members=2),
    "very many members": many_members,
    "one text many times": shared_text,
    "a header of JSON": lambda: struct.pack("<Q", 20_000_000) + b'{"a":[' + b"{}," * 6_000_000 + b"{}]}" + bytes(64),
    "a huge number": lambda: b"\x80\x02\x8b" + struct.pack("<I", 20_000_000) + b"\x7f" * 20_000_000 + b".",
    "digits without end": lambda: b"L" + b"9" * 20_000_000 + b"L\n.",
    "lists in lists": lambda: b"\x80\x02" + b"]" * 20_000_000 + b".",
    "a npy that claims much": lambda: header(2**40) + bytes(100),
    "one array many times": lambda: pickle.dumps([np.zeros(2_000_000, "u1")] * 5000, 4),
}


@pytest.mark.parametrize("name", list(LIES))
def test_memory_stays_bounded_whatever_a_file_claims(name: str) -> None:
    data = LIES[name]()
    assert len(data) < 32 * 2**20
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError):
            read_arrays(data, "a.npz")
        assert tracemalloc.get_traced_memory()[1] < ALLOWED
    finally:
        tracemalloc.stop()


def test_a_member_packed_in_an_unbounded_way_is_refused() -> None:
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr("a.npy", header(1) + bytes(4))
        with pytest.raises(WeightsError, match="packed in a way that neither numpy nor torch uses"):
            read_arrays(buffer.getvalue(), "a.npz")
