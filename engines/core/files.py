"""A file from outside as bytes: regular files only, of a bounded size, and one sentence for every other case.

The sentence names no path and no reason, so that nobody learns from it what else lies on the disk.
"""

import os
import stat
from pathlib import Path

from engines.core.errors import ImageError

NO_FILE = "There is no file of that name that can be read. Check its name, and that it is an ordinary file you may read."

_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_BINARY", "O_CLOEXEC"))
_BLOCK = 2**20


def read_file(path: Path, megabytes: float) -> bytes:
    """All bytes of a regular file. What is missing, no regular file, a link or forbidden gets one and the same sentence.

    Raises:
        ImageError: No such file, or one of more than so many megabytes (2**20 bytes each).
    """
    try:
        handle = os.open(path, _FLAGS)  # without waiting: opening a pipe would hang until somebody writes to it
    except (OSError, ValueError) as error:
        raise ImageError(NO_FILE) from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ImageError(NO_FILE)
        data = _bounded(handle, int(megabytes * 2**20))
    except OSError as error:
        raise ImageError(NO_FILE) from error
    finally:
        os.close(handle)
    if data is None:
        raise ImageError(f"This file has more than {megabytes:g} MB; photos of at most {megabytes:g} MB are read. Save it smaller.")
    return data


def _bounded(handle: int, most: int) -> bytes | None:
    """What is in the file, or nothing if that is more."""
    data = bytearray()
    while block := os.read(handle, min(_BLOCK, most + 1 - len(data))):
        data += block
        if len(data) > most:
            return None
    return bytes(data)
