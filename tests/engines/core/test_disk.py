import errno
import os
from pathlib import Path

import pytest

from engines.core import disk
from engines.core.disk import check_file, check_folder, sentence, write
from engines.core.errors import OutputError


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EACCES, errno.ENOSPC, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG])
def test_an_error_that_a_person_can_answer_has_a_sentence_that_names_the_place(code: int) -> None:
    told = sentence(OSError(code, os.strerror(code), "some/photo.jpg"))
    assert told and "some/photo.jpg" in told and told.endswith(".")
    assert "\n" not in (sentence(OSError(code, "", "a\nb\x1b[2J")) or "")


def test_other_errors_have_none() -> None:
    assert sentence(OSError(errno.ECONNRESET, "reset")) is None and sentence(OSError("no number")) is None


def test_a_file_that_can_be_written_passes_and_nothing_is_left(tmp_path: Path) -> None:
    check_file(tmp_path / "out.png", "--out")
    check_folder(tmp_path / "a" / "b")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]


def test_places_that_cannot_be_written_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for path, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "none" / "x", "there is no folder"),
        (tmp_path / "file" / "x", "there is no folder"),
    ):
        with pytest.raises(OutputError, match=words):
            check_file(path, "--out")
    with pytest.raises(OutputError, match="where a folder was wanted"):
        check_folder(tmp_path / "file")
    for code, words in (
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "only be read"),
        (errno.EACCES, "no right"),
        (errno.EIO, "cannot be written"),
    ):
        monkeypatch.setattr(disk, "_try_writing", lambda _, code=code: (_ for _ in ()).throw(OSError(code, os.strerror(code))))
        for check in (lambda: check_folder(tmp_path), lambda: check_file(tmp_path / "x", "--out")):
            with pytest.raises(OutputError, match=words):
                check()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError) as full:
        write(Path("/dev/full"), b"x" * 10)
    assert "disk is full" in (sentence(full.value) or str(full.value))


def test_a_file_is_written_whole_through_a_link_too(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link", b"new")
    assert (tmp_path / "real").read_bytes() == b"new" and (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]
