"""An inversion as a few words of JSON: what its saved picture carries, and what is checked when it comes back.

    {"studio": 1, "kind": "inversion", "generator": "ffhq", "method": "pti", "knobs": {"steps": 350, ...}, "seed": 0,
     "photo": "9f86d0…", "face": "60303a…", "whole": true, "made_with": {"latent-studio": "0.2.0", "torch": "2.13.0", ...}}

The photo is not inside: `photo` is the SHA-256 of its file, `face` that of the aligned face's pixels, and where the visitor's photo has
these, Run repeats the inversion.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

import engines.invert
from engines import InvertRequest
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.core.knobs import Knobs
from engines.core.weights import manifest
from engines.plugins import AnyEngine
from studio.services import recipe_text
from studio.services.recipe_text import INVERSION, brief, within
from studio.state.lab_book import digest
from studio.state.results import Kept
from studio.state.session import Session
from studio.state.visitor import PhotoState

SEED = InvertRequest.seed
"""What the page's runs draw their noise from."""

_HASH = re.compile("[0-9a-f]{64}")
_WORD = re.compile(r"[A-Za-z0-9 ._+-]{1,80}")
"""Names and versions: nothing of a stranger's that a page could take for markup."""

_MOST_MADE_WITH = 20
_SHOWN = 12


@dataclass(frozen=True)
class InversionRecipe:
    """An inversion that can be repeated by whoever has its photo.

    Attributes:
        method: The engine's card name.
        knobs: All its settings by name.
        seed: What its noise was drawn from.
        photo: SHA-256 of the photo's file, empty where it is not known.
        face: SHA-256 of the aligned face's pixels.
        whole: Whether the run came to its end and was of this photo alone.
        made_with: What else decides the bits: versions, the device, and the networks by the first digits of their hash.
    """

    method: str
    knobs: Mapping[str, Any]
    seed: int
    photo: str
    face: str
    whole: bool
    made_with: Mapping[str, str]

    def text(self, generator: str) -> str:
        """As JSON."""
        return recipe_text.written(INVERSION, generator, **asdict(self))


def of_inversion(session: Session, kept: Kept, photo: str, chosen: type[AnyEngine], knobs: Knobs, *, whole: bool) -> str:
    """The recipe of a finished run as JSON.

    Args:
        session: Who computed it.
        kept: The result.
        photo: SHA-256 of the photo's file.
        chosen: The method.
        knobs: Its settings.
        whole: Whether it came to its end.
    """
    face, alone = digest(to_picture(kept.target)), whole and not kept.beside
    recipe = InversionRecipe(chosen.card.name, asdict(knobs), SEED, photo, face, alone, made_with(session, chosen))
    return recipe.text(session.generator.name)


def made_with(session: Session, chosen: type[AnyEngine]) -> dict[str, str]:
    """What decides, beside method, settings and photo, which bits come out here."""
    names = [name for name in (session.generator.name, *chosen.card.weights) if name in manifest()]
    networks = {f"network {name}": str(manifest()[name]["sha256"])[:_SHOWN] for name in names}
    versions = {"latent-studio": engines.__version__, "torch": str(torch.__version__)}
    return versions | {"device": torch.device(session.generator.device).type} | networks


def read_inversion(text: str, session: Session) -> InversionRecipe:
    """A recipe out of its JSON.

    Args:
        text: The JSON, from a stranger.
        session: Whose generator and methods it must fit.

    Raises:
        StudioError: It is none, of another generator, or a field of it, which the sentence names, is none.
    """
    told = recipe_text.read_fields(text, INVERSION, session.generator.name)
    offered = {engine.card.name: engine for engine in session.offered(engines.invert, InvertRequest)}
    method, whole = told.get("method"), told.get("whole")
    seed: Any = told.get("seed")
    if not isinstance(method, str) or method not in offered:
        raise StudioError(f"The recipe's method is {brief(method)}; this page has {', '.join(offered)}.")
    if not (within(seed, 0, 2**31 - 1) and seed == int(seed)):
        raise StudioError(f"The recipe's seed is {brief(seed)}; a whole number from 0 to 2147483647 is wanted.")
    if not isinstance(whole, bool):
        raise StudioError(f"The recipe's whole is {brief(whole)}; true or false is wanted.")
    photo, face = (_hash(told, name) for name in ("photo", "face"))
    return InversionRecipe(method, _knobs(told.get("knobs"), offered[method]), int(seed), photo, face, whole, _made_with(told))


def said(recipe: InversionRecipe, session: Session, visitor: PhotoState) -> str:
    """What a person is told when the method stands as it did: whether Run repeats the inversion, and what to do that it does."""
    offered = {engine.card.name: engine for engine in session.offered(engines.invert, InvertRequest)}
    here = made_with(session, offered[recipe.method])
    parts = [f"**{offered[recipe.method].card.title}** is set as it was for the saved picture.", _of_photo(recipe, visitor)]
    if not recipe.whole:
        parts.append("That run was stopped, or tuned along with others of the shelf: Run goes to its end with this photo alone.")
    if recipe.seed != SEED:
        parts.append(f"It was made with the seed {recipe.seed}, and this page runs with {SEED}: the picture will differ a little.")
    others = [f"{name} {value} (here {here.get(name, 'none')})" for name, value in recipe.made_with.items() if here.get(name) != value]
    if others:
        parts.append(f"It was made with {', '.join(others)}, so that not every pixel need come out equal.")
    return " ".join(parts)


def _of_photo(recipe: InversionRecipe, visitor: PhotoState) -> str:
    target = visitor.target
    if target is not None and digest(to_picture(target)) == recipe.face:
        return "Its photo is the one at hand: Run repeats it."
    if recipe.photo and visitor.upload == recipe.photo:
        return "Its photo is the one at hand, but another face or box of it is aligned: choose that in the cell Photo, then Run repeats it."
    known = f" (the file whose SHA-256 begins with {recipe.photo[:_SHOWN]})" if recipe.photo else ""
    return f"Its photo is not inside the file: choose the same one{known} in the cell Photo, then Run repeats it."


def _hash(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    if not (isinstance(value, str) and (_HASH.fullmatch(value) or (name == "photo" and not value))):
        raise StudioError(f"The recipe's {name} is {brief(value)}; a SHA-256 of 64 digits is wanted.")
    return value


def _knobs(told: Any, chosen: type[AnyEngine]) -> dict[str, Any]:
    """All settings, checked as those of the page are."""
    if not isinstance(told, dict):
        raise StudioError(f"The recipe's knobs are {brief(told)}; an object with a value for each is wanted.")
    known = {declared.name for declared in chosen.knob_set.declared()}
    for name in told:
        if name not in known:
            raise StudioError(f"The recipe's knobs have {brief(name)}; {chosen.card.name} has none of that name.")
    return asdict(chosen.knob_set.of(told))


def _made_with(told: dict[str, Any]) -> dict[str, str]:
    named: Any = told.get("made_with")
    few = isinstance(named, dict) and len(named) <= _MOST_MADE_WITH
    if not few or not all(isinstance(word, str) and _WORD.fullmatch(word) for pair in named.items() for word in pair):
        raise StudioError(f"The recipe's made_with is {brief(named)}; at most {_MOST_MADE_WITH} names with a version each are wanted.")
    return dict(named)
