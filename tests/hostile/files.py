"""What a hostile file is, and the few things that several kinds of them are built from."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REFUSED, READ, EITHER = "refused", "read", "refused or read"


@dataclass(frozen=True)
class File:
    """A file that a stranger sends.

    Attributes:
        title: What is wrong with it; also the test's name.
        name: The file's name.
        make: Its bytes; takes a path that code within the file would create if it ran.
        wanted: Whether it must be refused, must be read, or may be either.
        alone: Whether its cost in memory and time is measured by itself.
    """

    title: str
    name: str
    make: Callable[[Path], bytes]
    wanted: str = REFUSED
    alone: bool = False


def chunk(kind: bytes, data: bytes, length: int | None = None) -> bytes:
    """A chunk of PNG; its length may be a lie."""
    size = len(data) if length is None else length
    return struct.pack(">I", size) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@cache
def zeros(size: int, level: int = 6) -> bytes:
    """Many zeros as zlib packs them, without holding them all at once."""
    packer, part = zlib.compressobj(level), bytes(2**20)
    packed = [packer.compress(part) for _ in range(size // 2**20)]
    return b"".join([*packed, packer.compress(bytes(size % 2**20)), packer.flush()])
