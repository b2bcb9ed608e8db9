import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image as Pil
from sklearn.svm import SVC

from engines import Direction, Inversion, Latent
from engines.core.errors import SpaceError, StudioError
from engines.core.images import to_picture
from engines.core.seeds import z_codes
from engines.edit.interfacegan import InterFaceGANKnobs, _split, extremes
from engines.faces.attributes import Attribute
from engines.generators import FfhqGenerator
from engines.generators.incremental import draw_inversion
from engines.spaces.statistics import random_w
from studio.services.direction_library import Library, own_attribute
from studio.services.editor import Editor
from studio.services.photo_pipeline import inverting
from studio.services.snippets import recipe
from studio.state.edits import MOST, Edits, Face, History, Turn
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.tabs.edit.cards_cell import CardHandlers, taken
from studio.tabs.edit.handlers import first_turns
from studio.tabs.edit.sliders_cell import CUSTOM, arrange, board_cell, reaching, words
from studio.tabs.edit.source_cell import facing
from studio.tabs.edit.upload import UPLOAD, Reader, upload_part
from studio.ui.shelf_strip import strip
from studio.ui.side_effect_meter import aside, meter
from tests.studio.conftest import ASTRONAUT

BRIEF = {"steps": 2, "quick_steps": 1}
SMILE, TURNED = "interfacegan/brightness", "interfacegan/contrast"


@pytest.fixture(scope="module")
def editor(session: Session) -> Editor:
    return Editor(session, Library(session))


@pytest.fixture
def visitor() -> Visitor:
    return Visitor(10 * 2**20)


def edits(*turns: Turn, keep: tuple[str, ...] = ()) -> Edits:
    return Edits(turns, keep)


def same(one: Pil.Image, other: Pil.Image) -> bool:
    return one.tobytes() == other.tobytes()


def shelved(editor: Editor, visitor: Visitor) -> Face:
    code = Inversion(Latent("w", random_w(editor.session.generator, 3)))
    return facing("Shelf", None, 0.7, visitor.put("one", Pil.new("RGB", (8, 8)), code).key)


def test_a_face_without_edits_is_the_seeds_face(editor: Editor, visitor: Visitor) -> None:
    generator = editor.session.generator
    plain = to_picture(draw_inversion(generator, Inversion(Latent("w", random_w(generator, 7, 0.7)))))
    assert same(editor.draw(visitor, Face(), edits(Turn(SMILE))), plain)


def test_a_preview_after_many_moves_is_the_picture_drawn_afresh(editor: Editor, visitor: Visitor) -> None:
    for strength in (1.0, 2.0, -3.0):
        both = edits(Turn(SMILE, strength), Turn("sefa/fine/1", 1.0))
        moved = editor.draw(visitor, Face(), both, 32)
    assert same(moved, to_picture(draw_inversion(editor.session.generator, editor.moved(visitor, Face(), both), 32)))
    assert same(editor.draw(visitor, Face(), edits(), 32), editor.draw(Visitor(0), Face(), edits(), 32))


def test_a_direction_reaches_the_layers_that_were_chosen(editor: Editor, visitor: Visitor) -> None:
    slots = editor.session.generator.slots
    assert editor.direction(visitor, Turn(SMILE, 1.0, "coarse")).slots == slots.groups["coarse"]
    assert editor.direction(visitor, Turn(SMILE, 1.0, "2-4")).slots == slots.active[1:4]
    for wrong in ("4-2", "0-3", "1-99", "left"):
        with pytest.raises(StudioError, match="no layers"):
            editor.slots(wrong)


def test_what_is_kept_is_projected_out_but_never_the_directions_own(editor: Editor, visitor: Visitor) -> None:
    kept = editor.direction(visitor, Turn(SMILE), keep=("contrast", "brightness")).vector
    assert abs(float(kept @ editor.library.get(TURNED, visitor).vector)) < 1e-5
    assert editor.direction(visitor, Turn(SMILE), keep=("brightness",)) is editor.library.get(SMILE, visitor)
    mine = editor.library.add(editor.library.get(SMILE, visitor), visitor)
    with pytest.raises(SpaceError, match="Nothing of"):
        editor.direction(visitor, Turn(mine), keep=("brightness",))


def test_directions_of_z_move_seeds_and_get_a_sentence_on_the_shelf(editor: Editor, visitor: Visitor) -> None:
    turned = edits(Turn("interfacegan-z/brightness", 2.0))
    assert not same(editor.draw(visitor, Face(), turned), editor.draw(visitor, Face(), edits()))
    with pytest.raises(SpaceError, match="Choose a direction of W or S"):
        editor.draw(visitor, shelved(editor, visitor), turned)


def test_an_empty_shelf_and_an_odd_seed_get_a_sentence(editor: Editor, visitor: Visitor) -> None:
    with pytest.raises(StudioError, match="Nothing on the shelf is chosen"):
        editor.code(visitor, Face("Shelf", None, 1.0, "gone"))
    for seed in (None, -1, 2.0**31):
        with pytest.raises(StudioError, match="whole number"):
            editor.code(visitor, Face(seed=seed))


def test_a_card_is_drawn_once_for_a_face(editor: Editor, visitor: Visitor) -> None:
    card = editor.card(visitor, Face(), SMILE)
    side = editor.session.generator.exits[0]
    assert card.size == (3 * side, side)
    assert editor.card(visitor, Face(), SMILE) is card and editor.card(visitor, Face(seed=8), SMILE) is not card


def test_a_newer_deal_ends_an_older_one(editor: Editor, visitor: Visitor) -> None:
    older = editor.deal(visitor)
    newer = editor.deal(visitor)
    assert newer() and not older()


def test_what_is_large_is_kept_for_few_visitors_and_nothing_for_those_who_left(editor: Editor) -> None:
    states = [Visitor(0) for _ in range(6)]
    for visitor in states:
        editor.before(visitor, Face())
        editor.card(visitor, Face(), SMILE)
        editor.alone(visitor, Face(), Turn(SMILE, 1.0), ())
    assert sum(cache.before is not None for cache in editor._caches) == 3
    assert sum(bool(cache.cards) for cache in editor._caches) == 3
    assert all(cache.alone for cache in editor._caches)
    states.clear()
    del visitor
    assert len(editor._caches) == 0


def test_the_meter_shows_what_changed_and_what_was_not_measured(editor: Editor, visitor: Visitor) -> None:
    figures = editor.effects(visitor, Face(), edits(Turn(SMILE, 3.0)))
    assert set(figures) == {"identity_distance", "brightness", "warmth", "contrast"}
    known = {name: Attribute(name, f"<b>{name} (as guessed)", "", "", "left", "right") for name in ("yaw", "smile")}
    drawn = meter({"identity_distance": 0.2, "yaw": -1.5, "smile": math.nan}, known, {"yaw"})
    assert "0.20" in drawn and "&lt;b&gt;yaw" in drawn and "-1.5" in drawn and "left" in drawn and drawn.count("not measured") == 1
    assert "not measured" in meter({"identity_distance": math.nan}, {}, ())


def test_a_slider_alone_is_measured_once_and_not_by_what_the_others_do(
    editor: Editor, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = editor.alone(visitor, Face(), Turn(SMILE, 3.0), ())
    assert set(alone) == {"identity_distance", "brightness", "warmth", "contrast"} and abs(alone["brightness"]) > 0.1
    monkeypatch.setattr(editor, "_drawn", None)  # whatever is drawn again would fail
    assert editor.alone(visitor, Face(), Turn(SMILE, 3.0), ()) is alone


def test_a_face_stands_where_its_slider_puts_it(editor: Editor, visitor: Visitor) -> None:
    photo = shelved(editor, visitor)
    for key in (SMILE, "ganspace/2", "sefa/coarse/1", "stylespace/warmth/1"):
        for face in (Face(), photo):
            before, after = (editor.score(visitor, face, edits(*turns), key) for turns in ((), (Turn(key, 1.5),)))
            assert before is not None and after == pytest.approx(before + 1.5, abs=1e-2)
    in_z = "interfacegan-z/brightness"
    assert editor.score(visitor, Face(), edits(), in_z) is not None
    assert editor.score(visitor, photo, edits(), in_z) is None
    assert editor.library.offset(SMILE, visitor) != 0 and editor.library.offset("ganspace/2", visitor) == 0


@pytest.mark.parametrize(("key", "space"), [(SMILE, "w"), ("interfacegan-z/brightness", "z")])
def test_a_score_is_the_distance_from_the_boundary_in_sigma(editor: Editor, visitor: Visitor, key: str, space: str) -> None:
    """As the support vector machine's own function has it, over the length of its normal and sigma."""
    bank, generator = editor.library.bank, editor.session.generator
    codes = bank.z if space == "z" else bank.w
    yes, no = extremes(bank, "brightness", InterFaceGANKnobs().fraction)
    train, _ = _split(yes, no, 0)
    machine = SVC(kernel="linear", C=InterFaceGANKnobs().penalty).fit(codes[train].double().numpy(), yes[train].numpy())
    code = z_codes(1, generator.width, 7) if space == "z" else random_w(generator, 7, 0.7)
    far = machine.decision_function(code.double().numpy())[0] / np.linalg.norm(machine.coef_) / editor.library.get(key, visitor).sigma
    assert editor.score(visitor, Face(), edits(), key) == pytest.approx(far, abs=1e-3)


def test_a_small_meter_names_the_largest_other_change() -> None:
    known = {name: Attribute(name, f"<b>{name} (as guessed)", "", "", "left", "right") for name in ("yaw", "smile")}
    drawn = aside((-0.5, 1.5), {"identity_distance": 0.7, "yaw": 2.0, "smile": -0.4}, known, "yaw")
    assert "-0.5 → +1.5 sigma" in drawn and "0.70" in drawn and "class='other'" in drawn
    assert "&lt;b&gt;smile -0.4" in drawn and "yaw" not in drawn
    resting = aside((-0.5, -0.5), None, known, "yaw")
    assert "-0.5 sigma" in resting and "→" not in resting and "identity" not in resting
    assert "not known" in aside((None, None), None, known, "")
    assert "no face" in aside((0, 0), {"identity_distance": math.nan, "yaw": math.nan}, known, "")


class Asking:
    session_hash = "uploads"


@pytest.fixture
def reader(session: Session) -> Any:
    session.visitors.end(Asking())
    with gr.Blocks():
        return Reader(session, strip(session), upload_part(session), gr.Radio(["Seed", "Shelf", UPLOAD]))


def test_a_photo_is_read_inverted_shelved_and_chosen(session: Session, reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    request: Any = Asking()
    monkeypatch.setattr("studio.tabs.edit.upload.inverting", lambda *args: inverting(*args[:3], args[2].knob_set.of(BRIEF)))
    picture, _, words, due = reader.read(str(ASTRONAUT), 0, request)
    assert picture.size == (512, 512) and "aligned" in words and due == 1
    with pytest.raises(gr.Error, match="Face 9 was asked for"):
        reader.choose("Face 9", request)
    reader.claim(request)
    with pytest.raises(gr.Error, match="still going"):
        reader.claim(request)
    last = list(reader.run(request))[-1]
    visitor = session.visitors.visitor(Asking())
    assert last[reader.kind] == "Shelf" and last[reader.strip.chosen] in visitor.shelf
    assert visitor.target is None  # the tab Invert keeps its own photo
    long = {"steps": 400, "quick_steps": 1}
    monkeypatch.setattr("studio.tabs.edit.upload.inverting", lambda *args: inverting(*args[:3], args[2].knob_set.of(long)))
    reader.claim(request)
    updates = []
    for changes in reader.run(request):
        updates.append(changes)
        if {reader.part.buttons.status, reader.part.seen} <= changes.keys():
            reader.runs.stop(request)
    assert "best so far" in updates[-1][reader.part.buttons.status] and updates[-1][reader.kind] == "Shelf"
    assert not reader.photo_state(request).running and not reader.runs.stop(request)


def test_a_photo_without_a_face_and_a_file_that_is_none_are_not_run(reader: Any, write: Callable[..., str]) -> None:
    request: Any = Asking()
    noise = write("noise.png", Pil.effect_noise((300, 200), 80).convert("RGB"), format="PNG")
    _, _, words, due = reader.read(noise, 4, request)
    assert "No face was found" in words and due == 4
    with pytest.warns(UserWarning, match="not a picture"):  # what the page shows as a warning
        _, _, words, due = reader.read(write("words.jpg", b"these are words"), 4, request)
    assert "not a picture" in words and due == 4
    with pytest.raises(gr.Error, match="no aligned face"):
        reader.claim(request)
    assert reader.read(None, 4, request)[-1] == 4


def test_while_a_photo_is_on_its_way_the_face_stays() -> None:
    assert facing(UPLOAD, 7, 0.7, None) == gr.skip()


KEYS = (SMILE, "interfacegan-z/contrast", "ganspace/2", "sefa/coarse/1", "stylespace/warmth/1", "delta/first")


@pytest.mark.parametrize("key", KEYS)
def test_the_lines_of_python_draw_the_same_picture(
    editor: Editor, visitor: Visitor, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = edits(Turn(key, 2.5, "1-5"), Turn("sefa/all/2", -1.0), keep=("warmth",))
    lines = recipe(editor, visitor, Face(seed=3, truncation=0.5), turned)
    monkeypatch.chdir(tmp_path)
    exec(compile(lines, "recipe", "exec"), {})
    assert same(Pil.open("edited.png").convert("RGB"), editor.draw(visitor, Face(seed=3, truncation=0.5), turned))


def test_the_lines_for_a_shelved_code_read_it_from_a_file(editor: Editor, visitor: Visitor, save_code: Callable[..., Any]) -> None:
    face = shelved(editor, visitor)
    lines = recipe(editor, visitor, face, edits(Turn(SMILE, 1.0)))
    save_code(editor.code(visitor, face))
    exec(compile(lines, "recipe", "exec"), {})
    assert same(Pil.open("edited.png").convert("RGB"), editor.draw(visitor, face, edits(Turn(SMILE, 1.0))))


@pytest.fixture
def save_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Inversion], None]:
    from engines.edit import write_codes

    monkeypatch.chdir(tmp_path)
    return lambda inversion: (tmp_path / "inversion.safetensors").write_bytes(write_codes(inversion))  # type: ignore[func-returns-value]


def test_history_goes_back_and_forth_and_forgets_the_future_after_a_new_step() -> None:
    first, second, third = (edits(Turn(SMILE, strength)) for strength in (0.0, 1.0, 2.0))
    history = History((first,)).settled(second).settled(second)
    assert history.past == (first, second)
    assert history.back().past[-1] == first and history.back().back() == history.back()
    assert history.back().forth() == history and history.forth() == history
    assert history.back().settled(third).future == ()


def test_fifty_steps_are_remembered_and_no_more() -> None:
    history = History(())
    for step in range(60):
        history = history.settled(step)
    assert history.past == tuple(range(10, 60))
    for _ in range(60):
        history = history.back()
    assert history.past == (10,) and history.future == tuple(range(11, 60))


def test_edits_are_moved_added_and_taken_away() -> None:
    both = edits(Turn(SMILE), Turn(TURNED))
    assert [turn.strength for turn in both.at([1.04, 2, 3, 4]).turns] == [1.04, 2.0]
    assert [turn.strength for turn in both.at([-0.1 - 0.2, 1.2345]).turns] == [-0.3, 1.23]
    assert both.without(SMILE).keys == (TURNED,) and both.at([1, 1]).at_rest() == both
    assert reaching(both, TURNED, CUSTOM, 9, 2).turns[1].layers == "2-9"
    assert reaching(both, "gone", "fine", 1, 2) == both
    full = edits(*(Turn(f"ganspace/{number}") for number in range(MOST)))
    with pytest.raises(StudioError, match="in use"):
        taken(full, SMILE)
    assert taken(edits(), SMILE).keys == (SMILE,)


def test_words_name_what_moves_and_what_stays(editor: Editor, visitor: Visitor) -> None:
    assert words(editor, visitor, edits(Turn(SMILE))) == "No edit yet."
    assert words(editor, visitor, edits(Turn(SMILE, 1.0, "fine"), keep=("warmth",))) == "Edits: Brightness +1.0 (fine). Kept: Warmth."
    twice = edits(Turn(SMILE, 1.0), Turn("interfacegan-z/brightness", -1.0))
    assert words(editor, visitor, twice) == "Edits: Brightness · InterFaceGAN +1.0, Brightness · InterFaceGAN in Z -1.0."


def test_the_first_sliders_are_ready_and_own_attributes_known(editor: Editor) -> None:
    assert first_turns(editor).keys == (SMILE, "interfacegan/warmth", TURNED)
    assert own_attribute("interfacegan-z/smile") == own_attribute("stylespace/smile/3") == "smile"
    assert own_attribute("ganspace/3") is None
    assert editor.library.ends(SMILE) == "dark ↔ bright" and editor.library.ends("ganspace/3") == ""


def test_every_method_deals_its_cards(editor: Editor) -> None:
    class Request:
        session_hash = "cards"

    dealer: Any = CardHandlers(editor)
    for method, part in (("interfacegan", None), ("ganspace", None), ("sefa", "fine"), ("stylespace", "warmth"), ("mine", None)):
        _, keys, status, _ = list(dealer.deal(Face(), method, part, 3, Request()))[-1]
        assert len(keys) == (0 if method == "mine" else 3), status


def test_local_channels_are_offered_by_region(session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert not any(shelf.startswith("region/") for shelf in Library(session).shelves)  # none were measured for the toy
    for module in ("engines.edit.locality", "studio.services.direction_library"):
        monkeypatch.setattr(f"{module}.shipped_local", lambda generator: {"mouth": [(3, 0.05), (60, 0.2)], "nose": [(7, 0.3)]})
    editor, visitor = Editor(session, Library(session)), Visitor(0)
    layer = next(name for name, part in session.generator.layout("s").items() if part.start <= 3 < part.stop)
    assert editor.library.title("region/mouth/1", visitor) == f"Mouth · channel 3 of {layer} (5% outside) · StyleSpace"
    assert editor.library.reach("region/mouth/1", visitor).far == 20
    dealer: Any = CardHandlers(editor)
    said = {}
    for region in ("mouth", "nose"):
        _, keys, said[region], _ = list(dealer.deal(Face(), "region", region, 3, Asking()))[-1]
        assert keys == tuple(editor.library.directions(f"region/{region}", visitor))
    assert "No single channel of the nose" in said["nose"] and "No single" not in said["mouth"]
    turned = edits(Turn("region/mouth/2", 8.0))
    lines = recipe(editor, visitor, Face(), turned)
    monkeypatch.chdir(tmp_path)
    exec(compile(lines, "recipe", "exec"), {})
    assert same(Pil.open("edited.png").convert("RGB"), editor.draw(visitor, Face(), turned))


def test_a_new_direction_of_ones_own_gets_its_name(editor: Editor, visitor: Visitor, toy: FfhqGenerator) -> None:
    vector = torch.nn.functional.normalize(torch.ones(toy.width), dim=0)
    key = editor.library.add(Direction("grin", "w", vector, toy.slots.active, 1.0, "test"), visitor)
    assert editor.library.title(key, visitor) == "grin · mine"
    assert editor.library.gone([SMILE, key], visitor) == []
    del visitor.directions[key]
    assert editor.library.gone([SMILE, key], visitor) == [key]


def test_a_slider_goes_by_tenths_of_sigma_from_minus_to_plus_five(editor: Editor) -> None:
    with gr.Blocks():
        board = board_cell(editor, edits(Turn(SMILE, 1.5), Turn(TURNED)))
    assert len(board.sliders) == MOST
    assert {(one.minimum, one.maximum, one.step) for one in board.sliders} == {(-5, 5, 0.1)}
    assert [one.value for one in board.sliders] == [1.5, *[0] * (MOST - 1)]


def test_styles_reach_further_than_anything_else(editor: Editor, visitor: Visitor) -> None:
    reaches = {key: editor.library.reach(key, visitor) for key in KEYS}
    assert {key: one.far for key, one in reaches.items() if one.far != 5} == {"stylespace/warmth/1": 20, "delta/first": 2}
    mine = editor.library.add(editor.library.get("stylespace/warmth/1", visitor), visitor)
    assert editor.library.reach(mine, visitor).card == 10 and editor.library.reach(mine, visitor).times == 4
    sliders = arrange(editor, visitor, edits(Turn(SMILE), Turn(mine, -20.0)), None)[MOST : 2 * MOST]
    assert [(one.minimum, one.maximum) for one in sliders[:2]] == [(-5, 5), (-20, 20)]


def test_sliders_that_stand_right_are_told_no_value(editor: Editor, visitor: Visitor) -> None:
    stands, wanted = edits(Turn(SMILE, 1.0), Turn(TURNED, 2.0)), edits(Turn(SMILE, 1.0), Turn(TURNED, -2.0), Turn(KEYS[0]))
    told = arrange(editor, visitor, wanted, None, stands)[MOST : MOST + 3]
    assert ["value" in one.constructor_args for one in told] == [False, True, True]
    assert all("value" in one.constructor_args for one in arrange(editor, visitor, wanted, None)[MOST : MOST + 3])


def test_found_directions_speak_peoples_words(editor: Editor, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    found = editor.library.directions("stylespace/warmth", visitor)
    channel = found["stylespace/warmth/1"].name.partition(": ")[2]
    layer, index = channel.split(":")
    assert editor.library.title("stylespace/warmth/1", visitor) == f"Warmth · channel {index} of {layer} · StyleSpace"
    monkeypatch.setattr(editor.library, "_regions", ["mouth"] * 10_000)
    assert editor.library.title("stylespace/warmth/1", visitor).endswith(f"{layer} (acts in: mouth) · StyleSpace")
    assert "channels at once" in editor.library.title(list(found)[-1], visitor)
    pc = Direction("PC 2: warmth", "w", torch.zeros(2), (), 1.0, "test")
    assert editor.library._spoken("ganspace", pc) == "PC 2 · warmth"
    assert editor.library._spoken("ganspace", Direction("PC 3", "w", torch.zeros(2), (), 1.0, "test")) == "PC 3"
