"""What happens to a picture on its way to an upload, and what a translation network is to undo.

A translation network is given a poor picture and answers with the code of a good one: pSp's other half (arXiv:2008.00951, section 5).
"""

import io
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from PIL import Image as Pil

from engines.core.images import area, to_picture, to_tensor
from engines.core.shapes import Image

_GREY = (0.299, 0.587, 0.114)
_FACTORS = (4, 8, 16)


def corrupted(picture: Image, chance: torch.Generator) -> Image:
    """One picture (1,3,S,S) as an upload might have it: each fault by chance of one half, none stronger than a bad phone's."""
    jpeg, blur, tint, noise = (bool(toss) for toss in torch.rand(4, generator=chance) < 0.5)
    if blur:
        picture = blurred(picture, float(torch.rand((), generator=chance)) * picture.shape[-1] / 128)
    if tint:
        gain, shift = 0.1 * (2 * torch.rand((2, 1, 3, 1, 1), generator=chance) - 1)
        picture = picture * (1 + gain.to(picture)) + shift.to(picture)
    if noise:
        strength = 0.06 * torch.rand((), generator=chance)
        picture = picture + (strength * torch.randn(picture.shape, generator=chance)).to(picture)
    if jpeg:
        quality = int(torch.randint(30, 96, (), generator=chance))
        picture = recompressed(picture, quality)
    return picture.clamp(-1, 1)


def spoilt(share: float) -> Callable[[Image, torch.Generator], Image]:
    """A change that corrupts that share of pictures and leaves the others alone."""

    def change(picture: Image, chance: torch.Generator) -> Image:
        return corrupted(picture, chance) if torch.rand((), generator=chance) < share else picture

    return change


def blurred(picture: Image, sigma: float) -> Image:
    """Gaussian blur of a picture (B,3,S,S); sigma in pixels."""
    if sigma < 0.1:
        return picture
    radius = max(1, round(3 * sigma))
    places = torch.arange(-radius, radius + 1, device=picture.device, dtype=picture.dtype)
    kernel = torch.exp(-0.5 * (places / sigma).square())
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    wide = F.conv2d(F.pad(picture, (radius, radius, 0, 0), mode="reflect"), kernel[:, :, None, :], groups=3)
    return F.conv2d(F.pad(wide, (0, 0, radius, radius), mode="reflect"), kernel[:, :, :, None], groups=3)


def recompressed(picture: Image, quality: int) -> Image:
    """One picture after JPEG."""
    buffer = io.BytesIO()
    to_picture(picture).save(buffer, "JPEG", quality=quality)
    return to_tensor(Pil.open(buffer, formats=("JPEG",))).to(picture)


def coarsened(picture: Image, chance: torch.Generator) -> Image:
    """4, 8 or 16 times fewer pixels, enlarged again: the input of super-resolution."""
    factor = _FACTORS[int(torch.randint(len(_FACTORS), (), generator=chance))]
    side = picture.shape[-1]
    return F.interpolate(area(picture, max(4, side // factor)), (side, side), mode="bilinear", align_corners=False)


def greyed(picture: Image, _: torch.Generator) -> Image:
    """Brightness alone: the input of colourisation."""
    weights = picture.new_tensor(_GREY).view(1, 3, 1, 1)
    return (picture * weights).sum(dim=1, keepdim=True).expand_as(picture).contiguous()


def sketched(picture: Image, _: torch.Generator) -> Image:
    """Dark lines on white where brightness changes: the input of sketch to face."""
    kernel = picture.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    grey = F.pad((picture * picture.new_tensor(_GREY).view(1, 3, 1, 1)).sum(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    slopes = F.conv2d(grey, torch.stack([kernel, kernel.T])[:, None])
    lines = (slopes.square().sum(dim=1, keepdim=True).sqrt() - 0.35).mul(4).clamp(0, 1)
    return (1 - 2 * lines).expand_as(picture).contiguous()


def holed(picture: Image, chance: torch.Generator) -> Image:
    """A grey rectangle, a quarter to a half of each side, anywhere: the input of inpainting."""
    side = picture.shape[-1]
    height, width = (int(side * (0.25 + 0.25 * float(value))) for value in torch.rand(2, generator=chance))
    top, left = (
        int(float(value) * (side - extent)) for value, extent in zip(torch.rand(2, generator=chance), (height, width), strict=True)
    )
    holed = picture.clone()
    holed[:, :, top : top + height, left : left + width] = 0
    return holed


TRANSLATIONS: Mapping[str, Callable[[Image, torch.Generator], Image]] = {
    "super_resolution": coarsened,
    "colourise": greyed,
    "sketch": sketched,
    "inpaint": holed,
}
"""What is done to a face (1,3,S,S) that a translation network is to undo, by the task's name."""
