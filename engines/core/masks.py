"""What every use of a painted mask needs: its soft edge, and room around it."""

import math

import torch
import torch.nn.functional as F

from engines.core.shapes import Mask

_SMALLEST_SIGMA = 0.2
_REACH = 3.0
"""Standard deviations after which the soft edge ends."""


def spread(mask: Mask, reach: int) -> Mask:
    """The mask with so many pixels around it in both directions, or as it is for 0."""
    wide = F.max_pool2d(mask, (1, 2 * reach + 1), 1, (0, reach))
    return F.max_pool2d(wide, (2 * reach + 1, 1), 1, (reach, 0))


def feathered(mask: Mask, reach: float) -> Mask:
    """The mask with a soft edge: a Gaussian cut off at `reach`, a share of the side, on either side of the line.

    Beyond that distance masks of 0 and 1 stay what they are, up to rounding.
    """
    side = mask.shape[-1]
    sigma = reach * side / _REACH
    if sigma < _SMALLEST_SIGMA:
        return mask
    radius = math.ceil(_REACH * sigma)
    steps = torch.arange(-radius, radius + 1, device=mask.device, dtype=mask.dtype)
    kernel = torch.exp(-0.5 * (steps / sigma).square())
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    wide = F.conv2d(F.pad(mask, (radius, radius, 0, 0), mode="replicate"), kernel)
    return F.conv2d(F.pad(wide, (0, 0, radius, radius), mode="replicate"), kernel.transpose(2, 3)).clamp(0, 1)
