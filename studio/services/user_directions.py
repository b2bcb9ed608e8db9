"""A visitor's own directions: from a measurement, from answers given by clicking, and what is said about each of them."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from PIL import Image as Pil

from engines import Bank, Direction
from engines.core.errors import StudioError
from engines.core.seeds import rng
from engines.data.faces import THUMBNAIL, thumbnail
from engines.edit.interfacegan import Boundary
from engines.generators.base import Generator
from engines.spaces.bank import Score
from studio.state.visitor import Visitor

NAME_LENGTH = 40
MOST = 100
"""Own directions that a visitor may keep."""

MOST_EXAMPLES = 800
"""Examples of each side that a fit reads: more change little and take long."""

PAGE = 24
RANDOM, UNCERTAIN, SURE_YES, SURE_NO = "At random", "Least certain", "Surest yes", "Surest no"
ORDERS = (RANDOM, UNCERTAIN, SURE_YES, SURE_NO)
_MOST_ANSWERS = 3_000
_ALLOWED = " -_+.,:()%#"


@dataclass(eq=False)
class Drafts:
    """What the workshop remembers of one visitor beside the directions themselves.

    Attributes:
        guess: The last fit on the visitor's answers.
        pending: Directions of the file that was read last, waiting to be chosen.
        stars: Ratings by key, 1 to 5.
    """

    guess: Boundary | None = None
    pending: tuple[Direction, ...] = ()
    stars: dict[str, int] = field(default_factory=dict)


def drafts_of(visitor: Visitor) -> Drafts:
    """What the workshop remembers of a visitor."""
    return visitor.own(Drafts, Drafts)


def plain(name: str | None, otherwise: str = "") -> str:
    """A short name that is safe anywhere: letters, digits and a few signs of what was typed.

    Raises:
        StudioError: Nothing is left, and there is no other name.
    """
    kept = "".join(letter if letter.isalnum() or letter in _ALLOWED else " " for letter in str(name or "")[: 4 * NAME_LENGTH])
    short = " ".join(kept.split())[:NAME_LENGTH].strip() or otherwise
    if not short:
        raise StudioError("Give it a name of letters or digits first.")
    return short


def renamed(direction: Direction, name: str | None) -> Direction:
    """The same under a name that is safe anywhere."""
    return replace(direction, name=plain(name, "unnamed"))


def room_for(visitor: Visitor, count: int = 1) -> None:
    """Check that more directions may be kept.

    Raises:
        StudioError: There are too many.
    """
    if len(visitor.directions) + count > MOST:
        raise StudioError(f"At most {MOST} own directions are kept, and {len(visitor.directions)} are there. Delete some first.")


def by_threshold(scores: Score, threshold: float) -> Score:
    """1 for the faces furthest above a threshold, -1 for those furthest below, 0 for the rest."""
    labels = torch.zeros_like(scores)
    order = scores.argsort()
    above, below = order[scores[order] > threshold], order[scores[order] <= threshold]
    labels[above[-MOST_EXAMPLES:]] = 1
    labels[below[:MOST_EXAMPLES]] = -1
    return labels


def answers_of(value: Any, faces: int) -> dict[int, int]:
    """The answers that came from the page, 1 or -1 by number; it may send anything.

    Raises:
        StudioError: It is not what the page sends.
    """
    given = value.get("answers") if isinstance(value, Mapping) else None
    if given is None:
        return {}
    if not isinstance(given, Mapping) or len(given) > _MOST_ANSWERS:
        raise StudioError("The answers did not arrive. Open the page again.")
    found = {}
    for number, answer in given.items():
        if not (isinstance(number, str) and number.isdecimal() and int(number) < faces and answer in (1, -1)):
            raise StudioError("An answer named a face that is not there. Open the page again.")
        found[int(number)] = int(answer)
    return found


def as_labels(answers: Mapping[int, int], faces: int) -> Score:
    """Answers as a fit reads them, (faces,)."""
    labels = torch.zeros(faces)
    for number, answer in answers.items():
        labels[number] = answer
    return labels


def next_faces(bank: Bank, answered: Sequence[int], order: str, guess: Boundary | None, seed: int) -> list[int]:
    """Numbers of the faces to ask about next, those already answered left out.

    Raises:
        StudioError: An order that needs a fit before there was one.
    """
    open_ = torch.ones(len(bank), dtype=torch.bool)
    open_[list(answered)] = False
    numbers = open_.nonzero().flatten()
    if order == RANDOM:
        return numbers[torch.randperm(len(numbers), generator=rng(seed))][:PAGE].tolist()
    if guess is None:
        raise StudioError(f"{order} can be shown after a first fit. Mark some faces at random and press Fit.")
    distances = _distances(bank, guess).cpu()[numbers]
    keys = {UNCERTAIN: distances.abs(), SURE_YES: -distances, SURE_NO: distances}
    if order not in keys:
        raise StudioError(f"There is no order {order!r}. Choose one of {', '.join(ORDERS)}.")
    return numbers[keys[order].argsort()[:PAGE]].tolist()


def _distances(bank: Bank, guess: Boundary) -> Score:
    """Distance of each face of the bank from the plane in sigma, positive where yes is guessed."""
    codes = bank.z if guess.direction.space == "z" else bank.w
    return guess.distance(codes, torch.zeros_like(codes[0]) if guess.direction.space == "z" else codes.mean(dim=0))


def contact(generator: Generator, numbers: Sequence[int], columns: int = 6) -> str:
    """Faces of the bank side by side, as a picture that a page can hold."""
    rows = max(1, -(-len(numbers) // columns))
    sheet = Pil.new("RGB", (columns * THUMBNAIL, rows * THUMBNAIL))
    for place, number in enumerate(numbers):
        sheet.paste(thumbnail(generator, number), (place % columns * THUMBNAIL, place // columns * THUMBNAIL))
    buffer = io.BytesIO()
    sheet.save(buffer, format="WEBP", quality=88)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
