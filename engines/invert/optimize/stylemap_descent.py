"""Joint descent on stylemap and W+: what stylemap inversion does, and what refines a stylemap encoder's prediction."""

from collections.abc import Mapping

import torch
from torch import Tensor

from engines.core.shapes import Code, Codes
from engines.generators.base import Generator
from engines.invert.optimize.descent import Descent
from engines.invert.optimize.image2stylegan import arch
from engines.losses.reconstruction import ReconstructionLoss
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics


def joint_descent(generator: Generator, loss: ReconstructionLoss, shared: Code, offsets: Codes, grid: Tensor, rate: float) -> Descent:
    """Joint descent on stylemap and W+.

    Args:
        generator: Who draws.
        loss: Judges, with weights "editability" and "smoothness" for the penalties.
        shared: The w of all layers, (1,width).
        offsets: Of each used W+ layer, (1,16,width).
        grid: The stylemap's offsets from `shared`, (1,width,n,n).
        rate: Adam step size at its height.
    """
    slots, deviation = generator.slots, statistics(generator).deviation

    def code(_: float) -> Codes:
        return slots.scatter(shared[:, None] + offsets)

    return Descent(
        generator=generator,
        loss=loss,
        code=code,
        parameters=[shared, offsets, grid],
        rate=lambda progress: rate * arch(progress),
        kept=lambda: Latent("w_plus", code(1.0)),
        penalties=lambda: penalties(offsets, grid, deviation),
        then=lambda: centre(shared, grid),
        features=lambda: {"grid": grid},
    )


def zero_stylemap(generator: Generator, side: int) -> Tensor:
    """A stylemap of zeros, (1,width,side,side), to be optimised."""
    return torch.zeros(1, generator.width, side, side, device=generator.device).requires_grad_()


def centre(shared: Code, grid: Tensor) -> None:
    """Move the stylemap's mean into the shared w: the picture stays the same."""
    mean = grid.mean(dim=(2, 3), keepdim=True)
    grid -= mean
    shared += mean[:, :, 0, 0]


def penalties(offsets: Codes, grid: Tensor, deviation: Code) -> Mapping[str, Tensor]:
    """Mean squares, in W's standard deviations, of the offsets of layers and positions, and of differences of neighbouring positions."""
    cells = grid / deviation[:, :, None, None]
    steps = [(cells - cells.roll(1, dims=axis)).narrow(axis, 1, cells.shape[axis] - 1).square().mean() for axis in (2, 3)]
    return {
        "editability": (offsets / deviation).square().mean() + cells.square().mean(),
        "smoothness": steps[0] + steps[1],
    }
