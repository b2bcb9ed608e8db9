"""A mixture in a picture or an address: it comes back bit for bit, and whatever a stranger writes there is refused in a sentence."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pil

from engines import Direction, Inversion, Latent
from engines.core.errors import StudioError
from engines.core.images import png_bytes, png_recipe
from studio.services.direction_library import Library
from studio.services.editor import Editor
from studio.services.mix_recipe import mix_query, mix_text, read_mix_text
from studio.services.mixer import Mixer
from studio.services.recipe_text import LONGEST, LONGEST_IN_PICTURE, from_query, kind_of
from studio.settings import Settings
from studio.state.edits import Face
from studio.state.mix import CANVAS, EDIT, Mix, Painted
from studio.state.session import Session
from studio.state.visitor import Visitor

BRIGHTER = "interfacegan/brightness"


@pytest.fixture(scope="module")
def mixer() -> Mixer:
    session = Session(Settings(generator="toy"))
    return Mixer(Editor(session, Library(session)))


def blob(seed: int = 1) -> Painted:
    """A soft stroke: every value that a brush leaves."""
    x, y = np.meshgrid(np.arange(CANVAS), np.arange(CANVAS))
    distance = np.hypot(x - 150 - 20 * seed, y - 260)
    return np.clip(255 - 3 * (distance - 60), 0, 255).astype(np.uint8)


def painted(mixer: Mixer, visitor: Visitor) -> Mix:
    """Two parts: an edit under a ready-made half, both canvases painted, everything turned."""
    first = Mix(masks=(mixer.keep(visitor, blob(4)), ""), content=EDIT, edit=BRIGHTER, amount=3.0).onward()
    mix = mixer.refitted(visitor, replace(first, content="another face", reference=Face(seed=5, truncation=0.5)), ready=("left half",))
    return replace(mix, masks=(mixer.keep(visitor, blob()), mix.masks[1]), shift=(0.1, -0.05), strength=0.75, layers="shape", carry="moved")


@pytest.fixture(scope="module")
def text(mixer: Mixer) -> str:
    """A recipe with something of everything."""
    there = Visitor(2**24)
    return mix_text(mixer, there, painted(mixer, there))


def test_a_mixture_comes_back_from_its_picture_bit_for_bit(mixer: Mixer) -> None:
    there, here = Visitor(2**24), Visitor(2**24)
    mix = painted(mixer, there)
    picture = mixer.draw(there, mix)
    text = png_recipe(png_bytes(picture, mix_text(mixer, there, mix)))
    assert kind_of(text) == "mixture" and len(text) < LONGEST_IN_PICTURE
    again = read_mix_text(text, mixer, here)
    assert again == mix
    assert mixer.draw(here, again) == picture and mix_text(mixer, here, again) == text


def test_ready_made_parts_are_named_and_found_again(mixer: Mixer) -> None:
    there, here = Visitor(2**24), Visitor(2**24)
    mix = mixer.refitted(there, Mix(edit=BRIGHTER), ready=("mouth", "left half"))
    query = mix_query(mixer, there, mix)
    text = from_query(query.removeprefix("?recipe="))
    assert json.loads(text)["masks"] == {} and len(query) < 1500
    assert read_mix_text(text, mixer, here) == mix
    assert mixer.draw(here, mix) == mixer.draw(there, mix)


def test_a_part_below_keeps_its_ready_made_mask_when_the_source_is_another(mixer: Mixer) -> None:
    there, here = Visitor(2**24), Visitor(2**24)
    mix = mixer.refitted(there, Mix(edit=BRIGHTER), ready=("right half",)).onward()
    mix = mixer.faced(there, mix, "source", Face(seed=77))
    again = read_mix_text(mix_text(mixer, there, mix), mixer, here)
    assert again == mix and mixer.draw(here, again) == mixer.draw(there, mix)


def test_faces_of_the_shelf_are_found_there_or_asked_for(mixer: Mixer) -> None:
    there, here = Visitor(2**24), Visitor(2**24)
    code = Inversion(Latent("w", torch.ones(1, mixer.session.generator.width)))
    key = there.put("mine", Pil.new("RGB", (8, 8)), code).key
    mix = Mix(masks=(mixer.keep(there, blob()), ""), edit=BRIGHTER, reference=Face("Shelf", None, 1.0, key))
    text = mix_text(mixer, there, mix)
    with pytest.raises(StudioError, match=r"The reference of this mixture is a face that is not on your shelf.*invert the photo"):
        read_mix_text(text, mixer, here)
    assert not here.mixed.masks
    here.put("mine too", Pil.new("RGB", (8, 8)), code)
    assert read_mix_text(text, mixer, here) == mix
    laid = mix.onward()
    with pytest.raises(StudioError, match="The reference of part 1 of this mixture"):
        read_mix_text(mix_text(mixer, there, laid), mixer, Visitor(0))
    with pytest.raises(StudioError, match="The source of this mixture"):
        read_mix_text(mix_text(mixer, there, replace(mix, source=mix.reference, reference=Face())), mixer, Visitor(0))


def test_a_link_hands_out_what_everyone_has(mixer: Mixer) -> None:
    visitor = Visitor(2**24)
    with pytest.raises(StudioError, match=r"by seed\. The source lies on your shelf alone"):
        mix_query(mixer, visitor, Mix(source=Face("Shelf", None, 1.0, "abc"), edit=BRIGHTER))
    noise = np.random.default_rng(0).integers(0, 255, (CANVAS, CANVAS)).astype(np.uint8)
    with pytest.raises(StudioError, match=r"too long for an address\. Download the picture instead"):
        mix_query(mixer, visitor, Mix(masks=("", mixer.keep(visitor, noise)), edit=BRIGHTER))
    width, slots = mixer.session.generator.width, tuple(mixer.session.generator.slots.active)
    key = mixer.editor.library.add(Direction("mine", "w", torch.ones(width) / width**0.5, slots, 1.0, "test"), visitor)
    with pytest.raises(StudioError, match="has your own in it: "):
        mix_query(mixer, visitor, Mix(masks=(mixer.keep(visitor, blob()), ""), content=EDIT, edit=key))
    unused = read_mix_text(mix_text(mixer, visitor, Mix(edit=key)), mixer, Visitor(0))
    assert unused.edit == mixer.first_edit


def test_what_is_too_much_for_a_picture_is_left_out_of_it(mixer: Mixer) -> None:
    visitor = Visitor(2**24)
    noise = np.random.default_rng(0).integers(0, 255, (CANVAS, CANVAS)).astype(np.uint8)
    assert mix_text(mixer, visitor, Mix(masks=("", mixer.keep(visitor, noise)), edit=BRIGHTER)) == ""


def layer(mode: str, size: tuple[int, int], form: str) -> str:
    buffer = io.BytesIO()
    Pil.new(mode, size).save(buffer, form)
    return base64.b64encode(buffer.getvalue()).decode()


def of_mix(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda told: told["mix"].update(fields)


def in_face(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda told: told["mix"]["source"].update(fields)


def mask_of(value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda told: told.update(masks=dict.fromkeys(told["masks"], value))


NAN = float("nan")
HOSTILE: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another kind": (lambda told: told.update(kind="edit"), "kind is 'edit'"),
    "no kind": (lambda told: told.pop("kind"), "kind is 'edit'"),
    "another generator": (lambda told: told.update(generator="ffhq"), "for the generator 'ffhq'"),
    "no mixture": (lambda told: told.pop("mix"), "The mixture is damaged"),
    "a mixture of words": (lambda told: told.update(mix="all"), "The mixture is damaged"),
    "a lacking field": (lambda told: told["mix"].pop("edge"), "its edge is missing"),
    "a field too many": (of_mix(more=1), "no field 'more'"),
    "a long field": (of_mix(**{"x" * 5000: 1}), "no field"),
    "a face of words": (of_mix(source="me"), "The mixture's source"),
    "a face's path": (in_face(kind="Path"), "'Path' came as its kind"),
    "half a seed": (in_face(seed=0.5), "0.5 came as its seed"),
    "no seed": (in_face(seed=None), "None came as its seed"),
    "a huge seed": (in_face(seed=10**400), "came as its seed"),
    "a seed that is none": (in_face(seed=NAN), "nan came as its seed"),
    "a truncation beyond": (in_face(truncation=7), "7 came as its truncation"),
    "a nested face": (in_face(chosen=[[]]), "came as its chosen"),
    "a mask's path": (of_mix(masks=["../../x", ""]), "The mixture's masks"),
    "three masks": (of_mix(masks=["", "", ""]), "The mixture's masks"),
    "a mask that is not there": (of_mix(masks=["abc", ""]), "masks are damaged: there is none for 'abc'"),
    "masks of words": (lambda told: told.update(masks="all"), "The recipe's masks"),
    "masks of numbers": (mask_of(7), "The recipe's masks"),
    "a mask of no letters": (mask_of("?"), "could not be read"),
    "a mask that is none": (mask_of("TVo="), "could not be read"),
    "a huge mask": (mask_of(layer("LA", (3000, 3000), "PNG")), "could not be read"),
    "a long mask": (mask_of(layer("LA", (512, 1), "PNG")), "could not be read"),
    "a mask of another form": (mask_of(layer("L", (512, 512), "GIF")), "could not be read"),
    "a part that is none": (of_mix(ready=["tail"]), "The mixture's ready"),
    "parts without end": (of_mix(ready=["mouth"] * 11), "The mixture's ready"),
    "another content": (of_mix(content="a virus"), "The mixture's content"),
    "a direction of numbers": (of_mix(edit=7), "The mixture's edit"),
    "a direction that is not there": (of_mix(content=EDIT, edit="interfacegan/../secret"), "There are no directions"),
    "an amount that is none": (of_mix(amount=NAN), "The mixture's amount"),
    "an endless amount": (of_mix(amount=float("inf")), "The mixture's amount"),
    "an amount beyond": (of_mix(amount=1e9), "The mixture's amount"),
    "a strength of words": (of_mix(strength="1"), "The mixture's strength"),
    "a strength that is true": (of_mix(strength=True), "The mixture's strength"),
    "layers in a list": (of_mix(layers=["all"]), "The mixture's layers"),
    "an edge beyond": (of_mix(edge=0.5), "The mixture's edge"),
    "a place of three": (of_mix(shift=[0, 0, 0]), "The mixture's shift"),
    "a place that is none": (of_mix(shift=[NAN, 0]), "The mixture's shift"),
    "another carry": (of_mix(carry="all"), "The mixture's carry"),
    "parts by the dozen": (lambda told: told["mix"].update(below=told["mix"]["below"] * 12), "The mixture's below"),
    "parts by the thousand": (lambda told: told["mix"].update(below=told["mix"]["below"] * 1000), "no recipe"),
    "a part in a part": (lambda told: told["mix"]["below"][0].update(below=[{}]), "The mixture's below"),
    "a damaged part": (lambda told: told["mix"]["below"][0].update(strength=-1), "The mixture's strength"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_stranger_changed_is_refused_by_its_field_and_nothing_taken(mixer: Mixer, text: str, name: str) -> None:
    here, told = Visitor(2**24), json.loads(text)
    change, words = HOSTILE[name]
    change(told)
    with pytest.raises(StudioError) as caught:
        read_mix_text(json.dumps(told), mixer, here)
    assert words in str(caught.value) and len(str(caught.value)) < 600
    assert here.mixed.mix is None and not here.mixed.masks


def test_a_ready_made_part_of_a_face_on_the_shelf_is_no_recipe_of_ours(mixer: Mixer) -> None:
    visitor = Visitor(2**24)
    key = visitor.put("mine", Pil.new("RGB", (8, 8)), Inversion(Latent("w", torch.ones(1, mixer.session.generator.width)))).key
    told = json.loads(mix_text(mixer, visitor, Mix(source=Face("Shelf", None, 1.0, key), edit=BRIGHTER)))
    told["mix"].update(masks=["ready", ""], ready=["mouth"])
    with pytest.raises(StudioError, match="masks are damaged: 'ready' stands for"):
        read_mix_text(json.dumps(told), mixer, visitor)


@pytest.mark.parametrize("text", ["", "null", "[" * 3000, "7", '"mixture"', "{}", "x" * (LONGEST_IN_PICTURE + 1)])
def test_what_is_no_recipe_is_told(mixer: Mixer, text: str) -> None:
    for read in (kind_of, lambda text: read_mix_text(text, mixer, Visitor(0))):
        with pytest.raises(StudioError, match="no recipe"):
            read(text)
    assert LONGEST < LONGEST_IN_PICTURE
