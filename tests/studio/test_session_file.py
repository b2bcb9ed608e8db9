"""A session in a file: it comes back whole, and of a stranger's file nothing is taken that is not in order."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pil

from engines import Direction, Inversion, Latent
from engines.core.errors import StudioError
from engines.edit.codes import write_codes
from studio.services.direction_library import Library
from studio.services.editor import Editor
from studio.services.mixer import Mixer
from studio.services.session_file import open_session, write_session
from studio.settings import Settings
from studio.state.edits import Edits, Face, Turn
from studio.state.lab_book import Made
from studio.state.mix import CANVAS, Mix
from studio.state.session import Session
from studio.state.visitor import Visitor
from tests.studio.test_lab_book import DRAWN

MOST = 50 * 2**20


@pytest.fixture(scope="module")
def editor() -> Editor:
    session = Session(Settings(generator="toy"))
    return Editor(session, Library(session))


def visit(editor: Editor) -> Visitor:
    """One who has something of everything."""
    visitor, generator = Visitor(64 * 2**20), editor.session.generator
    side, width = generator.resolution, generator.width
    black, red = Pil.new("RGB", (side, side)), Pil.new("RGB", (side, side), "red")
    visitor.put("Plain", black, Inversion(Latent("w", torch.full((1, width), 0.5))), red)
    name, weight = next(iter(generator.tunable().items()))
    tuned = Inversion(Latent("w", torch.zeros(1, width)), tuning={name: torch.full_like(weight, 0.01)})
    visitor.weaken(visitor.put("Tuned", black, tuned).key, 0.5)
    unit = torch.ones(width) / width**0.5
    key = editor.library.add(Direction("mine", "w", unit, tuple(generator.slots.active), 1.0, "test"), visitor)
    visitor.edited = (Face("Seed", 5), Edits((Turn(key, 1.5),)))
    visitor.book.note(Made("Face", "Seed 3", "1 s", DRAWN, "face.png", {"face.png": b"x"}, face=write_codes(tuned)), black)
    mixer = Mixer(editor)
    keys = [mixer.keep(visitor, np.full((CANVAS, CANVAS), value, np.uint8)) for value in (90, 255)]
    mixer.keep(visitor, np.full((CANVAS, CANVAS), 7, np.uint8))
    below = Mix(reference=Face(seed=4), masks=(keys[1], ""), ready=("mouth",))
    mixer.move(visitor, Mix(Face("Shelf", None, 1.0, "key"), masks=("", keys[0]), strength=0.6, shift=(0.1, 0), below=(below,)))
    return visitor


def test_a_visit_comes_back_whole_and_is_not_doubled(editor: Editor) -> None:
    there, here = visit(editor), Visitor(64 * 2**20)
    data = write_session(editor, there, MOST).data
    for _ in range(2):
        said = open_session(data, editor, here, MOST)
        assert said == "Opened: 2 faces on the shelf, 1 directions, 1 entries of the lab book."
        assert list(here.shelf) == list(there.shelf)
        shown = [(item.title, item.strength, item.photo is not None) for item in here.shelf.values()]
        assert shown == [("Plain", 1.0, True), ("Tuned", 0.5, False)]
        assert list(here.directions) == list(there.directions) and here.edited == there.edited
        assert here.book.entries == there.book.entries and here.book.files == there.book.files
        assert here.mixed.mix == there.mixed.mix and here.mixed.history.past == (there.mixed.mix,)
        assert list(here.mixed.masks) == here.mixed.needed and len(here.mixed.masks) == 2
        assert all(np.array_equal(mask, there.mixed.masks[key]) for key, mask in here.mixed.masks.items())


def test_what_would_be_too_large_to_open_is_left_out_and_counted(editor: Editor) -> None:
    there, here = visit(editor), Visitor(64 * 2**20)
    written = write_session(editor, there, 2**19)
    assert written.lighter == 1
    open_session(written.data, editor, here, MOST)
    assert [item.tuning_bytes for item in here.shelf.values()] == [0, 0]


Members = dict[str, bytes]


def members(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Members, compression: int = zipfile.ZIP_STORED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def told(change: Callable[[dict[str, Any]], object]) -> Callable[[Members], Members]:
    """Another `session.json`."""

    def changed(files: Members) -> Members:
        text = json.loads(files["session.json"])
        change(text)
        return files | {"session.json": json.dumps(text).encode()}

    return changed


class Executed:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a pickle was executed",)


def png(width: int, height: int) -> bytes:
    written = io.BytesIO()
    Pil.new("RGB", (width, height)).save(written, "PNG")
    return written.getvalue()


CHANGES: dict[str, Callable[[Members], Members]] = {
    "another version": told(lambda text: text.update(session=2)),
    "no version": told(lambda text: text.pop("session")),
    "another generator": told(lambda text: text.update(generator="ffhq")),
    "no shelf": told(lambda text: text.update(shelf=None)),
    "a shelf of numbers": told(lambda text: text.update(shelf=[1])),
    "too many on the shelf": told(lambda text: text.update(shelf=text["shelf"] * 200)),
    "a path out": told(lambda text: text["shelf"][0].update(number="../../etc/passwd")),
    "a code that is not there": told(lambda text: text["shelf"][0].update(number=9)),
    "no title": told(lambda text: text["shelf"][0].update(title="")),
    "a long title": told(lambda text: text["shelf"][0].update(title="x" * 1000)),
    "a strength beyond": told(lambda text: text["shelf"][0].update(strength=7)),
    "a strength that is none": told(lambda text: text["shelf"][0].update(strength=float("nan"))),
    "evil lines": told(lambda text: text["book"][0].update(code="import os\nos.remove('x')")),
    "lines in the hash": told(lambda text: text["book"][0].update(digest='"); import os; ("')),
    "an entry's edit that is none": told(lambda text: text["book"][0].update(recipe="{")),
    "an entry's edit of a list": told(lambda text: text["book"][0].update(recipe='["turns", "keep"]')),
    "a path in the book": told(lambda text: text["book"][0].update(files=["../../face.png"])),
    "a file that is not there": told(lambda text: text["book"][0].update(files=["other.png"])),
    "endless words": told(lambda text: text["book"][0].update(words="x" * 10**6)),
    "a time that is none": told(lambda text: text["book"][0].update(at="now")),
    "an edit that is none": told(lambda text: text.update(edited="{")),
    "a mixture of words": told(lambda text: text.update(mix="all")),
    "half a mixture": told(lambda text: text["mix"].pop("edge")),
    "a mixture of more": told(lambda text: text["mix"].update(more=1)),
    "a face that is none": told(lambda text: text["mix"]["source"].update(kind="Path")),
    "a seed that is half": told(lambda text: text["mix"]["reference"].update(seed=0.5)),
    "a mask's path": told(lambda text: text["mix"].update(masks=["../shelf/1", ""])),
    "a mask that is not there": told(lambda text: text["mix"].update(masks=["abc", ""])),
    "an edge that is none": told(lambda text: text["mix"].update(edge=float("nan"))),
    "layers of another kind": told(lambda text: text["mix"].update(layers=["all"])),
    "a part of many": told(lambda text: text["mix"].update(below=text["mix"]["below"] * 7)),
    "a part in a part": told(lambda text: text["mix"]["below"][0].update(below=[text["mix"]["below"][0].copy()])),
    "a mask that is none": lambda files: files | {next(name for name in files if name.startswith("masks")): b"MZ"},
    "a mask that is huge": lambda files: files | {next(name for name in files if name.startswith("masks")): png(5000, 5000)},
    "no text at all": lambda files: {name: data for name, data in files.items() if name != "session.json"},
    "a text that is none": lambda files: files | {"session.json": b"\xff\xfe"},
    "nested text": lambda files: files | {"session.json": b"[" * 10**5},
    "a long text": lambda files: files | {"session.json": b" " * (5 * 2**20)},
    "a pickle for a code": lambda files: files | {"shelf/1.safetensors": pickle.dumps(Executed())},
    "a pickle for directions": lambda files: files | {"directions.safetensors": pickle.dumps(Executed())},
    "half a code": lambda files: files | {"shelf/1.safetensors": files["shelf/1.safetensors"][:40]},
    "a photo that is none": lambda files: files | {"shelf/1.png": b"MZ"},
    "a photo of another size": lambda files: files | {"shelf/1.png": png(9, 9)},
    "a thumbnail that is huge": lambda files: files | {"book/1.webp": png(5000, 5000)},
    "a bomb": lambda files: files | {"files/" + next(name for name in files if name.startswith("files/face"))[6:]: bytes(200 * 2**20)},
}


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_of_a_file_that_is_not_in_order_nothing_is_taken(editor: Editor, change: str) -> None:
    files = CHANGES[change](members(write_session(editor, visit(editor), MOST).data))
    data, visitor = packed(files, zipfile.ZIP_DEFLATED), Visitor(64 * 2**20)
    with pytest.raises(StudioError) as caught:
        open_session(data, editor, visitor, MOST)
    assert str(caught.value).endswith(".") and "/etc" not in str(caught.value)
    assert not visitor.shelf and not visitor.directions and not visitor.book.entries and visitor.edited is None
    assert visitor.mixed.mix is None and not visitor.mixed.masks


@pytest.mark.parametrize("data", [b"", b"PK", b"x" * 1000, pickle.dumps(Executed())])
def test_what_is_no_archive_is_told(editor: Editor, data: bytes) -> None:
    with pytest.raises(StudioError, match="no session"):
        open_session(data, editor, Visitor(0), MOST)


def test_half_a_file_is_told(editor: Editor) -> None:
    whole = write_session(editor, visit(editor), MOST).data
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        with pytest.raises(StudioError):
            open_session(whole[:length], editor, Visitor(64 * 2**20), MOST)
