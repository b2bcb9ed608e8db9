"""Page reuse on Linux: most of a CPU forward at 1024 px is otherwise spent faulting fresh pages in.

glibc maps every large tensor anew and gives it back at once. Keeping the pages makes the forward pass of the
1024 px generator about three times faster (benchmarks/results/generator.json measures both). Elsewhere this does nothing.
"""

import ctypes
import platform
import threading
import time
from functools import cache
from pathlib import Path

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_TOP_PAD_BYTES = 256 * 2**20
_MOST_UNUSED = 768 * 2**20
_SECONDS = 2.0
_STATUS = Path("/proc/self/status")


class _Mallinfo2(ctypes.Structure):
    """What glibc tells of its heaps; `uordblks` are the bytes in use."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    )


@cache
def _glibc() -> ctypes.CDLL | None:
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return None
    return ctypes.CDLL("libc.so.6")


@cache
def keep_pages() -> bool:
    """Tell glibc to reuse freed pages instead of returning them; True where that was possible.

    Applies to the whole process, once. One arena serves all threads, so that a page freed by one visitor's run is there for the next.
    """
    libc = _glibc()
    if libc is None:
        return False
    for option, value in (
        (_M_ARENA_MAX, 1),
        (_M_MMAP_MAX, 0),
        (_M_TRIM_THRESHOLD, 2**31 - 1),
        (_M_TOP_PAD, _TOP_PAD_BYTES),
    ):
        libc.mallopt(option, value)
    return True


def give_back() -> None:
    """Return kept but unused pages to the system, as after a long run; costs a few milliseconds."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def unused_bytes() -> int:
    """Bytes of resident memory that this process keeps and does not use, at the most; 0 where the system does not tell.

    Example:
        >>> unused_bytes() >= 0
        True
    """
    libc = _glibc()
    if libc is None or not hasattr(libc, "mallinfo2"):
        return 0
    libc.mallinfo2.restype = _Mallinfo2
    held = next((line for line in _STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("RssAnon")), "RssAnon: 0 kB")
    return max(0, int(held.split()[1]) * 1024 - int(libc.mallinfo2().uordblks))


def give_back_regularly(most: int = _MOST_UNUSED, seconds: float = _SECONDS) -> threading.Thread:
    """From now on, in a thread of its own, return kept pages whenever too many of them lie unused.

    What several visitors draw at once leaves pages behind that one drawing alone never needs again.

    Args:
        most: Bytes that may lie unused; more than one drawing of a full picture takes.
        seconds: Between looks.
    """

    def look() -> None:
        while True:
            time.sleep(seconds)
            if unused_bytes() > most:
                give_back()

    thread = threading.Thread(target=look, name="pages", daemon=True)
    thread.start()
    return thread
