"""Page reuse on Linux: most of a CPU forward at 1024 px is otherwise spent faulting fresh pages in.

glibc maps every large tensor anew and gives it back at once. Keeping the pages makes the forward pass of the
1024 px generator about three times faster (benchmarks/results/generator.json measures both). Elsewhere this does nothing.
"""

import ctypes
import platform
from functools import cache

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_TOP_PAD_BYTES = 256 * 2**20


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
