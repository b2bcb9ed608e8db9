"""The labelled bank: faces that the generator drew, with twelve attributes measured on each; made by the recipe `face_bank`.

Shipped are the scores and small pictures; the codes come back from the seed in half a second. Age, gender and the rest are what small
networks and rules see in a picture, not facts about anybody, and the bank's faces belong to nobody.
"""

import io
from collections.abc import Callable
from functools import cache
from weakref import WeakKeyDictionary

import torch
from PIL import Image as Pil

from engines.core.images import to_picture
from engines.core.seeds import z_codes
from engines.core.shapes import Codes, Image
from engines.core.weights import load_weights
from engines.data.pixels import PIXELS, measure_pixels
from engines.faces.attributes import ATTRIBUTES, Attribute, attribute_scorer
from engines.generators.base import Generator
from engines.spaces.bank import Bank, Scores
from engines.spaces.statistics import statistics

TRUNCATION = 0.7
SEED = 2026
SIZE = 256
"""Side at which faces are drawn for measuring, in pixels."""

THUMBNAIL, COLUMNS, ROWS = 64, 40, 25
"""Side of a small picture, and how many a sheet has."""

_QUICK = 400
_CHUNK = 1_000


def attributes(generator: Generator) -> tuple[Attribute, ...]:
    """What can be measured on a generator's pictures, in the order of the scores."""
    return ATTRIBUTES if "face_bank" in generator.capabilities else PIXELS


def measure(generator: Generator) -> Callable[[Image], Scores]:
    """The instrument for a generator's pictures: (batch,3,R,R) to (batch,attributes), not a number where no face is found."""
    return attribute_scorer(str(generator.device)) if "face_bank" in generator.capabilities else measure_pixels


_banks: "WeakKeyDictionary[Generator, Bank]" = WeakKeyDictionary()


def face_bank(generator: Generator) -> Bank:
    """The bank of a generator: the shipped one where it is this generator's own, a quick one of 400 pictures for any other.

    Faces on which nothing could be measured are left out.

    Raises:
        WeightsError: The shipped file is missing or altered.
    """
    if generator not in _banks:
        _banks[generator] = _shipped(generator) if "face_bank" in generator.capabilities else _quick(generator)
    return _banks[generator]


@torch.no_grad()
def codes(generator: Generator, count: int, seed: int = SEED, truncation: float = TRUNCATION) -> tuple[Codes, Codes]:
    """z and truncated w (count,width) of the first faces of a seed."""
    z = z_codes(count, generator.width, seed, generator.device)
    w = torch.cat([generator.map(part) for part in z.split(_CHUNK)])
    return z, statistics(generator).truncate(w, truncation)


@torch.no_grad()
def thumbnail(generator: Generator, number: int) -> Pil.Image:
    """A small picture of a face of the bank, by its row."""
    if "face_bank" in generator.capabilities:
        number = int(_rows()[number])
        sheet, place = _sheet(number // (COLUMNS * ROWS)), number % (COLUMNS * ROWS)
        x, y = place % COLUMNS * THUMBNAIL, place // COLUMNS * THUMBNAIL
        return sheet.crop((x, y, x + THUMBNAIL, y + THUMBNAIL))
    bank = face_bank(generator)
    return to_picture(generator.synthesize(bank.w[number : number + 1])).resize((THUMBNAIL, THUMBNAIL))


@cache
def _stored() -> dict[str, torch.Tensor]:
    return load_weights("face_bank")


@cache
def _rows() -> torch.Tensor:
    """Numbers of the faces on which everything could be measured."""
    return _stored()["scores"].isfinite().all(dim=1).nonzero().flatten()


@cache
def _sheet(number: int) -> Pil.Image:
    data = bytes(_stored()[f"sheet_{number:02d}"].numpy())
    return Pil.open(io.BytesIO(data), formats=("WEBP",)).convert("RGB")


def _shipped(generator: Generator) -> Bank:
    stored = _stored()
    z, w = codes(generator, len(stored["scores"]))
    rows = _rows().to(generator.device)
    names = tuple(attribute.name for attribute in ATTRIBUTES)
    return Bank(z[rows], w[rows], TRUNCATION, names, stored["scores"].to(generator.device)[rows])


@torch.no_grad()
def _quick(generator: Generator) -> Bank:
    z, w = codes(generator, _QUICK)
    scores = torch.cat([measure_pixels(generator.synthesize(part)) for part in w.split(50)])
    return Bank(z, w, TRUNCATION, tuple(attribute.name for attribute in PIXELS), scores)
