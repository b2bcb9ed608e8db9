"""An edit in an address or a picture: it comes back as it was, and whatever a stranger writes there is refused in a sentence."""

import json
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pil

from engines import Inversion, Latent
from engines.core.errors import ImageError, StudioError
from engines.core.images import png_bytes, png_recipe
from studio.services.direction_library import Library
from studio.services.edit_recipe import EditRecipe, read_recipe
from studio.services.editor import Editor
from studio.services.recipe_text import LONGEST, from_query
from studio.settings import Settings
from studio.state.edits import Edits, Face, Turn
from studio.state.session import Session
from studio.state.visitor import Visitor

TURNS = (Turn("interfacegan/brightness", 1.5), Turn("ganspace/2", -2.25, "2-3"), Turn("stylespace/warmth/1", 20.0, "all"))
GIVEN = EditRecipe(Face("Seed", 7, 0.65), Edits(TURNS, ("contrast",)), "toy")


@pytest.fixture(scope="module")
def editor() -> Editor:
    session = Session(Settings(generator="toy"))
    return Editor(session, Library(session))


def test_an_edit_comes_back_from_its_address_and_its_picture(editor: Editor) -> None:
    assert read_recipe(from_query(GIVEN.query.removeprefix("?recipe=")), editor, Visitor(0)) == GIVEN
    assert read_recipe(png_recipe(png_bytes(Pil.new("RGB", (8, 8)), GIVEN.text)), editor, Visitor(0)) == GIVEN
    assert len(GIVEN.query) < 500 and set(GIVEN.query[8:]) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def test_a_face_of_the_shelf_is_found_there_and_else_the_sliders_alone_are_taken(editor: Editor) -> None:
    visitor, stranger = Visitor(2**20), Visitor(2**20)
    key = visitor.put("mine", Pil.new("RGB", (8, 8)), Inversion(Latent("w", torch.ones(1, editor.session.generator.width)))).key
    told = EditRecipe(Face("Shelf", None, 1.0, key), Edits(TURNS), "toy").text
    assert read_recipe(told, editor, visitor).face == Face("Shelf", None, 1.0, key)
    stranger.edited = (Face("Seed", 3), Edits())
    assert read_recipe(told, editor, stranger) == EditRecipe(Face("Seed", 3), Edits(TURNS), "toy")


def changed(**fields: Any) -> str:
    return json.dumps({**json.loads(GIVEN.text), **fields})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no recipe"),
        ("null", "no recipe"),
        ("[" * 3000, "no recipe"),
        ("x" * (LONGEST + 1), "no recipe"),
        (changed(studio=2), "no recipe"),
        (changed(studio=10**400), "no recipe"),
        (changed(kind="mixture"), "kind is 'mixture'"),
        (changed(kind=["edit"]), "kind is"),
        (changed(seed=10**400), "seed"),
        (changed(generator="ffhq"), "for the generator 'ffhq'"),
        (changed(generator="x" * 500), "for the generator"),
        (changed(seed=-1), "seed"),
        (changed(seed=7.5), "seed"),
        (changed(seed="7"), "seed"),
        (changed(seed=True), "seed"),
        (changed(truncation=float("nan")), "seed"),
        (changed(turns=[["interfacegan/brightness", 1e9, "all"]]), "sliders"),
        (changed(turns=[["interfacegan/brightness", 1.0]]), "sliders"),
        (changed(turns=[[1, 1.0, "all"]]), "sliders"),
        (changed(turns=[["interfacegan/brightness", 1.0, "all"]] * 2), "twice"),
        (changed(turns=[[f"ganspace/{number}", 1.0, "all"] for number in range(1, 10)]), "sliders"),
        (changed(turns=[["interfacegan/../secret", 1.0, "all"]]), "There are no directions"),
        (changed(turns=[["interfacegan/brightness", 1.0, "9-1"]]), "layers"),
        (changed(keep=["<b>"]), "keeps"),
        (changed(keep=[["contrast"]]), "keeps"),
    ],
)
def test_what_is_no_recipe_is_told(editor: Editor, text: str, words: str) -> None:
    with pytest.raises(StudioError, match=words) as caught:
        read_recipe(text, editor, Visitor(0))
    assert len(str(caught.value)) < 600


@given(st.text(max_size=300))
def test_any_address_is_read_or_refused(value: str) -> None:
    try:
        assert isinstance(from_query(value), str)
    except StudioError as error:
        assert "address" in str(error)


@given(st.binary(max_size=400))
def test_any_picture_is_read_or_refused(data: bytes) -> None:
    with pytest.raises(ImageError):
        png_recipe(b"x" + data)
    assert isinstance(png_recipe(b"\x89PNG\r\n\x1a\n" + data), str)
    assert png_recipe(png_bytes(Pil.new("RGB", (8, 8)))) == ""


def test_an_overlong_address_is_refused() -> None:
    with pytest.raises(StudioError, match="too long"):
        from_query("a" * (2 * LONGEST + 1))
