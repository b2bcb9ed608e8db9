"""How visible the border of a pasted part is: how much more a picture jumps across it than right beside it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.images import PROTOCOL_SIDE, area
from engines.core.shapes import Image, Mask

BAND = 4
"""Pixels on either side of the border, at 256 px, that it is compared with."""


@torch.no_grad()
def seam(image: Image, mask: Mask) -> float:
    """Mean difference of neighbouring pixels across the border less that within a band beside it; about 0 where nothing shows.

    Args:
        image: (1,3,R,R) in [-1, 1], averaged to 256 px.
        mask: 1 inside the part, (1,1,R,R); its border is where it passes one half. A mask without one has no seam: 0.
    """
    image = area(image.clamp(-1, 1), PROTOCOL_SIDE)
    inside = F.interpolate(mask, image.shape[-2:], mode="area") > 0.5
    across, beside = list[Tensor](), list[Tensor]()
    for axis in (2, 3):
        jumps = image.diff(dim=axis).abs().mean(dim=1, keepdim=True)
        border = inside.float().diff(dim=axis).abs() > 0.5
        near = F.max_pool2d(border.float(), 2 * BAND + 1, 1, BAND) > 0.5
        across.append(jumps[border])
        beside.append(jumps[near & ~border])
    if not sum(len(values) for values in across):
        return 0.0
    return float(torch.cat(across).mean() - torch.cat(beside).mean())
