"""Pictures of an object seen in other poses: what a reader that is to know shapes must not go by."""

import math

import torch
import torch.nn.functional as F

from engines.core.shapes import Image

TURN, SHIFT, GROWTH = math.pi / 6, 0.2, 0.2
"""Most that an object is turned (radians), moved (share of half the side) and scaled (share), either way."""


def posed(image: Image, chance: torch.Generator) -> Image:
    """Pictures (B,C,S,S) turned, moved, scaled and mirrored at random, each in its own way; nothing (0) comes in from outside."""
    turn, right, down, growth, side = (2 * torch.rand((5, len(image)), generator=chance) - 1).to(image.device)
    angle, scale = TURN * turn, 1 + GROWTH * growth
    flip = torch.where(side < 0, -1.0, 1.0)
    rows = [flip * scale * angle.cos(), -scale * angle.sin(), SHIFT * right, flip * scale * angle.sin(), scale * angle.cos(), SHIFT * down]
    grid = F.affine_grid(torch.stack(rows, dim=1).unflatten(1, (2, 3)), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="zeros", align_corners=False)


def clouded(image: Image, strength: float, chance: torch.Generator) -> Image:
    """Pictures (B,C,S,S) under noise of all scales, from one value a picture to one a pixel: what is faint can no longer be read.

    Args:
        image: In any range.
        strength: Deviation of the noise of each of four scales.
        chance: Decides it.
    """
    size, noise = image.shape[-1], torch.zeros_like(image)
    for side in (1, 4, 16, size):
        cells = torch.randn((*image.shape[:2], side, side), generator=chance).to(image)
        noise = noise + strength * F.interpolate(cells, size, mode="nearest" if side == size else "bilinear")
    return image + noise
