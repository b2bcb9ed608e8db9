import platform

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
