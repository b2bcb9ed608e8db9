"""Pictures of an object seen in other poses: what a reader that is to know shapes must not go by."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from engines.core.shapes import Image


@dataclass(frozen=True)
class Poses:
    """How far objects are moved at most, either way.

    Attributes:
        turn: In radians.
        shift: As a share of half the side.
        growth: As a share.
        shear: By how much a row is pushed aside for each row.
        mirrored: Whether half of them are mirrored.
    """

    turn: float
    shift: float
    growth: float
    shear: float = 0.0
    mirrored: bool = False


BIRDS = Poses(math.pi / 6, 0.2, 0.2, mirrored=True)
DIGITS = Poses(0.4, 0.15, 0.25, shear=0.3)
"""A mirrored bird is the same bird; a mirrored digit is none."""


def posed(image: Image, chance: torch.Generator, poses: Poses = BIRDS) -> Image:
    """Pictures (B,C,S,S) of objects moved at random, each in its own way; nothing (0) comes in from outside."""
    turn, right, down, growth, side = (2 * torch.rand((5, len(image)), generator=chance) - 1).to(image.device)
    angle, scale, shear = poses.turn * turn, 1 + poses.growth * growth, poses.shear * side
    flip = torch.where(side < 0, -1.0, 1.0) if poses.mirrored else torch.ones_like(side)
    across = [flip * scale * angle.cos(), shear - scale * angle.sin(), poses.shift * right]
    along = [flip * scale * angle.sin(), scale * angle.cos(), poses.shift * down]
    places = torch.stack(across + along, dim=1).unflatten(1, (2, 3))
    grid = F.affine_grid(places, list(image.shape), align_corners=False)
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
