"""Figures of composites: error outside the mask to the source, error inside to the reference, and visibility of the seam.

Kim et al., arXiv:2104.14754, section 4.2: MSE_src compares with the source outside the mask, MSE_ref with the reference inside, on pictures
in [-1, 1]. Ours: both leave out the soft edge, and the seam is the gradient's magnitude along the border over its mean in the picture.
"""

import torch
import torch.nn.functional as F

from engines.core.images import PROTOCOL_SIDE, area
from engines.core.masks import dilated
from engines.core.shapes import Image, Mask

_BORDER = 2
"""Half the width of the strip along the border in which the gradient is read, in pixels of 256."""


def mixing_figures(mixed: Image, source: Image, reference: Image, mask: Mask, edge: float) -> dict[str, float]:
    """`mse_src`, `mse_ref`, `seam`, and `seam_source`, the source's own gradients there; pictures averaged to 256 px first.

    Args:
        mixed: (1,3,R,R).
        source: What should stay outside.
        reference: What should be seen inside.
        mask: As painted, before it was softened.
        edge: Reach of the soft edge, as a share of the side.

    Returns:
        Figures by name; not a number where the mask leaves nothing outside, inside or along a border.
    """
    pictures = [area(image.clamp(-1, 1), PROTOCOL_SIDE) for image in (mixed, source, reference)]
    hard = (area(mask, PROTOCOL_SIDE) > 0.5).float()
    inside, border = 1 - dilated(1 - hard, round(edge * PROTOCOL_SIDE)), border_of(mask)
    return {
        "mse_src": error_outside(mixed, source, mask, edge),
        "mse_ref": _mean((pictures[0] - pictures[2]).square(), inside),
        "seam": border_gradient(pictures[0], border),
        "seam_source": border_gradient(pictures[1], border),
        "seam_reference": border_gradient(pictures[2], border),
    }


def error_outside(image: Image, source: Image, mask: Mask, edge: float) -> float:
    """Mean squared difference at 256 px beyond the mask and its soft edge, which reaches `edge` of the side."""
    image, source = (area(picture.clamp(-1, 1), PROTOCOL_SIDE) for picture in (image, source))
    hard = (area(mask, PROTOCOL_SIDE) > 0.5).float()
    return _mean((image - source).square(), 1 - dilated(hard, round(edge * PROTOCOL_SIDE)))


def border_of(mask: Mask) -> Mask:
    """The strip along a mask's border, (1,1,256,256)."""
    hard = (area(mask, PROTOCOL_SIDE) > 0.5).float()
    return dilated(hard, _BORDER) * dilated(1 - hard, _BORDER)


def border_gradient(image: Image, border: Mask) -> float:
    """Mean gradient magnitude of the luminance on a strip over its mean in the whole picture: about 1 where nothing shows."""
    grey = image.mean(1, keepdim=True)
    down, right = (F.pad(grey.diff(dim=2), (0, 0, 0, 1)), F.pad(grey.diff(dim=3), (0, 1)))
    size = (down.square() + right.square()).sqrt()
    return float(_mean_of(size, border) / size.mean())  # of tensors, so that a flat picture has none rather than an error


def _mean_of(values: torch.Tensor, where: Mask) -> torch.Tensor:
    weight = where.expand_as(values)
    return (values * weight).sum() / weight.sum()


def _mean(values: torch.Tensor, where: Mask) -> float:
    return float(_mean_of(values, where))
