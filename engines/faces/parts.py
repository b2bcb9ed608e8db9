"""Ready-made masks over an aligned face: what one would paint first, a little larger than the part itself."""

import torch
import torch.nn.functional as F

from engines.core.shapes import Image, Mask
from engines.faces.hair import hair
from engines.faces.person import SIZE
from engines.faces.regions import REGIONS, area_of, regions

PARTS = ("eyes", "nose", "mouth", "eyes, nose and mouth", "face", "skin", "hair", "background", "left half", "right half")
"""Names of the masks; left and right as seen in the picture."""

_OF_REGIONS = {
    "eyes": ("eyes",),
    "nose": ("nose",),
    "mouth": ("mouth",),
    "eyes, nose and mouth": ("eyes", "brows", "nose", "mouth"),
    "face": ("skin", "nose", "brows", "eyes", "mouth"),
    "skin": ("skin", "nose"),
    "hair": ("hair",),
    "background": ("background",),
}
_MARGINS = {"eyes": 10, "nose": 4, "mouth": 8, "eyes, nose and mouth": 6, "hair": 3}
"""Pixels of 256 by which a part grows: a mask that ends at the lid leaves the lashes behind."""


def parts(image: Image) -> dict[str, Mask]:
    """Masks (1,1,256,256) of one aligned face (1,3,R,R) by the names of `PARTS`."""
    drawn = regions(image)
    found = dict(zip(REGIONS, drawn, strict=True)) | {"hair": hair(image, drawn)[0]}
    united = {name: torch.stack([found[region] for region in of]).amax(0)[None] for name, of in _OF_REGIONS.items()}
    masks = {name: grown(mask, _MARGINS.get(name, 0)) for name, mask in united.items()}
    left = (torch.arange(SIZE) < SIZE // 2).float().expand(1, 1, SIZE, SIZE)
    return masks | {"left half": left, "right half": 1 - left}


def grown(mask: Mask, margin: int) -> Mask:
    """A mask of 0 and 1 with everything within `margin` pixels of it."""
    if not margin:
        return mask
    steps = torch.arange(-margin, margin + 1, device=mask.device, dtype=mask.dtype)
    disc = (steps[:, None].square() + steps.square() <= margin**2).to(mask)
    return (F.conv2d(mask, disc[None, None], padding=margin) > 0.5).to(mask)


@torch.no_grad()
def part_mask(part: str, *images: Image) -> Mask:
    """Where a part lies in any of several aligned faces, (1,1,R,R), 1 inside: so that nothing of the old one looks out beside the new.

    Args:
        part: One of `PARTS`.
        images: Aligned faces of one size, (1,3,R,R) each.
    """
    found, side = torch.stack([parts(image)[part] for image in images]).amax(dim=0), images[0].shape[-1]
    sized = area_of(found, side) if side <= found.shape[-1] else F.interpolate(found, (side, side), mode="bilinear", align_corners=False)
    return sized.to(images[0]).gt(0.5).float()


def rectangle_mask(size: int, x: float, y: float, width: float, height: float) -> Mask:
    """A rectangle as a mask (1,1,size,size); its middle and its sides are shares of the picture, and what lies outside is cut off."""
    across, down = (torch.arange(size) + 0.5) / size, (torch.arange(size) + 0.5)[:, None] / size
    inside = ((across - x).abs() <= width / 2) & ((down - y).abs() <= height / 2)
    return inside[None, None].float()
