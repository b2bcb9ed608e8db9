import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image as Pil

from engines import Inversion, Latent
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.generators.stylemapgan import toy_stylemapgan
from engines.mix.boundaries import Boundary
from engines.spaces.statistics import random_w
from studio.editor import Editor
from studio.edits import Edits, Face
from studio.inputs import CANVAS
from studio.library import Library
from studio.mix import EDIT, Mix
from studio.mixing import Mixer
from studio.pages.mix.board import editing_shown, offered, turned
from studio.pages.mix.faces import choosing, facing
from studio.pages.mix.keep import recipe
from studio.pages.mix.paint import canvases, words
from studio.session import Session
from studio.shelf import Desk


@pytest.fixture
def mixer(session: Session) -> Mixer:
    return Mixer(Editor(session, Library(session)))


@pytest.fixture
def desk() -> Desk:
    return Desk(2**24)


def layer(box: tuple[int, int, int, int] | None, side: int = CANVAS, form: str = "PNG") -> bytes:
    """What a canvas sends: transparent but for a blue box."""
    picture, buffer = Pil.new("RGBA", (side, side)), io.BytesIO()
    if box is not None:
        picture.paste((37, 99, 235, 255), box)
    picture.save(buffer, format=form, lossless=True)
    return buffer.getvalue()


LEFT = (0, 0, CANVAS // 2, CANVAS)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
@pytest.mark.parametrize("side", [CANVAS, 256, 900])
def test_what_is_painted_counts_in_any_size(mixer: Mixer, desk: Desk, side: int, form: str) -> None:
    key = mixer.paint(desk, [layer((0, 0, side // 2, side), side, form)])
    mask = mixer.mask(desk, Mix(masks=(key, "")))
    assert mask.shape == (1, 1, CANVAS, CANVAS)
    assert float(mask[..., : CANVAS // 2 - 4].min()) == 1 and float(mask[..., CANVAS // 2 + 4 :].max()) == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no picture", "could not be read"),
        (layer(None, 5000), "at most 4096"),
        (b"", "could not be read"),
        (layer(None)[:60], "could not"),
    ],
)
def test_bad_masks_get_a_sentence(mixer: Mixer, desk: Desk, data: bytes, words: str) -> None:
    with pytest.raises(StudioError, match=words):
        mixer.paint(desk, [data])


def test_a_mask_that_is_not_square_gets_a_sentence(mixer: Mixer, desk: Desk) -> None:
    buffer = io.BytesIO()
    Pil.new("RGBA", (300, 200), "blue").save(buffer, format="PNG")
    with pytest.raises(StudioError, match="300 x 200 pixels came; wanted a square one"):
        mixer.paint(desk, [buffer.getvalue()])


def test_nothing_painted_is_the_source_and_everything_the_reference(mixer: Mixer, desk: Desk) -> None:
    mix = Mix()
    assert mixer.paint(desk, [layer(None)]) == "" == mixer.paint(desk, [])
    assert mixer.draw(desk, mix) == to_picture(mixer.face(desk, mix.source))
    assert words(mixer, desk, mix).startswith("Nothing is painted")
    full = Mix(masks=("", mixer.paint(desk, [layer((0, 0, CANVAS, CANVAS))])))
    assert mixer.draw(desk, full) == to_picture(mixer.face(desk, mix.reference))
    assert words(mixer, desk, full).startswith("Everything is painted")


def test_a_painted_layer_comes_back_to_its_canvas(mixer: Mixer, desk: Desk) -> None:
    key = mixer.paint(desk, [layer(LEFT)])
    again, buffer = mixer.painted(desk, key), io.BytesIO()
    assert again is not None
    again.save(buffer, format="PNG")
    assert mixer.paint(desk, [buffer.getvalue()]) == key


def test_both_canvases_count_and_swapping_keeps_each_with_its_face(mixer: Mixer, desk: Desk) -> None:
    left, right = mixer.paint(desk, [layer(LEFT)]), mixer.paint(desk, [layer((CANVAS // 2, 0, CANVAS, CANVAS))])
    mix = Mix(masks=(left, right))
    assert float(mixer.mask(desk, mix).mean()) == 1
    assert mix.swapped() == Mix(source=mix.reference, reference=mix.source, masks=(right, left))
    assert mix.swapped().swapped() == mix


def test_an_edit_inside_the_mask_leaves_the_rest(mixer: Mixer, desk: Desk) -> None:
    name = next(iter(mixer.editor.library.titles))
    mix = Mix(masks=(mixer.paint(desk, [layer(LEFT)]), ""), content=EDIT, edit=f"interfacegan/{name}", amount=4.0)
    before, after = (np.asarray(picture, float) for picture in (to_picture(mixer.face(desk, mix.source)), mixer.draw(desk, mix)))
    changed = np.abs(after - before).mean((0, 2))
    assert changed[:24].mean() > 3 * changed[40:].mean()


def test_film_and_methods_show_the_same_mask(mixer: Mixer, desk: Desk) -> None:
    mix = Mix(masks=(mixer.paint(desk, [layer(LEFT)]), ""))
    assert [caption for _, caption in mixer.film(desk, mix)] == ["20%", "40%", "60%", "80%", "100%"]
    assert [caption for _, caption in mixer.methods(desk, mix)] == [
        "styles by pixel",
        "coarsest features too",
        "styles and features",
        "pasted pixels",
        "one vector",
    ]


def test_the_same_mask_in_stylemapgans_own_networks(mixer: Mixer, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    monkeypatch.setattr("engines.mix.stylemapgan.bundled_stylemapgan", lambda name, _: asked.append(name) or toy_stylemapgan())
    monkeypatch.setattr("engines.mix.stylemapgan.bundled_boundary", lambda *_: Boundary(torch.ones(1, 8, 4, 4) / 128**0.5, 1.0))
    mix = Mix(masks=(mixer.paint(desk, [layer(LEFT)]), ""))
    shown = mixer.in_own_networks(desk, mix, settings={"cells": "16"})
    assert asked == ["stylemapgan_16"]
    captions = [caption for _, caption in shown]
    first = ["source", "source again", "reference", "reference again", "mixed in W+", "mixed in the map"]
    assert captions[:6] == first and len(set(captions)) == len(captions)
    assert not {"mixed in W+", "rectangle copied"} & {caption for _, caption in mixer.in_own_networks(desk, Mix())}
    other = {caption: picture for picture, caption in mixer.in_own_networks(desk, mix, 5)}
    assert other["random face 1"] != shown[captions.index("random face 1")][0] and other["source"] == shown[0][0]
    pictures = {caption: np.asarray(picture, int) for picture, caption in shown}
    assert {picture.shape for picture in pictures.values()} == {(256, 256, 3)}
    assert np.abs(pictures["mixed in W+"] - pictures["source again"]).max() > 1


def test_a_mixture_goes_on_the_shelf_beside_its_source_and_can_be_edited(mixer: Mixer, desk: Desk) -> None:
    mix = Mix(masks=(mixer.paint(desk, [layer(LEFT)]), ""))
    source = desk.put("Source", mixer.canvas(desk, mix.source), mixer.editor.moved(desk, mix.source, Edits()))
    item = desk.put("Mixed", mixer.draw(desk, mix), mixer.kept(desk, mix))
    assert item.key != source.key and len(desk.shelf) == 2
    again = mixer.face(desk, Face("Shelf", None, 1.0, item.key))
    assert np.abs(np.asarray(to_picture(again), int) - np.asarray(mixer.draw(desk, mix), int)).max() <= 1
    onward = Mix(source=Face("Shelf", None, 1.0, item.key), masks=("", mix.masks[0]))
    assert mixer.draw(desk, onward).size == (64, 64)


def test_two_weight_changes_are_drawn_but_not_kept_as_one(mixer: Mixer, desk: Desk) -> None:
    generator = mixer.session.generator
    tuned = Inversion(Latent("w", random_w(generator, 3)), {"to_img_32.bias": generator.tunable()["to_img_32.bias"] + 0.1})
    item = desk.put("Tuned", Pil.new("RGB", (64, 64)), tuned)
    mix = Mix(reference=Face("Shelf", None, 1.0, item.key), masks=(mixer.paint(desk, [layer(LEFT)]), ""))
    assert mixer.draw(desk, mix).size == (64, 64)
    with pytest.raises(StudioError, match="two generators"):
        mixer.kept(desk, mix)


@pytest.mark.parametrize(
    "mix", [Mix(layers="nonsense"), Mix(carry="perhaps"), Mix(edge=float("nan")), Mix(masks=("gone", "")), Mix(source=Face("Seed", -1))]
)
def test_what_no_control_can_say_is_refused(mixer: Mixer, desk: Desk, mix: Mix) -> None:
    with pytest.raises(StudioError):
        mixer.draw(desk, mix)


def test_ready_made_parts_unite(mixer: Mixer, desk: Desk) -> None:
    key = mixer.ready_made(desk, Face(), ["left half", "right half"])
    assert float(mixer.mask(desk, Mix(masks=(key, ""))).mean()) == 1
    assert mixer.ready_made(desk, Face(), []) == ""
    with pytest.raises(StudioError, match="There is no part 'tail'"):
        mixer.ready_made(desk, Face(), ["tail"])


def test_masks_of_a_visitor_are_theirs_and_the_oldest_go(mixer: Mixer, desk: Desk) -> None:
    key = mixer.paint(desk, [layer(LEFT)])
    with pytest.raises(StudioError, match="not kept any more"):
        mixer.mask(Desk(0), Mix(masks=(key, "")))
    for height in range(1, 62):
        mixer.keep(desk, np.pad(np.full((height, 8), 255, np.uint8), ((0, CANVAS - height), (0, CANVAS - 8))))
    with pytest.raises(StudioError, match="not kept any more"):
        mixer.mask(desk, Mix(masks=(key, "")))


def test_the_full_picture_is_claimed_once_after_a_rest(mixer: Mixer, desk: Desk) -> None:
    assert not mixer.rested(desk, 0)
    mixer.move(desk)
    assert not mixer.rested(desk, 60)
    assert mixer.rested(desk, 0) and not mixer.rested(desk, 0)


def test_controls_say_a_mixture_and_the_shelf_offers_its_newest(desk: Desk) -> None:
    mix = turned(Mix(edit="interfacegan/smile"), EDIT, None, -1.5, "shape", 50, 6, 10, -20, "always")
    assert (mix.edit, mix.edge, mix.shift, mix.layers) == ("interfacegan/smile", 0.06, (0.1, -0.2), "shape")
    assert (mix.amount, mix.strength, mix.carry) == (-1.5, 0.5, "always")
    item = desk.put("a", Pil.new("RGB", (8, 8)), Inversion(Latent("w", torch.full((1, 32), 3.0))))
    assert facing(desk, "Shelf", 1, 0.5, None) == Face("Shelf", None, 1.0, item.key) == facing(desk, "Shelf", 1, 0.5, "gone")
    assert choosing(desk, facing(desk, "Shelf", 1, 0.5, None))[-1].value == item.key


@pytest.mark.parametrize("edit", ["", "interfacegan", "ganspace", "sefa/all"])
def test_the_lines_of_python_run(mixer: Mixer, desk: Desk, edit: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = mixer.editor.library.keys(edit or "interfacegan", desk)[0]
    content = EDIT if edit else "another face"
    mix = Mix(masks=(mixer.paint(desk, [layer(LEFT)]), ""), content=content, edit=key, layers="texture", shift=(0.1, 0.0))
    monkeypatch.chdir(tmp_path)
    mixer.hard(desk, mix).save("mask.png")
    exec(compile(recipe("toy", mix), "recipe", "exec"), {})
    assert Pil.open("mixed.png").size == (64, 64)


def test_parts_of_several_references_lie_over_one_another(mixer: Mixer, desk: Desk) -> None:
    left, right = mixer.paint(desk, [layer(LEFT)]), mixer.paint(desk, [layer((CANVAS // 2, 0, CANVAS, CANVAS))])
    first = Mix(reference=Face(seed=12), masks=(left, ""), edge=0.0)
    both = replace(first.onward(), reference=Face(seed=21), masks=(right, ""))
    assert [part.reference.seed for part in both.parts] == [12, 21] and len(mixer.layers(desk, both)) == 2
    mixed, alone = (np.asarray(mixer.draw(desk, mix), int) for mix in (both, first))
    assert np.abs(mixed - alone)[:, :20].mean() < 0.3 * np.abs(mixed - alone)[:, 44:].mean()
    over = replace(both, masks=(left, ""))
    assert mixer.draw(desk, over) == mixer.draw(desk, replace(over, below=()))  # a later part covers an earlier one wholly


def test_a_part_is_taken_up_again_and_another_off(mixer: Mixer, desk: Desk) -> None:
    left = mixer.paint(desk, [layer(LEFT)])
    both = replace(Mix(masks=(left, "")).onward(), reference=Face(seed=21), masks=("", left), strength=0.5)
    up = both.taken_up(0)
    assert (up.reference.seed, up.masks) == (12, (left, "")) and [part.reference.seed for part in up.below] == [21]
    assert up.taken_up(0).reference.seed == 21 and up.without(0).below == ()
    empty = replace(both, masks=("", ""))
    assert empty.taken_up(0).below == ()
    for wrong, said in (
        (lambda: Mix().onward(), "no part to keep"),
        (lambda: both.taken_up(5), "not there any more"),
        (lambda: replace(both, below=both.below * 6).onward(), "At most 7 parts"),
    ):
        with pytest.raises(StudioError, match=said):
            wrong()


def test_a_late_word_of_canvases_that_show_something_else_by_now_is_no_stroke(mixer: Mixer, desk: Desk) -> None:
    shown = canvases(mixer, desk, Mix())[-1]
    assert mixer.hangs(desk, shown)
    canvases(mixer, desk, Mix(masks=(mixer.paint(desk, [layer(LEFT)]), "")))
    assert not mixer.hangs(desk, shown)


def test_the_lines_of_python_mix_several_parts(mixer: Mixer, desk: Desk, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    mix = replace(Mix(masks=(mixer.paint(desk, [layer(LEFT)]), "")).onward(), reference=Face(seed=21))
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        mixer.hard(desk, mix.parts[0]).save(f"mask_{number}.png")
    exec(compile(recipe("toy", mix), "recipe", "exec"), {})
    assert Pil.open("mixed.png").size == (64, 64)


def halves(mixer: Mixer, desk: Desk, mix: Mix) -> list[float]:
    """How much of the mask's left and right half is painted."""
    mask = mixer.mask(desk, mix)
    return [round(float(half.mean()), 2) for half in mask.chunk(2, dim=3)]


def test_what_a_hand_did_outlives_ready_made_parts(mixer: Mixer, desk: Desk) -> None:
    """Strokes beside a part stay when it goes, and what was erased of it stays away when the face changes."""
    stroke = (CANVAS // 2, 0, CANVAS, CANVAS // 2)
    mix = mixer.refitted(desk, Mix(masks=(mixer.paint(desk, [layer(stroke)]), "")), ready=["left half"])
    assert mix.ready == ("left half",) and halves(mixer, desk, mix) == [1, 0.5]
    assert halves(mixer, desk, mixer.refitted(desk, mix, ready=[])) == [0, 0.5]
    assert halves(mixer, desk, mixer.refitted(desk, mix, ready=["right half"])) == [0, 1]

    erased = mixer.paint(desk, [layer((0, CANVAS // 2, CANVAS // 2, CANVAS))])
    mix = replace(mix, masks=(erased, ""))
    mixed = mixer.refitted(desk, mix, source=Face(seed=31))
    assert mixed.source == Face(seed=31) and mixed.ready == ("left half",) and halves(mixer, desk, mixed) == [0.5, 0]
    assert mixer.refitted(desk, Mix(masks=(erased, "")), source=Face(seed=31)).masks == (erased, "")


def test_a_part_of_a_face_that_is_gone_gives_way_to_the_new_face_s(mixer: Mixer, desk: Desk) -> None:
    mix = mixer.refitted(desk, Mix(), ready=["left half"])
    gone = replace(mix, source=Face("Shelf", None, 1.0, "gone"))
    assert halves(mixer, desk, mixer.refitted(desk, gone, source=Face(seed=3))) == [1, 0]
    with pytest.raises(StudioError, match="no part"):
        mixer.refitted(desk, mix, ready=["tail"])


def test_parts_go_with_their_ready_made_names() -> None:
    mix = Mix(masks=("a", "b"), ready=("mouth",))
    assert mix.cleared() == Mix() and mix.onward().ready == () and mix.onward().below[0].ready == ("mouth",)
    assert mix.onward().taken_up(0).ready == ("mouth",)


@pytest.mark.parametrize(
    ("change", "whole"),
    [({}, True), ({"layers": "texture"}, False), ({"content": EDIT}, False), ({"shift": (0.3, 0.0)}, False), ({"strength": 0.5}, False)],
)
def test_only_the_other_face_is_called_so(mixer: Mixer, desk: Desk, change: dict, whole: bool) -> None:
    mix = Mix(masks=(mixer.paint(desk, [layer((0, 0, CANVAS, CANVAS))]), ""), **change)
    assert ("this is the other face" in words(mixer, desk, mix)) == whole


def test_an_edit_is_any_of_the_library_s(mixer: Mixer, desk: Desk) -> None:
    assert all(key.startswith("ganspace/") for _, key in offered(mixer, desk, "ganspace"))
    shelf, edit, amount = editing_shown(mixer, desk, EDIT, "ganspace/1", 99.0)
    assert (shelf.value, edit.value, amount.value, amount.maximum) == ("ganspace", "ganspace/1", 5.0, 5.0)
    shelf, edit, _ = editing_shown(mixer, desk, EDIT, "mine/gone", 1.0)
    assert shelf.value == "mine" and edit.value is None
