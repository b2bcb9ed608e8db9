"""How a stroke lies and how broad it is: slant and thickness of written digits, measured on their pictures alone."""

import torch
import torch.nn.functional as F
from torch import Tensor

_INK = 0.5
_MOST_ROUNDS = 28


def slant(images: Tensor) -> Tensor:
    """Angle (N,) in radians by which pictures (N,1,S,S) in [0, 1] lean to the right, from their second moments; 0 where no ink is."""
    ink = images[:, 0]
    rows = torch.arange(ink.shape[1], dtype=ink.dtype, device=ink.device)[None, :, None]
    columns = torch.arange(ink.shape[2], dtype=ink.dtype, device=ink.device)[None, None, :]
    mass = ink.sum(dim=(1, 2)).clamp_min(1e-6)
    down = rows - ((ink * rows).sum(dim=(1, 2)) / mass)[:, None, None]
    right = columns - ((ink * columns).sum(dim=(1, 2)) / mass)[:, None, None]
    mixed, upright = (ink * down * right).sum(dim=(1, 2)), (ink * down.square()).sum(dim=(1, 2))
    return torch.where(upright > 1e-6, torch.atan(-mixed / upright.clamp_min(1e-6)), 0.0)


def thickness(images: Tensor) -> Tensor:
    """Breadth of the strokes (N,) of pictures (N,1,S,S) in [0, 1], in pixels: ink over length, the length that of the thinned strokes."""
    ink = images[:, 0] > _INK
    length = thinned(ink).sum(dim=(1, 2))
    return torch.where(length > 0, ink.sum(dim=(1, 2)) / length.clamp_min(1), 0.0)


def thinned(ink: Tensor) -> Tensor:
    """Strokes (N,S,S) worn down to lines of one pixel (Zhang and Suen, "A fast parallel algorithm for thinning", 1984)."""
    line = F.pad(ink, (1, 1, 1, 1))
    for _ in range(_MOST_ROUNDS):
        before = line
        for second in (False, True):
            line = line & ~_worn(line, second)
        if torch.equal(before, line):
            break
    return line[:, 1:-1, 1:-1]


def _worn(line: Tensor, second: bool) -> Tensor:
    """What one half-round takes away: border pixels whose loss neither breaks nor shortens a line."""
    around = [torch.roll(line, shift, (1, 2)) for shift in ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))]
    north, _, east, _, south, _, west, _ = around
    count = torch.stack(around).sum(dim=0)
    turns = torch.stack([~a & b for a, b in zip(around, around[1:] + around[:1], strict=True)]).sum(dim=0)
    sides = (north & east & west, north & south & west) if second else (north & east & south, east & south & west)
    return line & (count >= 2) & (count <= 6) & (turns == 1) & ~sides[0] & ~sides[1]
