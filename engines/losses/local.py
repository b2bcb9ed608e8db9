"""An objective of several pictures, each of which counts within masks of its own.

After Abdal et al., "Image2StyleGAN++", arXiv:1911.11544, Eq. 1: a style, a perceptual and two pixel terms, each with its mask; the second
pixel term is that of the second picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from engines.core.images import PROTOCOL_SIDE, area
from engines.core.shapes import Image, Mask
from engines.losses.perceptual import Perceptual, VggStyle
from engines.losses.reconstruction import weighted

STYLE_SIDE = 128
"""Pixels a side at which textures are compared: VGG16 is slow."""


@dataclass(frozen=True, eq=False)
class Goal:
    """A picture to come close to, (1,3,R,R), and where: masks (1,1,s,s) in any size, None where it does not count.

    Attributes:
        image: The picture.
        pixel: Where its pixels count (M_m in the paper).
        perceptual: Where its features count (M_p).
        style: Where its textures count, here and in the compared picture (M_s).
    """

    image: Image
    pixel: Mask | None = None
    perceptual: Mask | None = None
    style: Mask | None = None


class LocalLoss:
    """The terms "pixel", "perceptual" and "style", each summed over the goals that have a mask for it.

    Args:
        goals: What to come close to.
        weights: Factors of the terms.
        side: Side at which pixels are compared; features are at 256 px, textures at `STYLE_SIDE`.
    """

    def __init__(self, goals: Sequence[Goal], weights: Mapping[str, float], side: int = PROTOCOL_SIDE) -> None:
        self.goals, self.weights, self.side = goals, weights, side
        device = goals[0].image.device
        self.perceptual = Perceptual(device) if any(goal.perceptual is not None for goal in goals) else None
        self.style = VggStyle(device) if any(goal.style is not None for goal in goals) else None

    def terms(self, image: Image) -> dict[str, Tensor]:
        """The terms, not weighted, each a scalar."""
        found: dict[str, Tensor] = {}
        for goal in self.goals:
            for name, term in self._of(goal, image).items():
                found[name] = found[name] + term if name in found else term
        return found

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """Weighted sum of named terms; a term without a weight counts once."""
        return weighted(terms, self.weights)

    def _of(self, goal: Goal, image: Image) -> dict[str, Tensor]:
        terms = {}
        if goal.pixel is not None:
            ours, theirs = _pair(image, goal.image, self.side)
            terms["pixel"] = (area(goal.pixel, ours.shape[-1]) * (ours - theirs).square()).mean()
        if goal.perceptual is not None and self.perceptual is not None:
            terms["perceptual"] = self.perceptual.within(*_pair(image, goal.image, PROTOCOL_SIDE), goal.perceptual).mean()
        if goal.style is not None and self.style is not None:
            terms["style"] = self.style(*_pair(image, goal.image, STYLE_SIDE), goal.style).mean()
        return terms


def _pair(image: Image, target: Image, side: int) -> tuple[Image, Image]:
    """Both at `side`, or at the side of the smaller."""
    side = min(side, image.shape[-1], target.shape[-1])
    return area(image, side), area(target, side)
