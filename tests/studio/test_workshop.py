import csv
import io
from collections.abc import Iterator
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
from engines.edit.imported import FORMS
from engines.edit.interfacegan import Boundary
from engines.spaces.directions import apply
from engines.spaces.statistics import statistics
from studio.editor import Editor
from studio.edits import Edits, Face, Turn
from studio.library import Library
from studio.movie import Sheet, between, fill, phases, shoot, sweep
from studio.own import (
    MOST,
    PAGE,
    RANDOM,
    SURE_NO,
    SURE_YES,
    UNCERTAIN,
    Drawers,
    answers_of,
    as_labels,
    by_threshold,
    contact,
    next_faces,
    plain,
    room_for,
)
from studio.pages.edit import measure, moving, workshop
from studio.pages.edit.context import EditContext
from studio.pages.edit.teach import Teacher
from studio.plots import csv_bytes, heat_table
from studio.running import Stopper
from studio.session import Session
from studio.shelf import Desk, Seat
from studio.strip import strip
from studio.video import Film

WHO = SimpleNamespace(session_hash="workshop")


@pytest.fixture
def context(session: Session) -> Iterator[EditContext]:
    session.visitors.leave(WHO.session_hash)
    library = Library(session)
    with gr.Blocks() as page:
        states = [gr.State(None) for _ in range(5)]
        yield EditContext(session, strip(session), page, library, Editor(session, library), *states, *[lambda event: None] * 2)


@pytest.fixture
def desk(session: Session, context: EditContext) -> Desk:
    return context.desk(WHO)


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


def test_own_directions_are_limited(bank: Bank, desk: Desk) -> None:
    room_for(desk)
    desk.directions.update({str(index): direction(bank) for index in range(MOST)})
    with pytest.raises(StudioError, match="Delete some"):
        room_for(desk)


def test_answers_fit_a_direction_that_can_be_used_at_once(context: EditContext, bank: Bank, desk: Desk) -> None:
    teacher = Teacher(context, Drawers())
    fitting = SimpleNamespace(buttons=SimpleNamespace(status="status"), row="row")
    labels = by_threshold(bank.score("brightness"), float(bank.score("brightness").median()))
    runs: Any = Stopper(fitting.buttons, lambda _: Seat())
    *_, last = runs.going(WHO, teacher.fit(fitting, Seat(), desk, "bright", labels, "w", []))
    key = last[context.added]
    assert "held out" in last["status"] and desk.directions[key].name == "bright"
    moved = context.editor.draw(desk, Face(), Edits((Turn(key, 3.0),)), 32)
    assert moved.tobytes() != context.editor.draw(desk, Face(), Edits(), 32).tobytes()
    shown, turn = teacher.more({"answers": {"5": 1}}, UNCERTAIN, 0, WHO)
    assert 5 not in shown["faces"] and shown["answers"] == {"5": 1} and turn == 1
    with pytest.raises(SpaceError, match="Mark a few more"):
        list(teacher.fit(fitting, Seat(), desk, "few", as_labels({1: 1, 2: -1}, len(bank)), "w", []))


def test_a_stopped_fit_learns_nothing(context: EditContext, bank: Bank, desk: Desk) -> None:
    teacher, seat, said = Teacher(context, Drawers()), Seat(), []
    fitting = SimpleNamespace(buttons=SimpleNamespace(status="status"), row="row")
    labels = by_threshold(bank.score("brightness"), float(bank.score("brightness").median()))
    for changes in teacher.fit(fitting, seat, desk, "bright", labels, "w", []):
        seat.stopping = True
        said.append(changes["status"])
    assert said == ["Fitting …", "Stopped."] and not desk.directions


def test_a_file_is_read_and_a_large_one_refused(context: EditContext, tmp_path, monkeypatch) -> None:
    path = tmp_path / "<b>published.npy"
    np.save(path, np.eye(3, context.session.generator.width, dtype=np.float32))
    assert [one.name for one in workshop.read_file(context, str(path))] == ["b published 1", "b published 2", "b published 3"]
    monkeypatch.setattr(workshop, "MOST_MEGABYTES", 0)
    with pytest.raises(StudioError, match="at most 0"):
        workshop.read_file(context, str(path))


def test_own_directions_are_renamed_rated_cleaned_and_deleted(context: EditContext, bank: Bank, desk: Desk) -> None:
    manager = workshop.Manager(context, Drawers())
    one, two = (context.library.add(direction(bank, name, seed), desk) for seed, name in enumerate(("one", "two")))
    assert manager.rename(one, "<i>uno</i>", 0, WHO) == 1
    manager.rate(one, 4, WHO)
    table, menu, name, _, file, words = manager.show(one, "safetensors", True, WHO)
    assert "<i>" not in table and "★★★★" in table and name == "i uno i" and file.interactive and not words
    assert menu.choices[0] == ("i uno i ★★★★", one)
    cleaned = desk.directions[manager.clean(one, [two], WHO)]
    assert abs(float(cleaned.vector @ desk.directions[two].vector)) < 1e-5
    with pytest.raises(gr.Error, match="Remove the slider"):
        manager.delete(one, Edits((Turn(one),)), 1, WHO)
    assert manager.delete(one, Edits(), 1, WHO) == 2
    assert one not in desk.directions
    for call in (lambda: manager.rename(one, "x", 2, WHO), lambda: manager.rate(two, 9, WHO), lambda: manager.clean(two, [], WHO)):
        with pytest.raises(gr.Error):
            call()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_offered_or_explained(form: str, context: EditContext, bank: Bank, desk: Desk) -> None:
    manager = workshop.Manager(context, Drawers())
    key = context.library.add(direction(bank), desk)
    assert manager.show(key, form, False, WHO)[4].interactive
    styles = context.library.directions(f"stylespace/{bank.names[0]}", desk)
    key = context.library.add(next(iter(styles.values())), desk)
    *_, file, words = manager.show(key, form, False, WHO)
    assert file.interactive == (form == "safetensors") and bool(words) == (form != "safetensors")


def test_a_loop_ends_where_it_began_and_a_way_at_its_end() -> None:
    loop, way = phases(60, True), phases(60, False)
    assert len(loop) == len(way) == 60 and loop[0] == 0 and loop[30] == 1 and loop[1] == pytest.approx(loop[59])
    assert way[0] == 0 and way[-1] == 1


def test_ways_go_from_end_to_end(session: Session, bank: Bank) -> None:
    generator = session.generator
    a, b = (Inversion(Latent("z", z_codes(1, generator.width, seed))) for seed in (1, 2))
    one = direction(bank)
    way = sweep(generator, a, [], one, 2.0, 0.7)
    assert torch.equal(way(1).latent.codes, apply(a, [(one, 2.0)], generator, truncation=0.7).latent.codes)
    for spherical in (True, False):
        road = between(generator, a, b, [(one, 1.0)], spherical, 0.7)
        for t, end in ((0, a), (1, b)):
            assert torch.allclose(road(t).latent.codes, apply(end, [(one, 1.0)], generator, truncation=0.7).latent.codes, atol=1e-5)
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
    codes = ((apply(code, [(one, x + y)], generator, truncation=0.7) for x in (-1, 0, 1)) for y in (-1, 0, 1))
    assert len(list(fill(generator, codes, sheet))) == 9
    assert sheet.picture.size == blank.size and sheet.picture.tobytes() != blank.tobytes()


def test_the_cells_answer_in_sentences(context: EditContext, desk: Desk) -> None:
    measurer = measure.Measurer(context)
    with pytest.raises(StudioError, match="slider"):
        measurer.directions(desk, Edits(), measure.ACTIVE, None)
    with pytest.raises(StudioError, match="of your own"):
        measurer.directions(desk, Edits(), measure.METHOD, "mine")
    with pytest.raises(StudioError, match="not zero"):
        measurer.checked(4, 0.0)
    key = "interfacegan/brightness"
    assert measurer.directions(desk, Edits((Turn(key),)), measure.ACTIVE, None)[0].name == context.title(key, desk)
    parts: Any = SimpleNamespace(buttons=None)
    answers = moving.Answers(context, parts, parts)
    with pytest.raises(StudioError, match="Choose the direction"):
        answers.swept(desk, Face(), Edits(), None, 3.0)
    with pytest.raises(StudioError, match="shelf"):
        answers.crossed(desk, Face(), Face("Shelf"), Edits(), True)


def test_a_stopped_film_keeps_what_is_drawn(context: EditContext) -> None:
    with gr.Blocks():
        status, preview, video, mp4, gif = (gr.State() for _ in range(5))
    film: Any = moving.FilmParts([], SimpleNamespace(status=status), preview, video, mp4, gif)  # type: ignore[arg-type]
    answers = moving.Answers(context, film, SimpleNamespace(buttons=None))  # type: ignore[arg-type]
    asked = (Face(), Edits(), moving.MORPH, None, 3.0, "Seed", 7, None, moving.STRAIGHT, True, 40, "64", 24)
    for changes in answers.record(WHO, *asked):
        if "Frame" in changes.get(status, ""):
            assert answers.filming.stop(WHO)
    assert "Stopped; the film has " in changes[status] and mp4 in changes
    frames = int(changes[status].split("has ")[1].split(" ")[0])
    assert 0 < frames < 40
    assert not answers.filming.stop(WHO)


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
