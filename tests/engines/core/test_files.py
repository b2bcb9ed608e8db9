"""Only regular files of a bounded size are read; all else gets one sentence."""

import os
from pathlib import Path

import pytest

from engines.core.errors import ImageError
from engines.core.files import NO_FILE, read_file


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    real = tmp_path / "real.jpg"
    real.write_bytes(b"12345")
    (tmp_path / "link").symlink_to(real)
    os.mkfifo(tmp_path / "pipe")
    return {
        "missing": tmp_path / "nowhere",
        "folder": tmp_path,
        "link": tmp_path / "link",
        "pipe": tmp_path / "pipe",
        "device": Path("/dev/zero"),
        "below a file": real / "x",
        "a name with a zero": Path("a\0b"),
        "too long a name": tmp_path / ("x" * 5000),
    }


@pytest.mark.skipif(os.name == "nt", reason="no pipes and devices among files there")
@pytest.mark.parametrize("kind", ["missing", "folder", "link", "pipe", "device", "below a file", "a name with a zero", "too long a name"])
def test_what_is_no_regular_file_gets_the_same_sentence_at_once(places: dict[str, Path], kind: str) -> None:
    with pytest.raises(ImageError) as caught:
        read_file(places[kind], 1)
    assert str(caught.value) == NO_FILE


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_forbidden_file_gets_the_same_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_bytes(b"1")
    path.chmod(0)
    with pytest.raises(ImageError, match=f"^{NO_FILE}$"):
        read_file(path, 1)


def test_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(2**20))
    assert len(read_file(path, 1)) == 2**20
    path.write_bytes(bytes(2**20 + 1))
    with pytest.raises(ImageError, match="at most 1 MB"):
        read_file(path, 1)
