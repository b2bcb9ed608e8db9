"""Masks of the parts of aligned faces that one would give to another: eyes, nose, mouth, or all that makes a face."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F

from engines.core.shapes import Image, Mask
from engines.faces.regions import REGIONS, area_of, regions

PARTS: Mapping[str, tuple[str, ...]] = {
    "eyes": ("eyes", "brows"),
    "nose": ("nose",),
    "mouth": ("mouth",),
    "eyes, nose and mouth": ("eyes", "brows", "nose", "mouth"),
    "face": ("skin", "eyes", "brows", "nose", "mouth"),
}
"""Regions of each part."""

MARGIN = 6
"""Pixels, at 256 px, that a mask reaches beyond its part: what surrounds an eye belongs to its look."""


@torch.no_grad()
def part_mask(part: str, *images: Image) -> Mask:
    """Where a part lies in any of several aligned faces, (1,1,R,R), 1 inside: so that nothing of the old one looks out beside the new.

    Args:
        part: A key of `PARTS`.
        images: Aligned faces of one size, (1,3,R,R) each.
    """
    wanted = [REGIONS.index(region) for region in PARTS[part]]
    found = torch.stack([regions(image)[wanted].amax(dim=0, keepdim=True) for image in images]).amax(dim=0)
    wide = F.max_pool2d(found, 2 * MARGIN + 1, 1, MARGIN)
    return area_of(wide, images[0].shape[-1]).to(images[0]).gt(0.5).float()


def rectangle(size: int, x: float, y: float, width: float, height: float) -> Mask:
    """A rectangle as a mask (1,1,size,size); its middle and its sides are shares of the picture, and what lies outside is cut off."""
    across, down = (torch.arange(size) + 0.5) / size, (torch.arange(size) + 0.5)[:, None] / size
    inside = ((across - x).abs() <= width / 2) & ((down - y).abs() <= height / 2)
    return inside[None, None].float()
