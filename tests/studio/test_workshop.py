import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image as Pil

from engines import Bank, Direction, Inversion, Latent
from engines.contract import Table
from engines.core.errors import SpaceError, StudioError
from engines.core.seeds import z_codes
from engines.edit.codes import write_codes
from engines.edit.imported import FORMS, write_directions
from engines.edit.interfacegan import Boundary
from engines.spaces.directions import apply_directions
from engines.spaces.statistics import statistics
from studio.media.animation import Sheet, between, fill, phases, shoot, sweep
from studio.media.video import Film, mp4_recipe
from studio.services.direction_library import Library
from studio.services.edit_recipe import read_recipe
from studio.services.editor import Editor
from studio.services.user_directions import (
    MOST,
    PAGE,
    RANDOM,
    SURE_NO,
    SURE_YES,
    UNCERTAIN,
    answers_of,
    as_labels,
    by_threshold,
    contact,
    drafts_of,
    next_faces,
    plain,
    room_for,
)
from studio.serving.lines import Lines
from studio.state.edits import Edits, Face, Turn
from studio.state.session import Session
from studio.state.visitor import JobSlot, Visitor
from studio.tabs.edit import animation_handlers, evaluation_cell, files, workshop_cell
from studio.tabs.edit.bring import shelve
from studio.tabs.edit.context import EditContext
from studio.tabs.edit.labelling_cell import Teacher
from studio.ui.inputs import content
from studio.ui.plots import csv_bytes, heat_table
from studio.ui.run_control import Stopper
from studio.ui.shelf_strip import strip

WHO = SimpleNamespace(session_hash="workshop")


@pytest.fixture
def context(session: Session) -> Iterator[EditContext]:
    session.visitors.end(WHO)
    library = Library(session)
    with gr.Blocks():
        opened, *states = [gr.State(None) for _ in range(6)]
        yield EditContext(session, strip(session), opened, library, Editor(session, library), *states, *[lambda event: None] * 2)


@pytest.fixture
def visitor(session: Session, context: EditContext) -> Visitor:
    return context.visitor(WHO)


@pytest.fixture
def bank(context: EditContext) -> Bank:
    return context.library.bank


def direction(bank: Bank, name: str = "mine", seed: int = 1) -> Direction:
    vector = torch.randn(bank.w.shape[1], generator=torch.Generator().manual_seed(seed))
    return Direction(name, "w", vector / vector.norm(), (0, 1, 2), 1.0, "test")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("curly hair", "curly hair"),
        ("<img src=x onerror=alert(1)>", "img src x onerror alert(1)"),
        ("  ../../etc/passwd\n", ".. .. etc passwd"),
        ("Ünïcode 顔", "Ünïcode 顔"),
        ("x" * 500, "x" * 40),
    ],
)
def test_names_are_short_and_hold_no_markup(typed: str, kept: str) -> None:
    assert plain(typed) == kept


@pytest.mark.parametrize("typed", ["", None, "<>/\\\x00"])
def test_a_name_of_nothing_is_a_sentence(typed: str | None) -> None:
    assert plain(typed, "other") == "other"
    with pytest.raises(StudioError, match="name"):
        plain(typed)


def test_a_threshold_labels_the_furthest_of_each_side() -> None:
    labels = by_threshold(torch.arange(5000.0), 1000)
    assert (labels > 0).sum() == 800 and (labels < 0).sum() == 800
    assert labels[-1] == 1 and labels[0] == -1 and labels[1001] == 0


@pytest.mark.parametrize(
    "value", [{"answers": {"400": 1}}, {"answers": {"-1": 1}}, {"answers": {"1": 7}}, {"answers": [1]}, {"answers": {"a": 1}}]
)
def test_answers_that_the_page_does_not_send_are_refused(value: object) -> None:
    with pytest.raises(StudioError):
        answers_of(value, 400)


def test_answers_become_labels() -> None:
    assert answers_of(None, 9) == {} and answers_of({"answers": {"3": 1, "4": -1}}, 9) == {3: 1, 4: -1}
    assert as_labels({3: 1, 4: -1}, 6).tolist() == [0, 0, 0, 1, -1, 0]


def test_faces_to_ask_about_are_new_and_in_order(bank: Bank) -> None:
    guess = Boundary(direction(bank), 0.0)
    distances = guess.distance(bank.w, bank.w.mean(dim=0))
    asked = list(range(100))
    for order, key in ((UNCERTAIN, distances.abs()), (SURE_YES, -distances), (SURE_NO, distances)):
        numbers = next_faces(bank, asked, order, guess, 0)
        assert len(numbers) == PAGE and min(numbers) >= 100
        assert numbers[0] == 100 + int(key[100:].argmin())
    assert next_faces(bank, asked, RANDOM, None, 1) != next_faces(bank, asked, RANDOM, None, 2)
    with pytest.raises(StudioError, match="after a first fit"):
        next_faces(bank, asked, UNCERTAIN, None, 0)


def test_thumbnails_come_as_one_picture(session: Session) -> None:
    assert contact(session.generator, [0, 1, 2], 2).startswith("data:image/webp;base64,")


def test_own_directions_are_limited(bank: Bank, visitor: Visitor) -> None:
    room_for(visitor)
    visitor.directions.update({str(index): direction(bank) for index in range(MOST)})
    with pytest.raises(StudioError, match="Delete some"):
        room_for(visitor)


def test_answers_fit_a_direction_that_can_be_used_at_once(context: EditContext, bank: Bank, visitor: Visitor) -> None:
    teacher = Teacher(context)
    fitting = SimpleNamespace(buttons=SimpleNamespace(status="status"), row="row")
    labels = by_threshold(bank.score("brightness"), float(bank.score("brightness").median()))
    runs: Any = Stopper(fitting.buttons, lambda _: JobSlot(), Lines(each=4, most=20))
    *_, last = runs.going(WHO, teacher.fit(fitting, JobSlot(), visitor, "bright", labels, "w", []))
    key = last[context.added]
    assert "held out" in last["status"] and visitor.directions[key].name == "bright"
    moved = context.editor.draw(visitor, Face(), Edits((Turn(key, 3.0),)), 32)
    assert moved.tobytes() != context.editor.draw(visitor, Face(), Edits(), 32).tobytes()
    shown, turn = teacher.more({"answers": {"5": 1}}, UNCERTAIN, 0, WHO)
    assert 5 not in shown["faces"] and shown["answers"] == {"5": 1} and turn == 1
    with pytest.raises(SpaceError, match="Mark a few more"):
        list(teacher.fit(fitting, JobSlot(), visitor, "few", as_labels({1: 1, 2: -1}, len(bank)), "w", []))


def test_a_stopped_fit_learns_nothing(context: EditContext, bank: Bank, visitor: Visitor) -> None:
    teacher, slot, said = Teacher(context), JobSlot(), []
    fitting = SimpleNamespace(buttons=SimpleNamespace(status="status"), row="row")
    labels = by_threshold(bank.score("brightness"), float(bank.score("brightness").median()))
    for changes in teacher.fit(fitting, slot, visitor, "bright", labels, "w", []):
        slot.stopping = True
        said.append(changes["status"])
    assert said == ["Fitting …", "Stopped."] and not visitor.directions


def test_a_file_is_read_and_a_large_one_refused(context: EditContext, tmp_path) -> None:
    path = tmp_path / "<b>published.npy"
    np.save(path, np.eye(3, context.session.generator.width, dtype=np.float32))
    assert [one.name for one in files.read_file(context, str(path))] == ["b published 1", "b published 2", "b published 3"]
    with pytest.raises(StudioError, match="at most 0"):
        content(str(path), 0)


PARTS: Any = files.FileParts("which", "take", "space", "status")


def importer(context: EditContext, visitor: Visitor, *found: Direction) -> files.Importer:
    drafts_of(visitor).pending = found
    return files.Importer(context, PARTS)


def test_an_import_never_contradicts_itself(context: EditContext, bank: Bank, visitor: Visitor) -> None:
    """What it says of the slider is what becomes of it, whether the direction is new, was there, or has a slider."""
    curly, wavy = direction(bank, "curly hair", 1), direction(bank, "wavy hair", 2)
    read = importer(context, visitor, curly, wavy)
    key, _, words = read.add([0], "W", (), WHO)
    assert words == "1 taken; curly hair has a slider now. All are among yours." and key in visitor.directions
    visitor.directions[key] = replace(visitor.directions[key], name="my curls")
    again, last, words = read.add([0], "W", (key,), WHO)
    assert again is None and last == key and words.startswith("That one is among yours already; my curls has its slider already.")
    bare, _, words = read.add([0], "W", ("other",), WHO)
    assert bare == key and words.startswith("That one is among yours already; my curls has a slider now.")
    both, _, words = read.add([0, 1], "W", (key,), WHO)
    assert both not in (None, key) and words.startswith("1 taken, 1 were among yours already; wavy hair has a slider now.")
    full = tuple(str(index) for index in range(8))
    *_, words = importer(context, visitor, direction(bank, "third", 3)).add([0], "W", full, WHO)
    assert "All 8 sliders are in use: remove one" in words and "has a slider now" not in words
    assert len(visitor.directions) == 3


def test_a_direction_of_w_may_be_taken_for_one_of_z(context: EditContext, bank: Bank, visitor: Visitor) -> None:
    read = importer(context, visitor, direction(bank, "age", 1))
    of_w, of_z = (read.add([0], space, (), WHO)[0] for space in ("W", "Z"))
    assert (visitor.directions[of_w].space, visitor.directions[of_z].space, visitor.directions[of_z].sigma) == ("w", "z", 1.0)
    assert read.look(of_z, "words", WHO) == "words"


def test_a_direction_that_hardly_moves_a_face_is_told_of(
    context: EditContext, bank: Bank, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = importer(context, visitor, direction(bank, "age", 1))
    _, key, words = read.add([0], "W", (), WHO)
    for weak in (True, False):
        monkeypatch.setattr(files, "is_weak", lambda *_, answer=weak: answer)
        assert ("another generator, or to Z" in read.look(key, words, WHO)) == weak


def test_a_code_brought_as_a_file_of_directions_goes_on_the_shelf(context: EditContext, visitor: Visitor, tmp_path: Path) -> None:
    generator = context.session.generator
    saved = Inversion(Latent("w", statistics(generator).bank[:1]), {}, {"noise/conv_4": torch.ones(1, 1, 4, 4)})
    path = tmp_path / "my <b>face.safetensors"
    path.write_bytes(write_codes(saved))
    visitor.shelf.clear()
    answer = files.Importer(context, PARTS).read(str(path), WHO)
    words, chosen = answer["status"], answer[context.strip.chosen]
    (item,) = visitor.shelf.values()
    assert item.key == chosen and item.title == "my b face" and "on the shelf as “my b face”" in words
    assert torch.equal(item.inversion.latent.codes, saved.latent.codes)
    assert torch.equal(item.inversion.features["noise/conv_4"], torch.ones(1, 1, 4, 4))
    path.write_bytes(write_directions([Direction("a", "w", torch.eye(generator.width)[0], (0, 1), 1.0, "x")], "safetensors", generator))
    with pytest.raises(StudioError, match="holds directions, not a face's code"):
        shelve(context.session, visitor, *content(str(path)))


def test_own_directions_are_renamed_rated_cleaned_and_deleted(context: EditContext, bank: Bank, visitor: Visitor) -> None:
    manager = workshop_cell.Manager(context)
    one, two = (context.library.add(direction(bank, name, seed), visitor) for seed, name in enumerate(("one", "two")))
    assert manager.rename(one, "<i>uno</i>", 0, WHO) == 1
    manager.rate(one, 4, WHO)
    table, menu, name, _, file, words = manager.show(one, "safetensors", True, WHO)
    assert "<i>" not in table and "★★★★" in table and name == "i uno i" and file.interactive and not words
    assert menu.choices[0] == ("i uno i ★★★★", one)
    cleaned = visitor.directions[manager.clean(one, [two], WHO)]
    assert abs(float(cleaned.vector @ visitor.directions[two].vector)) < 1e-5
    with pytest.raises(gr.Error, match="Remove the slider"):
        manager.delete(one, Edits((Turn(one),)), 1, WHO)
    assert manager.delete(one, Edits(), 1, WHO) == 2
    assert one not in visitor.directions
    for call in (lambda: manager.rename(one, "x", 2, WHO), lambda: manager.rate(two, 9, WHO), lambda: manager.clean(two, [], WHO)):
        with pytest.raises(gr.Error):
            call()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_offered_or_explained(form: str, context: EditContext, bank: Bank, visitor: Visitor) -> None:
    manager = workshop_cell.Manager(context)
    key = context.library.add(direction(bank), visitor)
    assert manager.show(key, form, False, WHO)[4].interactive
    styles = context.library.directions(f"stylespace/{bank.names[0]}", visitor)
    key = context.library.add(next(iter(styles.values())), visitor)
    *_, file, words = manager.show(key, form, False, WHO)
    assert file.interactive == (form == "safetensors") and bool(words) == (form != "safetensors")


def test_a_loop_ends_where_it_began_and_a_way_at_its_end() -> None:
    loop, way = phases(60, True), phases(60, False)
    assert len(loop) == len(way) == 60 and loop[0] == 0 and loop[30] == 1 and loop[1] == pytest.approx(loop[59])
    assert way[0] == 0 and way[-1] == 1
    assert [way[1], way[30]] == pytest.approx([1 / 59, 30 / 59])
    assert [loop[place] for place in (10, 15, 20, 45)] == pytest.approx([0.25, 0.5, 0.75, 0.5])  # (1 - cos) / 2


def test_ways_go_from_end_to_end(session: Session, bank: Bank) -> None:
    generator = session.generator
    a, b = (Inversion(Latent("z", z_codes(1, generator.width, seed))) for seed in (1, 2))
    one = direction(bank)
    way = sweep(generator, a, [], one, 2.0, 0.7)
    for t, strength in ((0, -2.0), (0.25, -1.0), (0.5, 0.0), (1, 2.0)):
        assert torch.equal(way(t).latent.codes, apply_directions(a, [(one, strength)], generator, truncation=0.7).latent.codes)
    for spherical in (True, False):
        road = between(generator, a, b, [(one, 1.0)], spherical, 0.7)
        for t, end in ((0, a), (1, b)):
            assert torch.allclose(
                road(t).latent.codes, apply_directions(end, [(one, 1.0)], generator, truncation=0.7).latent.codes, atol=1e-5
            )
    mean = statistics(generator).mean
    shelved = Inversion(Latent("w", mean + 1), {}, {"noise/conv_4": torch.ones(1, 1, 4, 4)})
    middle = between(generator, a, shelved, [], True, 0.7)(0.5)
    assert torch.allclose(middle.features["noise/conv_4"], (generator.noise()["conv_4"] + 1) / 2)
    styles = Inversion(generator.styles(mean))
    with pytest.raises(StudioError, match="styles"):
        between(generator, a, styles, [], False, 0.7)


def test_a_film_and_a_grid_are_drawn_frame_by_frame(session: Session, bank: Bank) -> None:
    generator = session.generator
    code, one = Inversion(Latent("z", z_codes(1, generator.width, 3))), direction(bank)
    film = Film(12, 32)
    steps = [progress.step for progress in shoot(generator, sweep(generator, code, [], one, 3.0, 0.7), phases(8, True), 64, film)]
    assert steps == list(range(1, 9)) and film.count == 8
    sheet = Sheet("across", "a name that is far too long for its edge", [-1, 0, 1], [-4, 0, 4], 64)
    blank = sheet.picture.copy()
    codes = ((apply_directions(code, [(one, x + y)], generator, truncation=0.7) for x in (-1, 0, 1)) for y in (-1, 0, 1))
    assert len(list(fill(generator, codes, sheet))) == 9
    assert sheet.picture.size == blank.size and sheet.picture.tobytes() != blank.tobytes()


def test_the_cells_answer_in_sentences(context: EditContext, visitor: Visitor) -> None:
    measurer = evaluation_cell.Measurer(context)
    with pytest.raises(StudioError, match="slider"):
        measurer.directions(visitor, Edits(), evaluation_cell.ACTIVE, None)
    with pytest.raises(StudioError, match="of your own"):
        measurer.directions(visitor, Edits(), evaluation_cell.METHOD, "mine")
    with pytest.raises(StudioError, match="not zero"):
        measurer.checked(4, 0.0)
    key = "interfacegan/brightness"
    assert measurer.directions(visitor, Edits((Turn(key),)), evaluation_cell.ACTIVE, None)[0].name == context.title(key, visitor)
    parts: Any = SimpleNamespace(buttons=None)
    answers = animation_handlers.AnimationHandlers(context, parts, parts)
    with pytest.raises(StudioError, match="Choose the direction"):
        answers.swept(visitor, Face(), Edits(), None, 3.0)
    with pytest.raises(StudioError, match="shelf"):
        answers.crossed(visitor, Face(), Face("Shelf"), Edits(), True)


def test_a_stopped_film_keeps_what_is_drawn(context: EditContext) -> None:
    with gr.Blocks():
        status, preview, video, mp4, gif = (gr.State() for _ in range(5))
    film: Any = animation_handlers.FilmParts([], SimpleNamespace(status=status), preview, video, mp4, gif)  # type: ignore[arg-type]
    answers = animation_handlers.AnimationHandlers(context, film, SimpleNamespace(buttons=None))  # type: ignore[arg-type]
    asked = (Face(), Edits(), animation_handlers.MORPH, None, 3.0, "Seed", 7, None, animation_handlers.STRAIGHT, True, 40, "64", 24)
    for changes in answers.record(WHO, *asked):
        if "Frame" in changes.get(status, ""):
            assert answers.filming.stop(WHO)
    assert "Stopped; the video has " in changes[status] and mp4 in changes
    frames = int(changes[status].split("has ")[1].split(" ")[0])
    assert 0 < frames < 40
    assert not answers.filming.stop(WHO)


def test_a_sweeps_video_carries_face_and_sliders_of_its_last_frame(context: EditContext, visitor: Visitor) -> None:
    with gr.Blocks():
        status, preview, video, mp4, gif = (gr.State() for _ in range(5))
    film: Any = animation_handlers.FilmParts([], SimpleNamespace(status=status), preview, video, mp4, gif)  # type: ignore[arg-type]
    answers = animation_handlers.AnimationHandlers(context, film, SimpleNamespace(buttons=None))  # type: ignore[arg-type]
    other, swept = context.editor.library.keys("interfacegan", visitor)[:2]
    face, edits = Face("Seed", 7, 0.5), Edits((Turn(other, 1.5), Turn(swept, -0.5)))
    asked = (face, edits, animation_handlers.SWEEP, swept, 2.0, "Seed", 7, None, animation_handlers.STRAIGHT, True, 3, "64", 24)
    *_, changes = answers.record(WHO, *asked)
    told = read_recipe(mp4_recipe(Path(changes[mp4].value["path"]).read_bytes()), context.editor, visitor)
    assert (told.face.seed, told.face.truncation) == (7, 0.5)
    assert {turn.key: turn.strength for turn in told.edits.turns} == {other: 1.5, swept: 2.0}


def test_the_heat_table_escapes_and_its_csv_holds_no_formula() -> None:
    table = Table(("direction", "yaw", "identity_distance"), (("<b>=1+1", 1.5, 0.2), ("=cmd()", float("nan"), 0.3)))
    drawn = heat_table(table, {"yaw": "Turn & tilt"}, 2.5, "identity_distance")
    assert "<b>" not in drawn and "Turn &amp; tilt" in drawn and "+1.50" in drawn and "0.20" in drawn
    rows = list(csv.reader(io.StringIO(csv_bytes(table).decode())))
    assert rows[0] == list(table.columns) and rows[2][0] == "'=cmd()"


def test_a_sheet_resizes_what_does_not_fit() -> None:
    sheet = Sheet("a", "b", [-1, 0, 1], [-1, 0, 1], 16)
    sheet.place(2, 2, Pil.new("RGB", (64, 64), "red"))
    assert sheet.picture.getpixel((sheet.picture.width - 1, sheet.picture.height - 1)) == (255, 0, 0)
