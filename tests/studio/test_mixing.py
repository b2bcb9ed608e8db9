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
from studio.services.direction_library import Library
from studio.services.editor import Editor
from studio.services.mixer import Mixer
from studio.state.edits import Edits, Face
from studio.state.mix import CANVAS, EDIT, Mix
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.tabs.mix.canvases import canvases, words
from studio.tabs.mix.controls import editing_shown, offered, turned
from studio.tabs.mix.faces import choosing, facing
from studio.tabs.mix.output import recipe


@pytest.fixture
def mixer(session: Session) -> Mixer:
    return Mixer(Editor(session, Library(session)))


@pytest.fixture
def visitor() -> Visitor:
    return Visitor(2**24)


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
def test_what_is_painted_counts_in_any_size(mixer: Mixer, visitor: Visitor, side: int, form: str) -> None:
    key = mixer.paint(visitor, [layer((0, 0, side // 2, side), side, form)])
    mask = mixer.mask(visitor, Mix(masks=(key, "")))
    assert mask.shape == (1, 1, CANVAS, CANVAS)
    assert float(mask[..., : CANVAS // 2 - 4].min()) == 1 and float(mask[..., CANVAS // 2 + 4 :].max()) == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no picture", "could not be read"),
        (layer(None, 2000), "at most 1024"),
        (b"", "could not be read"),
        (layer(None)[:60], "could not"),
    ],
)
def test_bad_masks_get_a_sentence(mixer: Mixer, visitor: Visitor, data: bytes, words: str) -> None:
    with pytest.raises(StudioError, match=words):
        mixer.paint(visitor, [data])


def test_what_was_painted_outlasts_other_visitors_and_their_faces_do_not(mixer: Mixer, visitor: Visitor) -> None:
    key = mixer.paint(visitor, [layer(LEFT)])
    others = [Visitor(0) for _ in range(12)]
    for other in others:
        mixer.face(other, Face(), mixer.session.generator.exits[0])
    assert sum(bool(cache.faces) for cache in mixer._caches) == 8
    assert mixer.painted(visitor, key) is not None


def test_a_mask_that_is_not_square_gets_a_sentence(mixer: Mixer, visitor: Visitor) -> None:
    buffer = io.BytesIO()
    Pil.new("RGBA", (300, 200), "blue").save(buffer, format="PNG")
    with pytest.raises(StudioError, match="300 x 200 pixels came; wanted a square one"):
        mixer.paint(visitor, [buffer.getvalue()])


def test_nothing_painted_is_the_source_and_everything_the_reference(mixer: Mixer, visitor: Visitor) -> None:
    mix = Mix()
    assert mixer.paint(visitor, [layer(None)]) == "" == mixer.paint(visitor, [])
    assert mixer.draw(visitor, mix) == to_picture(mixer.face(visitor, mix.source))
    assert words(mixer, visitor, mix).startswith("Nothing is painted")
    full = Mix(masks=("", mixer.paint(visitor, [layer((0, 0, CANVAS, CANVAS))])))
    assert mixer.draw(visitor, full) == to_picture(mixer.face(visitor, mix.reference))
    assert words(mixer, visitor, full).startswith("Everything is painted")


def test_a_painted_layer_comes_back_to_its_canvas(mixer: Mixer, visitor: Visitor) -> None:
    key = mixer.paint(visitor, [layer(LEFT)])
    again, buffer = mixer.painted(visitor, key), io.BytesIO()
    assert again is not None
    again.save(buffer, format="PNG")
    assert mixer.paint(visitor, [buffer.getvalue()]) == key


def test_both_canvases_count_and_swapping_keeps_each_with_its_face(mixer: Mixer, visitor: Visitor) -> None:
    left, right = mixer.paint(visitor, [layer(LEFT)]), mixer.paint(visitor, [layer((CANVAS // 2, 0, CANVAS, CANVAS))])
    mix = Mix(masks=(left, right))
    assert float(mixer.mask(visitor, mix).mean()) == 1
    assert mix.swapped() == Mix(source=mix.reference, reference=mix.source, masks=(right, left))
    assert mix.swapped().swapped() == mix


def test_an_edit_inside_the_mask_leaves_the_rest(mixer: Mixer, visitor: Visitor) -> None:
    name = next(iter(mixer.editor.library.titles))
    mix = Mix(masks=(mixer.paint(visitor, [layer(LEFT)]), ""), content=EDIT, edit=f"interfacegan/{name}", amount=4.0)
    before, after = (np.asarray(picture, float) for picture in (to_picture(mixer.face(visitor, mix.source)), mixer.draw(visitor, mix)))
    changed = np.abs(after - before).mean((0, 2))
    assert changed[:24].mean() > 3 * changed[40:].mean()


def test_film_and_methods_show_the_same_mask(mixer: Mixer, visitor: Visitor) -> None:
    mix = Mix(masks=(mixer.paint(visitor, [layer(LEFT)]), ""))
    assert [caption for _, caption in mixer.film(visitor, mix)] == ["20%", "40%", "60%", "80%", "100%"]
    assert [caption for _, caption in mixer.methods(visitor, mix)] == [
        "styles by pixel",
        "coarsest features too",
        "styles and features",
        "pasted pixels",
        "one vector",
    ]


def test_the_same_mask_in_stylemapgans_own_networks(mixer: Mixer, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    monkeypatch.setattr("engines.mix.stylemapgan.bundled_stylemapgan", lambda name, _: asked.append(name) or toy_stylemapgan())
    monkeypatch.setattr("engines.mix.stylemapgan.bundled_boundary", lambda *_: Boundary(torch.ones(1, 8, 4, 4) / 128**0.5, 1.0))
    mix = Mix(masks=(mixer.paint(visitor, [layer(LEFT)]), ""))
    shown = mixer.in_own_networks(visitor, mix, settings={"cells": "16"})
    assert asked == ["stylemapgan_16"]
    captions = [caption for _, caption in shown]
    first = ["source", "source again", "reference", "reference again", "mixed in W+", "mixed in the map"]
    assert captions[:6] == first and len(set(captions)) == len(captions)
    assert not {"mixed in W+", "rectangle copied"} & {caption for _, caption in mixer.in_own_networks(visitor, Mix())}
    other = {caption: picture for picture, caption in mixer.in_own_networks(visitor, mix, 5)}
    assert other["random face 1"] != shown[captions.index("random face 1")][0] and other["source"] == shown[0][0]
    pictures = {caption: np.asarray(picture, int) for picture, caption in shown}
    assert {picture.shape for picture in pictures.values()} == {(256, 256, 3)}
    assert np.abs(pictures["mixed in W+"] - pictures["source again"]).max() > 1


def test_a_mixture_goes_on_the_shelf_beside_its_source_and_can_be_edited(mixer: Mixer, visitor: Visitor) -> None:
    mix = Mix(masks=(mixer.paint(visitor, [layer(LEFT)]), ""))
    source = visitor.put("Source", mixer.canvas(visitor, mix.source), mixer.editor.moved(visitor, mix.source, Edits()))
    item = visitor.put("Mixed", mixer.draw(visitor, mix), mixer.kept(visitor, mix))
    assert item.key != source.key and len(visitor.shelf) == 2
    again = mixer.face(visitor, Face("Shelf", None, 1.0, item.key))
    assert np.abs(np.asarray(to_picture(again), int) - np.asarray(mixer.draw(visitor, mix), int)).max() <= 1
    onward = Mix(source=Face("Shelf", None, 1.0, item.key), masks=("", mix.masks[0]))
    assert mixer.draw(visitor, onward).size == (64, 64)


def test_two_weight_changes_are_drawn_but_not_kept_as_one(mixer: Mixer, visitor: Visitor) -> None:
    generator = mixer.session.generator
    tuned = Inversion(Latent("w", random_w(generator, 3)), {"to_img_32.bias": generator.tunable()["to_img_32.bias"] + 0.1})
    item = visitor.put("Tuned", Pil.new("RGB", (64, 64)), tuned)
    mix = Mix(reference=Face("Shelf", None, 1.0, item.key), masks=(mixer.paint(visitor, [layer(LEFT)]), ""))
    assert mixer.draw(visitor, mix).size == (64, 64)
    with pytest.raises(StudioError, match="two generators"):
        mixer.kept(visitor, mix)


@pytest.mark.parametrize(
    "mix", [Mix(layers="nonsense"), Mix(carry="perhaps"), Mix(edge=float("nan")), Mix(masks=("gone", "")), Mix(source=Face("Seed", -1))]
)
def test_what_no_control_can_say_is_refused(mixer: Mixer, visitor: Visitor, mix: Mix) -> None:
    with pytest.raises(StudioError):
        mixer.draw(visitor, mix)


def test_ready_made_parts_unite(mixer: Mixer, visitor: Visitor) -> None:
    key = mixer.ready_made(visitor, Face(), ["left half", "right half"])
    assert float(mixer.mask(visitor, Mix(masks=(key, ""))).mean()) == 1
    assert mixer.ready_made(visitor, Face(), []) == ""
    with pytest.raises(StudioError, match="There is no part 'tail'"):
        mixer.ready_made(visitor, Face(), ["tail"])


def test_masks_of_a_visitor_are_theirs_and_the_oldest_go(mixer: Mixer, visitor: Visitor) -> None:
    key = mixer.paint(visitor, [layer(LEFT)])
    with pytest.raises(StudioError, match="not kept any more"):
        mixer.mask(Visitor(0), Mix(masks=(key, "")))
    for height in range(1, 62):
        mixer.keep(visitor, np.pad(np.full((height, 8), 255, np.uint8), ((0, CANVAS - height), (0, CANVAS - 8))))
    with pytest.raises(StudioError, match="not kept any more"):
        mixer.mask(visitor, Mix(masks=(key, "")))


def test_the_full_picture_is_claimed_once_after_a_rest(mixer: Mixer, visitor: Visitor) -> None:
    assert not mixer.rested(visitor, 0)
    mixer.move(visitor)
    assert not mixer.rested(visitor, 60)
    assert mixer.rested(visitor, 0) and not mixer.rested(visitor, 0)


def test_controls_say_a_mixture_and_the_shelf_offers_its_newest(visitor: Visitor) -> None:
    mix = turned(Mix(edit="interfacegan/smile"), EDIT, None, -1.5, "shape", 50, 6, 10, -20, "always")
    assert (mix.edit, mix.edge, mix.shift, mix.layers) == ("interfacegan/smile", 0.06, (0.1, -0.2), "shape")
    assert (mix.amount, mix.strength, mix.carry) == (-1.5, 0.5, "always")
    item = visitor.put("a", Pil.new("RGB", (8, 8)), Inversion(Latent("w", torch.full((1, 32), 3.0))))
    assert facing(visitor, "Shelf", 1, 0.5, None) == Face("Shelf", None, 1.0, item.key) == facing(visitor, "Shelf", 1, 0.5, "gone")
    assert choosing(visitor, facing(visitor, "Shelf", 1, 0.5, None))[-1].value == item.key


@pytest.mark.parametrize("edit", ["", "interfacegan", "ganspace", "sefa/all"])
def test_the_lines_of_python_run(mixer: Mixer, visitor: Visitor, edit: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = mixer.editor.library.keys(edit or "interfacegan", visitor)[0]
    content = EDIT if edit else "another face"
    mix = Mix(masks=(mixer.paint(visitor, [layer(LEFT)]), ""), content=content, edit=key, layers="texture", shift=(0.1, 0.0))
    monkeypatch.chdir(tmp_path)
    mixer.hard(visitor, mix).save("mask.png")
    exec(compile(recipe(mixer, visitor, mix), "recipe", "exec"), {})
    assert Pil.open("mixed.png").size == (64, 64)


def test_parts_of_several_references_lie_over_one_another(mixer: Mixer, visitor: Visitor) -> None:
    left, right = mixer.paint(visitor, [layer(LEFT)]), mixer.paint(visitor, [layer((CANVAS // 2, 0, CANVAS, CANVAS))])
    first = Mix(reference=Face(seed=12), masks=(left, ""), edge=0.0)
    both = replace(first.onward(), reference=Face(seed=21), masks=(right, ""))
    assert [part.reference.seed for part in both.parts] == [12, 21] and len(mixer.layers(visitor, both)) == 2
    mixed, alone = (np.asarray(mixer.draw(visitor, mix), int) for mix in (both, first))
    assert np.abs(mixed - alone)[:, :20].mean() < 0.3 * np.abs(mixed - alone)[:, 44:].mean()
    over = replace(both, masks=(left, ""))
    assert mixer.draw(visitor, over) == mixer.draw(visitor, replace(over, below=()))  # a later part covers an earlier one wholly


def test_a_part_is_taken_up_again_and_another_off(mixer: Mixer, visitor: Visitor) -> None:
    left = mixer.paint(visitor, [layer(LEFT)])
    both = replace(Mix(masks=(left, "")).onward(), reference=Face(seed=21), masks=("", left), strength=0.5)
    up = both.taken_up(0)
    assert (up.reference.seed, up.masks) == (Mix().reference.seed, (left, "")) and [part.reference.seed for part in up.below] == [21]
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


def test_a_late_word_of_canvases_that_show_something_else_by_now_is_no_stroke(mixer: Mixer, visitor: Visitor) -> None:
    shown = canvases(mixer, visitor, Mix())[-1]
    assert mixer.hangs(visitor, shown)
    canvases(mixer, visitor, Mix(masks=(mixer.paint(visitor, [layer(LEFT)]), "")))
    assert not mixer.hangs(visitor, shown)


def test_the_lines_of_python_mix_several_parts(mixer: Mixer, visitor: Visitor, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    mix = replace(Mix(masks=(mixer.paint(visitor, [layer(LEFT)]), "")).onward(), reference=Face(seed=21))
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        mixer.hard(visitor, mix.parts[0]).save(f"mask_{number}.png")
    exec(compile(recipe(mixer, visitor, mix), "recipe", "exec"), {})
    assert Pil.open("mixed.png").size == (64, 64)


def halves(mixer: Mixer, visitor: Visitor, mix: Mix) -> list[float]:
    """How much of the mask's left and right half is painted."""
    mask = mixer.mask(visitor, mix)
    return [round(float(half.mean()), 2) for half in mask.chunk(2, dim=3)]


def test_what_a_hand_did_outlives_ready_made_parts(mixer: Mixer, visitor: Visitor) -> None:
    """Strokes beside a part stay when it goes, and what was erased of it stays away when the face changes."""
    stroke = (CANVAS // 2, 0, CANVAS, CANVAS // 2)
    mix = mixer.refitted(visitor, Mix(masks=(mixer.paint(visitor, [layer(stroke)]), "")), ready=["left half"])
    assert mix.ready == ("left half",) and halves(mixer, visitor, mix) == [1, 0.5]
    assert halves(mixer, visitor, mixer.refitted(visitor, mix, ready=[])) == [0, 0.5]
    assert halves(mixer, visitor, mixer.refitted(visitor, mix, ready=["right half"])) == [0, 1]

    erased = mixer.paint(visitor, [layer((0, CANVAS // 2, CANVAS // 2, CANVAS))])
    mix = replace(mix, masks=(erased, ""))
    mixed = mixer.refitted(visitor, mix, source=Face(seed=31))
    assert mixed.source == Face(seed=31) and mixed.ready == ("left half",) and halves(mixer, visitor, mixed) == [0.5, 0]
    assert mixer.refitted(visitor, Mix(masks=(erased, "")), source=Face(seed=31)).masks == (erased, "")


def test_a_part_of_a_face_that_is_gone_gives_way_to_the_new_face_s(mixer: Mixer, visitor: Visitor) -> None:
    mix = mixer.refitted(visitor, Mix(), ready=["left half"])
    gone = replace(mix, source=Face("Shelf", None, 1.0, "gone"))
    assert halves(mixer, visitor, mixer.refitted(visitor, gone, source=Face(seed=3))) == [1, 0]
    with pytest.raises(StudioError, match="no part"):
        mixer.refitted(visitor, mix, ready=["tail"])


def test_parts_go_with_their_ready_made_names() -> None:
    mix = Mix(masks=("a", "b"), ready=("mouth",))
    assert mix.cleared() == Mix() and mix.onward().ready == () and mix.onward().below[0].ready == ("mouth",)
    assert mix.onward().taken_up(0).ready == ("mouth",)


@pytest.mark.parametrize(
    ("change", "whole"),
    [({}, True), ({"layers": "texture"}, False), ({"content": EDIT}, False), ({"shift": (0.3, 0.0)}, False), ({"strength": 0.5}, False)],
)
def test_only_the_other_face_is_called_so(mixer: Mixer, visitor: Visitor, change: dict, whole: bool) -> None:
    mix = Mix(masks=(mixer.paint(visitor, [layer((0, 0, CANVAS, CANVAS))]), ""), **change)
    assert ("this is the other face" in words(mixer, visitor, mix)) == whole


def test_an_edit_is_any_of_the_library_s(mixer: Mixer, visitor: Visitor) -> None:
    assert all(key.startswith("ganspace/") for _, key in offered(mixer, visitor, "ganspace"))
    shelf, edit, amount = editing_shown(mixer, visitor, EDIT, "ganspace/1", 99.0)
    assert (shelf.value, edit.value, amount.value, amount.maximum) == ("ganspace", "ganspace/1", 5.0, 5.0)
    shelf, edit, _ = editing_shown(mixer, visitor, EDIT, "mine/gone", 1.0)
    assert shelf.value == "mine" and edit.value is None
