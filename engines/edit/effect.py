"""How much of a picture a direction moves, beside this generator's own strongest: what tells a direction of another generator or space.

Measured on the bundled generator, three faces, from -3 to 3 sigma, as the mean change of pixels at 64 px: boundaries of its own W 0.18 to
0.72, its first forty main components 0.15 to 0.63; boundaries of Z used in W 0.05 to 0.11, random unit vectors 0.05 to 0.12. The first main
component moves 0.47, so a third of that lies between.
"""

from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from engines.core.images import area
from engines.generators.base import Generator
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w, statistics

HARDLY = 0.3
"""Share of the first main component's effect below which a direction hardly moves a picture."""

_SEEDS, _SIDE, _SIGMAS = (1, 2, 3), 64, 3.0
_strongest: "WeakKeyDictionary[Generator, float]" = WeakKeyDictionary()


@torch.no_grad()
def effect(direction: Direction, generator: Generator) -> float:
    """The change of pictures from -3 to 3 sigma, as a share of what the first main component of W does.

    Args:
        direction: Of W, W+ or S.
        generator: That draws.

    Raises:
        SpaceError: A direction of Z, or of another generator.
    """
    if generator not in _strongest:
        bank = statistics(generator).bank[:2000]
        first = torch.linalg.eigh((bank - bank.mean(dim=0)).T @ (bank - bank.mean(dim=0))).eigenvectors[:, -1]
        own = Direction("first", "w", first, generator.slots.active, statistics(generator).sigma(first), "main component")
        _strongest[generator] = max(_change(own, generator), 1e-6)
    return _change(direction, generator) / _strongest[generator]


def is_weak(direction: Direction, generator: Generator) -> bool:
    """Whether a direction of W or W+ that reaches at least half of the layers hardly moves pictures."""
    reaches = direction.space in ("w", "w_plus") and 2 * len(direction.slots) >= len(generator.slots.active)
    return reaches and effect(direction, generator) < HARDLY


def _change(direction: Direction, generator: Generator) -> float:
    faces = torch.cat([random_w(generator, seed) for seed in _SEEDS])
    low, high = (_drawn(faces, direction, strength, generator) for strength in (-_SIGMAS, _SIGMAS))
    return float((high - low).abs().mean())


def _drawn(faces: Tensor, direction: Direction, strength: float, generator: Generator) -> Tensor:
    moved = apply_directions(Latent("w", faces), [(direction, strength)], generator)
    size = generator.nearest_exit(128)
    return area(generator.synthesize(moved.latent, features=moved.features, size=size).clamp(-1, 1), min(_SIDE, size))
