"""Visits outlive a restart for the browser that made them, and for nobody else."""

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image as Pil

from engines import Inversion, Latent
from studio.services.autosave import Autosave, autosave_of
from studio.settings import Settings
from studio.state.session import Session
from studio.state.visitor import Visitor

ANN, BEN = "a" * 32, "b" * 32


def asked(cookie: str, session: str) -> Any:
    return SimpleNamespace(cookies={"studio_visitor": cookie} if cookie else {}, session_hash=session)


def started(folder: Path, **settings: Any) -> tuple[Session, Autosave]:
    """A studio just started."""
    session = Session(Settings(generator="toy", history=folder, **settings))
    autosave = autosave_of(session)
    assert autosave is not None
    return session, autosave


def arrived(started: tuple[Session, Autosave], cookie: str, tab: str) -> Visitor:
    """A browser's tab that opens the page."""
    session, autosave = started
    request = asked(cookie, f"{tab} {time.monotonic_ns()}")
    visitor = session.visitors.arrive(request, tab)
    autosave.restore(visitor, request, tab)
    return visitor


def put(visitor: Visitor, level: float) -> str:
    return visitor.put("A face", Pil.new("RGB", (64, 64)), Inversion(Latent("w", torch.full((1, 32), level)))).key


def test_a_browser_finds_again_what_it_made_before_a_restart(tmp_path: Path) -> None:
    before = started(tmp_path / "visits")
    visitor = arrived(before, ANN, "tab")
    key = put(visitor, 0.1)
    before[1].save()
    after = started(tmp_path / "visits")
    assert list(arrived(after, BEN, "tab").shelf) == []
    assert list(arrived(after, "", "tab").shelf) == []
    assert list(arrived(after, ANN, "tab").shelf) == [key]


def test_a_new_tab_finds_the_newest_visit_that_no_open_tab_has(tmp_path: Path) -> None:
    before = started(tmp_path)
    for number, name in enumerate(("old", "new")):
        put(arrived(before, ANN, name), float(number))
        before[1].save()
        for path in tmp_path.glob("*.zip"):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
    after = started(tmp_path)
    newest, other, none = (arrived(after, ANN, name) for name in ("closed and opened", "another", "a third"))
    assert [len(visitor.shelf) for visitor in (newest, other)] == [1, 1] and list(newest.shelf) != list(other.shelf)
    assert float(next(iter(newest.shelf.values())).inversion.latent.codes[0, 0]) == 1.0
    assert none is not newest


def test_what_did_not_change_is_not_written_again_and_what_is_damaged_is_left(tmp_path: Path) -> None:
    before = started(tmp_path)
    put(arrived(before, ANN, "tab"), 0.1)
    before[1].save()
    path = next(tmp_path.glob("*.zip"))
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(b"damaged")
    before[1].save()
    assert path.read_bytes() == b"damaged"
    assert list(arrived(started(tmp_path), ANN, "tab").shelf) == []


def test_nothing_is_kept_of_who_has_nothing_and_old_visits_go(tmp_path: Path) -> None:
    before = started(tmp_path)
    arrived(before, BEN, "tab")
    before[1].save()
    assert list(tmp_path.iterdir()) == []
    old = tmp_path / f"{'0' * 24}-{'1' * 24}.zip"
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    strange = tmp_path / "holiday.zip"
    strange.write_bytes(b"")
    os.utime(strange, (0, 0))
    put(arrived(before, ANN, "tab"), 0.1)
    before[1].save()
    assert not old.exists() and strange.exists()


@pytest.mark.parametrize("settings", [{"history": None}, {"share": True}, {"host": "0.0.0.0"}])
def test_a_public_page_and_one_without_history_save_nothing(tmp_path: Path, settings: dict[str, Any]) -> None:
    assert autosave_of(Session(Settings(generator="toy", **({"history": tmp_path} | settings)))) is None
