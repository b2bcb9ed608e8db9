import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import torch
from PIL import Image as Pil

from engines import Direction, Inversion, Latent
from engines.core.errors import SpaceError, StudioError
from engines.core.images import to_picture
from engines.faces.attributes import Attribute
from engines.generators import Student
from engines.generators.sketch import draw
from engines.spaces.statistics import random_w
from studio.editor import Editor
from studio.edits import MOST, Edits, Face, History, Turn
from studio.library import Library, own_attribute
from studio.pages.edit.answers import first_turns
from studio.pages.edit.choose import Dealer, taken
from studio.pages.edit.meter import aside, meter
from studio.pages.edit.recipe import recipe
from studio.pages.edit.source import facing
from studio.pages.edit.turn import CUSTOM, arrange, reaching, words
from studio.pages.edit.upload import UPLOAD, Reader, upload_part
from studio.photo import inverting
from studio.session import Session
from studio.shelf import Desk
from studio.strip import strip
from tests.studio.conftest import ASTRONAUT

BRIEF = {"steps": 2, "quick_steps": 1}
SMILE, TURNED = "interfacegan/brightness", "interfacegan/contrast"


@pytest.fixture(scope="module")
def editor(session: Session) -> Editor:
    return Editor(session, Library(session))


@pytest.fixture
def desk() -> Desk:
    return Desk(10 * 2**20)


def edits(*turns: Turn, keep: tuple[str, ...] = ()) -> Edits:
    return Edits(turns, keep)


def same(one: Pil.Image, other: Pil.Image) -> bool:
    return one.tobytes() == other.tobytes()


def shelved(editor: Editor, desk: Desk) -> Face:
    code = Inversion(Latent("w", random_w(editor.session.generator, 3)))
    return facing("Shelf", None, 0.7, desk.put("one", Pil.new("RGB", (8, 8)), code).key)


def test_a_face_without_edits_is_the_seeds_face(editor: Editor, desk: Desk) -> None:
    generator = editor.session.generator
    plain = to_picture(draw(generator, Inversion(Latent("w", random_w(generator, 7, 0.7)))))
    assert same(editor.draw(desk, Face(), edits(Turn(SMILE))), plain)


def test_a_preview_after_many_moves_is_the_picture_drawn_afresh(editor: Editor, desk: Desk) -> None:
    for strength in (1.0, 2.0, -3.0):
        both = edits(Turn(SMILE, strength), Turn("sefa/fine/1", 1.0))
        moved = editor.draw(desk, Face(), both, 32)
    assert same(moved, to_picture(draw(editor.session.generator, editor.moved(desk, Face(), both), 32)))
    assert same(editor.draw(desk, Face(), edits(), 32), editor.draw(Desk(0), Face(), edits(), 32))


def test_a_direction_reaches_the_layers_that_were_chosen(editor: Editor, desk: Desk) -> None:
    slots = editor.session.generator.slots
    assert editor.direction(desk, Turn(SMILE, 1.0, "coarse")).slots == slots.groups["coarse"]
    assert editor.direction(desk, Turn(SMILE, 1.0, "2-4")).slots == slots.active[1:4]
    for wrong in ("4-2", "0-3", "1-99", "left"):
        with pytest.raises(StudioError, match="no layers"):
            editor.slots(wrong)


def test_what_is_kept_is_projected_out_but_never_the_directions_own(editor: Editor, desk: Desk) -> None:
    kept = editor.direction(desk, Turn(SMILE), keep=("contrast", "brightness")).vector
    assert abs(float(kept @ editor.library.get(TURNED, desk).vector)) < 1e-5
    assert editor.direction(desk, Turn(SMILE), keep=("brightness",)) is editor.library.get(SMILE, desk)
    mine = editor.library.add(editor.library.get(SMILE, desk), desk)
    with pytest.raises(SpaceError, match="Nothing of"):
        editor.direction(desk, Turn(mine), keep=("brightness",))


def test_directions_of_z_move_seeds_and_get_a_sentence_on_the_shelf(editor: Editor, desk: Desk) -> None:
    turned = edits(Turn("interfacegan-z/brightness", 2.0))
    assert not same(editor.draw(desk, Face(), turned), editor.draw(desk, Face(), edits()))
    with pytest.raises(SpaceError, match="Choose a direction of W or S"):
        editor.draw(desk, shelved(editor, desk), turned)


def test_an_empty_shelf_and_an_odd_seed_get_a_sentence(editor: Editor, desk: Desk) -> None:
    with pytest.raises(StudioError, match="Nothing on the shelf is chosen"):
        editor.code(desk, Face("Shelf", None, 1.0, "gone"))
    for seed in (None, -1, 2.0**31):
        with pytest.raises(StudioError, match="whole number"):
            editor.code(desk, Face(seed=seed))


def test_a_card_is_drawn_once_for_a_face(editor: Editor, desk: Desk) -> None:
    card = editor.card(desk, Face(), SMILE)
    side = editor.session.generator.exits[0]
    assert card.size == (3 * side, side)
    assert editor.card(desk, Face(), SMILE) is card and editor.card(desk, Face(seed=8), SMILE) is not card


def test_a_newer_deal_ends_an_older_one(editor: Editor, desk: Desk) -> None:
    older = editor.deal(desk)
    newer = editor.deal(desk)
    assert newer() and not older()


def test_easels_of_visitors_who_left_are_dropped(editor: Editor) -> None:
    desks = [Desk(0) for _ in range(6)]
    for desk in desks:
        editor.draw(desk, Face(), edits(), 32)
    assert len(editor._easels) <= 4
    desks.clear()
    del desk
    assert len(editor._easels) == 0


def test_the_meter_shows_what_changed_and_what_was_not_measured(editor: Editor, desk: Desk) -> None:
    figures = editor.effects(desk, Face(), edits(Turn(SMILE, 3.0)))
    assert set(figures) == {"identity_distance", "brightness", "warmth", "contrast"}
    known = {name: Attribute(name, f"<b>{name} (as guessed)", "", "", "left", "right") for name in ("yaw", "smile")}
    drawn = meter({"identity_distance": 0.2, "yaw": -1.5, "smile": math.nan}, known, {"yaw"})
    assert "0.20" in drawn and "&lt;b&gt;yaw" in drawn and "-1.5" in drawn and "left" in drawn and drawn.count("not measured") == 1
    assert "not measured" in meter({"identity_distance": math.nan}, {}, ())


def test_a_slider_alone_is_measured_once_and_not_by_what_the_others_do(editor: Editor, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = editor.alone(desk, Face(), Turn(SMILE, 3.0), ())
    assert set(alone) == {"identity_distance", "brightness", "warmth", "contrast"} and abs(alone["brightness"]) > 0.1
    monkeypatch.setattr(editor, "_drawn", None)  # whatever is drawn again would fail
    assert editor.alone(desk, Face(), Turn(SMILE, 3.0), ()) is alone


def test_a_face_stands_where_its_slider_puts_it(editor: Editor, desk: Desk) -> None:
    photo = shelved(editor, desk)
    for key in (SMILE, "ganspace/2", "sefa/coarse/1", "stylespace/warmth/1"):
        for face in (Face(), photo):
            before, after = (editor.score(desk, face, edits(*turns), key) for turns in ((), (Turn(key, 1.5),)))
            assert before is not None and after == pytest.approx(before + 1.5, abs=1e-2)
    in_z = "interfacegan-z/brightness"
    assert editor.score(desk, Face(), edits(), in_z) is not None
    assert editor.score(desk, photo, edits(), in_z) is None
    assert editor.library.offset(SMILE, desk) != 0 and editor.library.offset("ganspace/2", desk) == 0


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
    session.visitors.leave(Asking.session_hash)
    with gr.Blocks():
        return Reader(session, strip(session), upload_part(session), gr.Radio(["Seed", "Shelf", UPLOAD]))


def test_a_photo_is_read_inverted_shelved_and_chosen(session: Session, reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    request: Any = Asking()
    monkeypatch.setattr("studio.pages.edit.upload.inverting", lambda *args: inverting(*args[:3], args[2].knob_set.of(BRIEF)))
    picture, _, words, due = reader.read(str(ASTRONAUT), 0, request)
    assert picture.size == (512, 512) and "aligned" in words and due == 1
    with pytest.raises(gr.Error, match="no longer there"):
        reader.choose("Face 9", request)
    reader.claim(request)
    with pytest.raises(gr.Error, match="still going"):
        reader.claim(request)
    last = list(reader.run(request))[-1]
    desk = session.visitors.desk(Asking.session_hash)
    assert last[reader.kind] == "Shelf" and last[reader.strip.chosen] in desk.shelf
    assert desk.target is None  # the tab Invert keeps its own photo
    reader.claim(request)
    updates = []
    for changes in reader.run(request):
        updates.append(changes)
        if reader.sitting(request).kept is not None:
            reader.runs.stop(request)
    assert "best so far" in updates[-1][reader.part.buttons.status] and updates[-1][reader.kind] == "Shelf"
    assert not reader.sitting(request).running and not reader.runs.stop(request)


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


KEYS = (SMILE, "interfacegan-z/contrast", "ganspace/2", "sefa/coarse/1", "stylespace/warmth/1")


@pytest.mark.parametrize("key", KEYS)
def test_the_lines_of_python_draw_the_same_picture(
    editor: Editor, desk: Desk, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = edits(Turn(key, 2.5, "1-5"), Turn("sefa/all/2", -1.0), keep=("warmth",))
    lines = recipe(editor, desk, Face(seed=3, truncation=0.5), turned)
    monkeypatch.chdir(tmp_path)
    exec(compile(lines, "recipe", "exec"), {})
    assert same(Pil.open("edited.png").convert("RGB"), editor.draw(desk, Face(seed=3, truncation=0.5), turned))


def test_the_lines_for_a_shelved_code_read_it_from_a_file(editor: Editor, desk: Desk, save_code: Callable[..., Any]) -> None:
    face = shelved(editor, desk)
    lines = recipe(editor, desk, face, edits(Turn(SMILE, 1.0)))
    save_code(editor.code(desk, face))
    exec(compile(lines, "recipe", "exec"), {})
    assert same(Pil.open("edited.png").convert("RGB"), editor.draw(desk, face, edits(Turn(SMILE, 1.0))))


@pytest.fixture
def save_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Inversion], None]:
    from studio.pages.result import _code_bytes

    monkeypatch.chdir(tmp_path)
    return lambda inversion: (tmp_path / "inversion.safetensors").write_bytes(_code_bytes(inversion))  # type: ignore[func-returns-value]


def test_history_goes_back_and_forth_and_forgets_the_future_after_a_new_step() -> None:
    first, second, third = (edits(Turn(SMILE, strength)) for strength in (0.0, 1.0, 2.0))
    history = History((first,)).settled(second).settled(second)
    assert history.past == (first, second)
    assert history.back().past[-1] == first and history.back().back() == history.back()
    assert history.back().forth() == history and history.forth() == history
    assert history.back().settled(third).future == ()


def test_edits_are_moved_added_and_taken_away() -> None:
    both = edits(Turn(SMILE), Turn(TURNED))
    assert [turn.strength for turn in both.at([1.04, 2, 3, 4]).turns] == [1.04, 2.0]
    assert both.without(SMILE).keys == (TURNED,) and both.at([1, 1]).at_rest() == both
    assert reaching(both, TURNED, CUSTOM, 9, 2).turns[1].layers == "2-9"
    assert reaching(both, "gone", "fine", 1, 2) == both
    full = edits(*(Turn(f"ganspace/{number}") for number in range(MOST)))
    with pytest.raises(StudioError, match="in use"):
        taken(full, SMILE)
    assert taken(edits(), SMILE).keys == (SMILE,)


def test_words_name_what_moves_and_what_stays(editor: Editor, desk: Desk) -> None:
    assert words(editor, desk, edits(Turn(SMILE))) == "No edit yet."
    assert words(editor, desk, edits(Turn(SMILE, 1.0, "fine"), keep=("warmth",))) == "Edits: Brightness +1.0 (fine). Kept: Warmth."
    twice = edits(Turn(SMILE, 1.0), Turn("interfacegan-z/brightness", -1.0))
    assert words(editor, desk, twice) == "Edits: Brightness · InterFaceGAN +1.0, Brightness · InterFaceGAN in Z -1.0."


def test_the_first_sliders_are_ready_and_own_attributes_known(editor: Editor) -> None:
    assert first_turns(editor).keys == (SMILE, "interfacegan/warmth", TURNED)
    assert own_attribute("interfacegan-z/smile") == own_attribute("stylespace/smile/3") == "smile"
    assert own_attribute("ganspace/3") is None
    assert editor.library.ends(SMILE) == "dark ↔ bright" and editor.library.ends("ganspace/3") == ""


def test_every_method_deals_its_cards(editor: Editor) -> None:
    class Request:
        session_hash = "cards"

    dealer: Any = Dealer(editor)
    for method, part in (("interfacegan", None), ("ganspace", None), ("sefa", "fine"), ("stylespace", "warmth"), ("mine", None)):
        _, keys, status, _ = list(dealer.deal(Face(), method, part, 3, Request()))[-1]
        assert len(keys) == (0 if method == "mine" else 3), status


def test_local_channels_are_offered_by_region(session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert not any(shelf.startswith("region/") for shelf in Library(session).shelves)  # none were measured for the toy
    for module in ("engines.edit.locality", "studio.library"):
        monkeypatch.setattr(f"{module}.shipped_local", lambda generator: {"mouth": [(3, 0.05), (60, 0.2)], "nose": [(7, 0.3)]})
    editor, desk = Editor(session, Library(session)), Desk(0)
    layer = next(name for name, part in session.generator.layout("s").items() if part.start <= 3 < part.stop)
    assert editor.library.title("region/mouth/1", desk) == f"Mouth · channel 3 of {layer} (5% outside) · StyleSpace"
    assert editor.library.reach("region/mouth/1", desk).far == 20
    dealer: Any = Dealer(editor)
    said = {}
    for region in ("mouth", "nose"):
        _, keys, said[region], _ = list(dealer.deal(Face(), "region", region, 3, Asking()))[-1]
        assert keys == tuple(editor.library.directions(f"region/{region}", desk))
    assert "No single channel of the nose" in said["nose"] and "No single" not in said["mouth"]
    turned = edits(Turn("region/mouth/2", 8.0))
    lines = recipe(editor, desk, Face(), turned)
    monkeypatch.chdir(tmp_path)
    exec(compile(lines, "recipe", "exec"), {})
    assert same(Pil.open("edited.png").convert("RGB"), editor.draw(desk, Face(), turned))


def test_a_new_direction_of_ones_own_gets_its_name(editor: Editor, desk: Desk, toy: Student) -> None:
    vector = torch.nn.functional.normalize(torch.ones(toy.width), dim=0)
    key = editor.library.add(Direction("grin", "w", vector, toy.slots.active, 1.0, "test"), desk)
    assert editor.library.title(key, desk) == "grin · mine"
    assert editor.library.gone([SMILE, key], desk) == []
    del desk.directions[key]
    assert editor.library.gone([SMILE, key], desk) == [key]


def test_styles_reach_further_than_anything_else(editor: Editor, desk: Desk) -> None:
    reaches = {key: editor.library.reach(key, desk) for key in KEYS}
    assert {key: one.far for key, one in reaches.items() if one.far != 5} == {"stylespace/warmth/1": 20}
    mine = editor.library.add(editor.library.get("stylespace/warmth/1", desk), desk)
    assert editor.library.reach(mine, desk).card == 10 and editor.library.reach(mine, desk).times == 4
    sliders = arrange(editor, desk, edits(Turn(SMILE), Turn(mine, -20.0)), None)[MOST : 2 * MOST]
    assert [(one.minimum, one.maximum) for one in sliders[:2]] == [(-5, 5), (-20, 20)]


def test_found_directions_speak_peoples_words(editor: Editor, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    found = editor.library.directions("stylespace/warmth", desk)
    channel = found["stylespace/warmth/1"].name.partition(": ")[2]
    layer, index = channel.split(":")
    assert editor.library.title("stylespace/warmth/1", desk) == f"Warmth · channel {index} of {layer} · StyleSpace"
    monkeypatch.setattr(editor.library, "_regions", ["mouth"] * 10_000)
    assert editor.library.title("stylespace/warmth/1", desk).endswith(f"{layer} (acts in: mouth) · StyleSpace")
    assert "channels at once" in editor.library.title(list(found)[-1], desk)
    pc = Direction("PC 2: warmth", "w", torch.zeros(2), (), 1.0, "test")
    assert editor.library._spoken("ganspace", pc) == "PC 2 · warmth"
    assert editor.library._spoken("ganspace", Direction("PC 3", "w", torch.zeros(2), (), 1.0, "test")) == "PC 3"
