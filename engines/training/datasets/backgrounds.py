"""The birds' six places: sky, water, grass, branches, sand and dusk, each a little different in every picture."""

import torch
from torch import Tensor

from engines.training.datasets.strokes import Plane

BACKGROUNDS = ("sky", "water", "grass", "branches", "sand", "dusk")

_TOP = ((0.45, 0.70, 0.95), (0.55, 0.80, 0.85), (0.70, 0.85, 0.60), (0.78, 0.84, 0.72), (0.93, 0.86, 0.70), (0.30, 0.30, 0.55))
_BOTTOM = ((0.80, 0.90, 0.98), (0.10, 0.38, 0.52), (0.20, 0.48, 0.16), (0.56, 0.66, 0.50), (0.80, 0.68, 0.46), (0.62, 0.45, 0.58))
_MARK = ((0.97, 0.98, 1.00), (0.72, 0.90, 0.92), (0.10, 0.34, 0.08), (0.33, 0.24, 0.14), (0.66, 0.53, 0.34), (0.88, 0.78, 0.70))
_STRONG = (0.75, 0.45, 0.55, 0.9, 0.35, 0.8)
"""How strongly a place's marks are drawn."""


def background_image(on: Plane, which: Tensor, chance: Tensor) -> Tensor:
    """Backgrounds (N,3,S,S) in [0, 1].

    Args:
        on: Pixels.
        which: Places in `BACKGROUNDS`, (N,).
        chance: From -1 to 1, (N,): where clouds, waves and branches lie.
    """
    top, bottom, mark = (torch.tensor(table)[which][:, :, None, None] for table in (_TOP, _BOTTOM, _MARK))
    ground = torch.lerp(top, bottom, (0.5 + 0.5 * on.y)[:, None])
    strength = torch.tensor(_STRONG)[which][:, None, None]
    return torch.lerp(ground, mark, (strength * _marks(on, which, 40 * chance[:, None, None]))[:, None]).clamp(0, 1)


def _marks(on: Plane, which: Tensor, phase: Tensor) -> Tensor:
    """How much of each pixel (N,S,S) is mark, 0 to 1."""
    x, y = on.x, on.y
    clouds = ((2.2 * x + phase).sin() * (3.1 * y + 1.7 * phase).cos() + 0.5 * (5.3 * x - 2 * y + 0.6 * phase).sin() - 0.45).clamp(0, 0.6)
    waves = (((18 * y + 1.2 * (4 * x + phase).sin() + phase).sin() - 0.55) * 2.5).clamp(0, 1) * (0.4 + 0.3 * (3 * x + phase).cos())
    blades = (((26 * x + 3 * (5 * y + phase).sin() + phase).sin() - 0.2) * 2).clamp(0, 1) * (0.6 + 0.5 * y).clamp(0, 1)
    bend = y + 0.25 * (1.6 * x + phase).sin() - 0.35
    twig = x + 0.3 * (1.9 * y + 0.7 * phase).sin() + 0.55 * (0.31 * phase).cos()
    branches = torch.maximum(_line(bend, 0.05, on), _line(twig, 0.028, on))
    dunes = (((7 * y + 1.5 * (2.1 * x + phase).sin() + 0.5 * phase).sin() - 0.3) * 1.6).clamp(0, 1)
    sun_x, sun_y = 0.6 * (0.7 * phase).sin(), -0.55 + 0.2 * (0.9 * phase).cos()
    sun = on.covered(((x - sun_x).square() + (y - sun_y).square()).sqrt() - 0.22)
    every = torch.stack([clouds / 0.6, waves, blades, branches, dunes, sun], dim=1)
    return every[torch.arange(len(which)), which]


def _line(distance: Tensor, half: float, on: Plane) -> Tensor:
    return on.covered(distance.abs() - half)
