"""Visits outlive a restart for the browser that made them, and for nobody else."""

import logging
import os
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image as Pil

from engines import Inversion, Latent, create
from engines.core.weights import assets
from engines.faces import alignment_from_box
from studio.services import autosave as autosaving
from studio.services import session_file
from studio.services.autosave import Autosave, autosave_of
from studio.services.photo_pipeline import box_of, forget, inverting, place, use
from studio.settings import Settings
from studio.state.results import Kept
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


def inverted(session: Session, visitor: Visitor, folder: Path) -> Kept:
    """A photo with its box moved by hand, and what a method made of it."""
    photo = folder / "photo.jpg"
    photo.write_bytes((assets() / "examples" / "astronaut.jpg").read_bytes())
    place(session, visitor, str(photo))
    assert visitor.photo is not None
    use(session, visitor, alignment_from_box(visitor.photo.size, 0.45, 0.3, 0.4))
    engine = type(create("projector", session.generator))
    _, kept = list(inverting(session, visitor, engine, engine.knob_set.of({"steps": 2})))[-1]
    assert kept is not None
    visitor.results.inverted = kept
    return kept


def restarted(folder: Path, tab: str = "tab") -> Visitor:
    return arrived(started(folder), ANN, tab)


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


def test_the_photo_and_its_last_result_come_back_as_they_were(tmp_path: Path) -> None:
    before = started(tmp_path / "visits")
    visitor = arrived(before, ANN, "tab")
    kept = inverted(before[0], visitor, tmp_path)
    before[1].save()
    again = restarted(tmp_path / "visits")
    assert again.photo is not None and visitor.photo is not None and again.photo.tobytes() == visitor.photo.tobytes()
    assert (again.upload, box_of(again)) == (visitor.upload, box_of(visitor))
    assert torch.equal(again.target, visitor.target)
    back = again.results.inverted
    assert back is not None and (back.method, back.seconds) == (kept.method, kept.seconds)
    assert back.result.metrics == kept.result.metrics and back.alignment == kept.alignment
    assert torch.equal(back.target, kept.target) and back.photo.size == kept.photo.size
    assert torch.equal(back.result.inversions[0].latent.codes, kept.result.inversions[0].latent.codes.cpu())
    assert back.images.shape == kept.target.shape
    assert Path(again.path).read_bytes() == (tmp_path / "photo.jpg").read_bytes() and again.path != visitor.path


def test_a_photo_that_was_taken_away_does_not_come_back_and_its_result_does(tmp_path: Path) -> None:
    before = started(tmp_path / "visits")
    visitor = arrived(before, ANN, "tab")
    inverted(before[0], visitor, tmp_path)
    before[1].save()
    forget(visitor)
    before[1].save()
    again = restarted(tmp_path / "visits")
    assert again.photo is None and again.target is None and again.results.inverted is not None


@pytest.mark.parametrize("member", ["photo/upload", "result/target.png", "result/photo.jpg"])
def test_a_photo_that_cannot_be_read_leaves_the_shelf(tmp_path: Path, member: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = started(tmp_path / "visits")
    visitor = arrived(before, ANN, "tab")
    inverted(before[0], visitor, tmp_path)
    key = put(visitor, 0.1)
    written = session_file.write_photo
    monkeypatch.setattr(session_file, "write_photo", lambda visitor: _without(written(visitor), member))
    before[1].save()
    again = restarted(tmp_path / "visits")
    assert list(again.shelf) == [key] and again.photo is None and again.results.inverted is None


def _without(written: tuple[dict[str, Any], dict[str, bytes]], member: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    return written[0], written[1] | {member: b"damaged"}


def test_a_run_under_way_is_written_from_time_to_time_only(tmp_path: Path) -> None:
    before = started(tmp_path / "visits")
    visitor = arrived(before, ANN, "tab")
    kept = inverted(before[0], visitor, tmp_path)
    visitor.take(object())
    states = []
    for seconds in (1.0, 2.0, 29.0, 31.0):
        visitor.results.inverted = replace(kept, seconds=seconds)
        before[1].save()
        states.append(restarted(tmp_path / "visits").results.inverted)
    assert [state and state.seconds for state in states] == [1.0, 1.0, 1.0, 31.0]


@pytest.mark.parametrize("length", [0, 10, 0.5, -1])
def test_a_half_written_file_is_laid_aside_and_the_one_before_it_opened(tmp_path: Path, length: float) -> None:
    before = started(tmp_path)
    keys = []
    for number, name in enumerate(("old", "new")):
        keys.append(put(arrived(before, ANN, name), float(number)))
        before[1].save()
        for path in tmp_path.glob("*.zip"):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
    half = max(tmp_path.glob("*.zip"), key=lambda path: path.stat().st_mtime)
    whole = half.read_bytes()
    half.write_bytes(whole[: int(len(whole) * length) if 0 < length < 1 else int(length)])
    half.with_name(half.name + ".part").write_bytes(whole[:100])  # a write that was killed
    assert list(restarted(tmp_path, "new").shelf) == [keys[0]]
    assert half.with_name(half.name + ".unread").is_file()
    after = started(tmp_path)
    put(arrived(after, ANN, "new"), 0.5)
    after[1].save()
    assert len(restarted(tmp_path, "new").shelf) == 2


def test_another_generators_visit_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = started(tmp_path)
    key = put(arrived(before, ANN, "tab"), 0.1)
    before[1].save()
    other = started(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(other[0].generator, "name", "other")
        visitor = arrived(other, ANN, "tab")
        assert list(visitor.shelf) == []
        put(visitor, 0.2)
        other[1].save()
    assert list(restarted(tmp_path).shelf) == [key]


def test_a_write_that_fails_leaves_what_was_there_and_is_noted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = started(tmp_path)
    visitor = arrived(before, ANN, "tab")
    key = put(visitor, 0.1)
    before[1].save()
    put(visitor, 0.2)

    def full(_: int) -> None:
        raise OSError(28, "no space left")

    with caplog.at_level(logging.ERROR), monkeypatch.context() as patched:
        patched.setattr(autosaving.os, "fsync", full)
        before[1].save()
        before[1].save()
    assert len(caplog.records) == 1 and not list(tmp_path.glob("*.part"))
    assert list(restarted(tmp_path).shelf) == [key]
    before[1].save()
    assert len(restarted(tmp_path).shelf) == 2


def test_watching_goes_on_after_a_fault_and_rests_after_long_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = []
    _, autosave = started(tmp_path)

    def save() -> None:
        time.sleep(0.05)
        raise ValueError

    class Noted:
        def __init__(self, seconds: float, *_: Any) -> None:
            waits.append(seconds)

        def start(self) -> None: ...

    monkeypatch.setattr(autosave, "save", save)
    monkeypatch.setattr(autosaving, "Timer", Noted)
    for seconds in (0.0, 9.0):
        with pytest.raises(ValueError):
            autosave.watch(seconds)
    assert 0.2 <= waits[0] < 5 and waits[1] == 9.0
