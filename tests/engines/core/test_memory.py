import platform
import subprocess
import sys

import pytest
import torch

from engines.core.memory import give_back, keep_pages


def test_pages_are_kept_once_and_asking_again_changes_nothing() -> None:
    kept = keep_pages()
    assert keep_pages() is kept
    assert kept == (platform.system() == "Linux" and platform.libc_ver()[0] == "glibc")


def test_memory_still_works_after_giving_pages_back() -> None:
    keep_pages()
    del_me = torch.ones(2**22)
    assert float(del_me.sum()) == 2**22
    del del_me
    give_back()
    assert float(torch.ones(2**22).sum()) == 2**22


_IN_A_PROCESS = """
import time, torch
from engines.core.memory import give_back_regularly, keep_pages, unused_bytes
keep_pages()
before = unused_bytes()
large, after = torch.ones(2**26), torch.ones(2**20)  # 256 MB, and a little behind them, so that they lie in the middle
assert unused_bytes() < before + 2**27
del large
assert unused_bytes() > before + 2**27, "the pages were not kept"
give_back_regularly(before + 2**27, 0.05)
end = time.monotonic() + 20
while unused_bytes() > before + 2**26 and time.monotonic() < end:
    time.sleep(0.05)
assert unused_bytes() < before + 2**26, "the pages were not given back"
"""


@pytest.mark.skipif(platform.system() != "Linux" or platform.libc_ver()[0] != "glibc", reason="only glibc keeps pages")
def test_too_many_unused_pages_are_given_back_by_themselves() -> None:
    subprocess.run([sys.executable, "-c", _IN_A_PROCESS], check=True, timeout=120)
