"""Affine and noise augmentation of what discriminators and Q heads see: pose and faint signals must not encode a code."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from engines.core.shapes import Image


@dataclass(frozen=True)
class AffineRange:
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


BIRDS = AffineRange(math.pi / 6, 0.2, 0.2, mirrored=True)
DIGITS = AffineRange(0.4, 0.15, 0.25, shear=0.3)
"""A mirrored bird is the same bird; a mirrored digit is none."""


def affine_augmented(image: Image, chance: torch.Generator, poses: AffineRange = BIRDS) -> Image:
    """Random affine augmentation of pictures (B,C,S,S), each its own; zeros come in from outside."""
    turn, right, down, growth, side = (2 * torch.rand((5, len(image)), generator=chance) - 1).to(image.device)
    angle, scale, shear = poses.turn * turn, 1 + poses.growth * growth, poses.shear * side
    flip = torch.where(side < 0, -1.0, 1.0) if poses.mirrored else torch.ones_like(side)
    across = [flip * scale * angle.cos(), shear - scale * angle.sin(), poses.shift * right]
    along = [flip * scale * angle.sin(), scale * angle.cos(), poses.shift * down]
    places = torch.stack(across + along, dim=1).unflatten(1, (2, 3))
    grid = F.affine_grid(places, list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="zeros", align_corners=False)


def noise_augmented(image: Image, strength: float, chance: torch.Generator) -> Image:
    """Noise augmentation of pictures (B,C,S,S) at all scales, from one value a picture to one a pixel: faint signals carry no code.

    Args:
        image: In any range.
        strength: Standard deviation of the noise of each of four scales.
        chance: Decides it.
    """
    size, noise = image.shape[-1], torch.zeros_like(image)
    for side in (1, 4, 16, size):
        cells = torch.randn((*image.shape[:2], side, side), generator=chance).to(image)
        noise = noise + strength * F.interpolate(cells, size, mode="nearest" if side == size else "bilinear")
    return image + noise
