"""The objective of every optimisation that redraws a photo: named terms, each with its weight."""

from collections.abc import Mapping
from typing import Literal, Protocol, runtime_checkable

import torch.nn.functional as F
from torch import Tensor

from engines.core.images import PROTOCOL_SIDE, area
from engines.core.shapes import Image, Mask
from engines.losses.perceptual import Perceptual, VggFeatures

PerceptualKind = Literal["lpips", "vgg16"]


class _Distance(Protocol):
    def __call__(self, image: Image, target: Image) -> Tensor: ...


@runtime_checkable
class Objective(Protocol):
    """The objective of a reconstruction.

    Attributes:
        weights: Factors of the terms, by name.
    """

    weights: Mapping[str, float]

    def terms(self, image: Image) -> dict[str, Tensor]:
        """The terms, not weighted, each a scalar."""
        ...

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """What is minimised."""
        ...


def weighted(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Weighted sum of named terms; a term without a weight counts once."""
    scaled = [weights.get(name, 1.0) * term for name, term in terms.items()]
    return sum(scaled[1:], start=scaled[0])


class ReconstructionLoss:
    """Pixel and perceptual distance to one target, at 256 px or below.

    Args:
        target: (1,3,R,R) in [-1, 1].
        weights: Factors of "pixel" and "perceptual".
        kind: "lpips" (AlexNet) or "vgg16" (four layers, as in arXiv:1904.03189).
        mask: 1 where the picture matters, (1,1,R,R); everywhere if not given.
    """

    def __init__(self, target: Image, weights: Mapping[str, float], kind: PerceptualKind = "lpips", mask: Mask | None = None) -> None:
        self.weights = weights
        self.distance: _Distance = Perceptual(target.device) if kind == "lpips" else VggFeatures(target.device)
        self.mask = mask
        self.target = target

    def terms(self, image: Image) -> dict[str, Tensor]:
        """The terms, not weighted, each a scalar. The picture is averaged down to the size the distances are measured at."""
        side = min(PROTOCOL_SIDE, image.shape[-1])
        image, target = area(image, side), area(self.target, side)
        if self.mask is not None:
            mask = F.interpolate(self.mask, (side, side), mode="area")
            image = image * mask + target * (1 - mask)
        return {"pixel": F.mse_loss(image, target), "perceptual": self.distance(image, target).mean()}

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """Weighted sum of named terms; a term without a weight counts once."""
        return weighted(terms, self.weights)
