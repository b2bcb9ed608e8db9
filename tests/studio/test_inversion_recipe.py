"""An inversion's recipe in its picture: method and knobs come back, the photo is asked for, and a stranger's is refused by its field."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
import torch
from PIL import Image as Pil

import engines.invert
from engines import InvertRequest, Result, catalogue
from engines.core.errors import StudioError
from engines.core.images import png_bytes, png_recipe
from engines.faces import alignment_from_box
from studio.services.inversion_recipe import InversionRecipe, made_with, of_inversion, read_inversion, said
from studio.services.recipe_text import LONGEST, kind_of
from studio.state.results import Kept
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.ui.knob_controls import knob_form

METHOD = catalogue()["image2stylegan"]
KNOBS = METHOD.knob_set.of({"steps": 7, "learning_rate": 0.02})
PHOTO = "a1" * 32


def finished(session: Session, brightness: float = 0.5) -> Kept:
    side = session.generator.resolution
    target = torch.full((1, 3, side, side), brightness)
    return Kept(
        Result(target), target, alignment_from_box((side, side), 0.5, 0.5, 1.0), Pil.new("RGB", (side, side)), "Image2StyleGAN", 1.0
    )


def text_of(session: Session, *, whole: bool = True) -> str:
    return of_inversion(session, finished(session), PHOTO, METHOD, KNOBS, whole=whole)


def test_an_inversion_comes_back_from_its_picture(session: Session) -> None:
    text = png_recipe(png_bytes(Pil.new("RGB", (8, 8)), text_of(session)))
    assert kind_of(text) == "inversion"
    recipe = read_inversion(text, session)
    assert recipe.method == "image2stylegan" and recipe.knobs == asdict(KNOBS) and recipe.seed == 0
    assert recipe.photo == PHOTO and recipe.whole and recipe.made_with == made_with(session, METHOD)
    assert {"latent-studio", "torch", "device", "network lpips_alex"} <= set(recipe.made_with)
    assert recipe.text("toy") == text


def test_every_method_has_room_for_all_its_knobs(session: Session) -> None:
    for engine in session.offered(engines.invert, InvertRequest):
        text = of_inversion(session, finished(session), PHOTO, engine, engine.knob_set(), whole=True)
        assert len(text) < LONGEST and read_inversion(text, session).knobs == asdict(engine.knob_set())


def test_the_photo_is_asked_for_and_known_again(session: Session) -> None:
    recipe, visitor = read_inversion(text_of(session), session), Visitor(2**20)
    assert "not inside the file: choose the same one (the file whose SHA-256 begins with a1a1a1a1a1a1)" in said(recipe, session, visitor)
    assert "SHA-256" not in said(replace(recipe, photo=""), session, visitor)
    visitor.upload, visitor.target = PHOTO, finished(session, -0.5).target
    assert "another face or box of it is aligned" in said(recipe, session, visitor)
    visitor.target = finished(session).target
    words = said(recipe, session, visitor)
    assert words.endswith("Its photo is the one at hand: Run repeats it.") and METHOD.card.title in words


def test_what_may_come_out_otherwise_is_told(session: Session) -> None:
    recipe, visitor = read_inversion(text_of(session, whole=False), session), Visitor(2**20)
    assert "That run was stopped, or tuned along with others" in said(recipe, session, visitor)
    other = replace(recipe, seed=5, made_with={**recipe.made_with, "torch": "1.0", "network gone": "abc"})
    words = said(other, session, visitor)
    assert "made with the seed 5, and this page runs with 0" in words
    assert f"It was made with torch 1.0 (here {torch.__version__}), network gone abc (here none)" in words


def test_the_form_is_set_beside_what_other_methods_have(session: Session) -> None:
    offered = session.offered(engines.invert, InvertRequest)
    form, recipe = knob_form(offered, "invert"), read_inversion(text_of(session), session)
    shown = form.set(recipe.method, recipe.knobs, {"pti": {"steps": 3}, recipe.method: {"steps": 9}})
    assert form.knobs(recipe.method, shown.value) == KNOBS
    assert shown.value["pti"] == {"steps": 3} and set(shown.value[recipe.method]) == {"steps", "learning_rate"}
    assert shown.props["chosen"] == recipe.method
    assert form.set(recipe.method, recipe.knobs, "nonsense").value.keys() == {recipe.method}


NAN = float("nan")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "mixture"}, "kind is 'mixture'"),
        ({"generator": "ffhq"}, "for the generator 'ffhq'"),
        ({"method": "spatial"}, "The recipe's method is 'spatial'"),
        ({"method": ["pti"]}, "The recipe's method is"),
        ({"method": "x" * 3000}, "The recipe's method is"),
        ({"knobs": None}, "The recipe's knobs are None"),
        ({"knobs": [7]}, "The recipe's knobs are"),
        ({"knobs": {"path": "/etc/passwd"}}, "The recipe's knobs have 'path'"),
        ({"knobs": {"x" * 2000: 1}}, "The recipe's knobs have"),
        ({"knobs": {str(number): 1 for number in range(200)}}, "The recipe's knobs have '0'"),
        ({"knobs": {"steps": 10**400}}, "no recipe|Steps: "),
        ({"knobs": {"steps": NAN}}, "Steps: nan came"),
        ({"knobs": {"steps": "7"}}, "Steps: '7' came"),
        ({"knobs": {"steps": True}}, "Steps: True came"),
        ({"knobs": {"steps": {"steps": 7}}}, "Steps: "),
        ({"knobs": {"learning_rate": float("inf")}}, "Learning rate: inf came"),
        ({"seed": -1}, "The recipe's seed is -1"),
        ({"seed": 0.5}, "The recipe's seed is 0.5"),
        ({"seed": None}, "The recipe's seed is None"),
        ({"seed": 10**400}, "The recipe's seed is 1000"),
        ({"photo": "../../etc/passwd"}, "The recipe's photo is"),
        ({"photo": PHOTO + "\n"}, "The recipe's photo is"),
        ({"face": ""}, "The recipe's face is ''"),
        ({"face": 7}, "The recipe's face is 7"),
        ({"whole": "yes"}, "The recipe's whole is 'yes'"),
        ({"made_with": None}, "The recipe's made_with is None"),
        ({"made_with": {"torch": 2}}, "The recipe's made_with is"),
        ({"made_with": {"torch": "[here](http://evil)"}}, "The recipe's made_with is"),
        ({"made_with": {"<img>": "1"}}, "The recipe's made_with is"),
        ({"made_with": {str(number): "1" for number in range(21)}}, "The recipe's made_with is"),
        ({"more": "x" * LONGEST}, "no recipe"),
        ({"studio": 2}, "no recipe"),
    ],
)
def test_what_a_stranger_changed_is_refused_by_its_field(session: Session, fields: dict[str, Any], words: str) -> None:
    text = json.dumps({**json.loads(text_of(session)), **fields})
    with pytest.raises(StudioError, match=words) as caught:
        read_inversion(text, session)
    assert len(str(caught.value)) < 600


def test_a_field_that_is_missing_is_named(session: Session) -> None:
    whole = json.loads(text_of(session))
    for name in ("method", "knobs", "seed", "photo", "face", "whole", "made_with"):
        with pytest.raises(StudioError, match=f"The recipe's {name} "):
            read_inversion(json.dumps({key: value for key, value in whole.items() if key != name}), session)
    assert InversionRecipe(**{key: whole[key] for key in whole if key not in ("studio", "kind", "generator")}).seed == 0
