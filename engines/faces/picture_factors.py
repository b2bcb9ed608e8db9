"""Four factors of a picture that need no 3-D: light from the side and from above, colour temperature and exposure.

Setting one changes the picture alone: a ramp of light over it, the balance of red and blue, its lightness. Reading one takes
the mesh of the face and the colours under it, so that both can be held against each other after an inversion.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from engines.core.images import area
from engines.core.shapes import Image
from engines.faces import measure
from engines.faces.attributes import AttributeScorer
from engines.faces.find import LEAST_PRESENCE
from engines.faces.person import SIZE

PictureScores = Float[Tensor, "batch 4"]

LEFT_CHEEK, RIGHT_CHEEK = measure.CHEEKS[:6], measure.CHEEKS[6:]
_GAMMA = 2.2


@dataclass(frozen=True)
class PictureFactor:
    """One factor.

    Attributes:
        name: What code calls it.
        title: What the page calls it.
        unit: Of its reading.
        change: From pictures (B,3,R,R) in [-1, 1] and an amount, 0 for none, to the changed pictures.
    """

    name: str
    title: str
    unit: str
    change: Callable[[Image, float], Image]


def shaded(image: Image, amount: float) -> Image:
    """Lit from the picture's right (above 0) or left: linear light is multiplied by a ramp from 1 - amount to 1 + amount."""
    ramp = 1 + amount * torch.linspace(-1, 1, image.shape[3], device=image.device)
    return _from_linear(_linear(image) * ramp)


def lit_from_above(image: Image, amount: float) -> Image:
    """Lit from above (above 0) or below, as `shaded` is from the side."""
    ramp = 1 + amount * torch.linspace(1, -1, image.shape[2], device=image.device)[:, None]
    return _from_linear(_linear(image) * ramp)


def warmed(image: Image, amount: float) -> Image:
    """Warmer (above 0) or colder: red by exp(amount) and blue by exp(-amount) in linear light, green as it is."""
    gains = torch.tensor([amount, 0.0, -amount], device=image.device).exp()[None, :, None, None]
    return _from_linear(_linear(image) * gains)


def exposed(image: Image, amount: float) -> Image:
    """Lighter (above 0) or darker: linear light times exp(amount)."""
    return _from_linear(_linear(image) * math.exp(amount))


PICTURE_FACTORS = (
    PictureFactor("light", "Light from the side", "L* of the right cheek less that of the left", shaded),
    PictureFactor("light_above", "Light from above", "L* of the forehead less that of the chin", lit_from_above),
    PictureFactor("temperature", "Colour temperature", "mean b*", warmed),
    PictureFactor("exposure", "Exposure", "mean L*", exposed),
)
"""The factors, in the order of their readings."""


@torch.no_grad()
def picture_scores(scorer: AttributeScorer, image: Image) -> PictureScores:
    """The reading of each factor in aligned faces (B,3,R,R); not a number where the mesh sees no face."""
    picture = area(image.to(scorer.device, torch.float32), SIZE).clamp(-1, 1).contiguous(memory_format=torch.channels_last)
    points, presence = scorer.meshes(picture)
    colours = measure.lab(picture)
    parts = (LEFT_CHEEK, RIGHT_CHEEK, measure.FOREHEAD, measure.CHIN)
    left, right, top, bottom = (measure.median_at(colours, points, part)[:, 0] for part in parts)
    scores = torch.stack([right - left, top - bottom, colours[:, 2].mean((1, 2)), colours[:, 0].mean((1, 2))], 1)
    return scores.masked_fill((presence < LEAST_PRESENCE)[:, None], torch.nan)


def _linear(image: Image) -> Image:
    return ((image.clamp(-1, 1) + 1) / 2) ** _GAMMA


def _from_linear(light: Image) -> Image:
    return light.clamp(1e-8, 1) ** (1 / _GAMMA) * 2 - 1
