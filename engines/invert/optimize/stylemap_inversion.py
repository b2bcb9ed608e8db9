"""Stylemap inversion: one w a layer, and on top of it a coarse grid of w, so that each place of the picture has a style of its own.

A stylemap, a grid of styles instead of a vector, is the idea of Kim et al., "Exploiting Spatial Dimensions of Latent in GAN for Real-time
Image Editing" (StyleMapGAN), arXiv:2104.14754, section 3. There a generator is trained for it; here the pretrained one takes it as it is,
because its layers are linear in their styles. Grid and W+ are found together by gradient descent, as in Image2StyleGAN (arXiv:1904.03189).
All layers share the grid, each through its own affine map, spread bilinearly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor

from engines.contract import Card, Engine, InvertRequest, Run, on_device
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Code, Codes
from engines.generators.base import Generator
from engines.invert.optimize.descent import Descent, working_size
from engines.invert.optimize.image2stylegan import QUICK_RATE, arch, shared_and_offsets
from engines.losses.reconstruction import ReconstructionLoss
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics

Side = Literal["4", "8", "16"]

HELD = {"learning_rate": 0.03, "editability_weight": 0.1, "smoothness_weight": 0.1}
"""Codes that a tuning follows are held tighter than those that must do alone: edits reach them, and the picture gets no worse."""


@dataclass(frozen=True, kw_only=True)
class StylemapInversionKnobs(Knobs):
    """Defaults suit half a minute on two CPU cores."""

    side: Annotated[Side, Knob("Cells along each side of the grid: more resemble more, fewer edit better.")] = "8"
    quick_steps: Annotated[int, Knob("Updates of one w for all layers, at a small size, to begin with.", lo=0, hi=1000)] = 25
    coarse_steps: Annotated[int, Knob("Updates of grid and layers' codes together, at a small size.", lo=0, hi=1000)] = 40
    steps: Annotated[int, Knob("Updates of grid and layers' codes together, on the full picture.", lo=0, hi=1000)] = 45
    learning_rate: Annotated[float, Knob("Adam step size at its height.", lo=1e-4, hi=1.0, log=True)] = 0.06
    editability_weight: Annotated[
        float, Knob("How strongly layers and cells are held together: 0 is most faithful, more edits better.", lo=0, hi=1)
    ] = 1e-3
    smoothness_weight: Annotated[
        float, Knob("How strongly neighbouring cells are held alike: with more, less stays behind when the head turns.", lo=0, hi=1)
    ] = 5e-3
    pixel_weight: Annotated[float, Knob("Weight of the squared pixel error.", lo=0, hi=10, advanced=True)] = 1.0
    perceptual_weight: Annotated[float, Knob("Weight of LPIPS.", lo=0, hi=10, advanced=True)] = 0.8
    preview_every: Annotated[int, Knob("Updates between previews.", lo=1, hi=100, advanced=True)] = 5


class StylemapInversion(Engine[InvertRequest, StylemapInversionKnobs]):
    """A code a layer and a grid of codes for one photo (a stylemap: arXiv:2104.14754)."""

    card = Card(
        name="stylemap_inversion",
        title="Stylemap inversion (W+ and a grid)",
        paper="arXiv:2104.14754",
        needs=frozenset({"w_plus", "spatial_styles"}),
        weights=("lpips_alex",),
    )
    accepts, knob_set = InvertRequest, StylemapInversionKnobs

    def run(self, request: InvertRequest, knobs: StylemapInversionKnobs) -> Run:
        """Descend on a shared w, one offset a slot and the grid, from the mean or the request's start."""
        generator, slots = self.generator, self.generator.slots
        coarse, full = knobs.coarse_steps, knobs.steps or int(not knobs.coarse_steps)  # something has to be done
        weights = {
            "pixel": knobs.pixel_weight,
            "perceptual": knobs.perceptual_weight,
            "editability": knobs.editability_weight,
            "smoothness": knobs.smoothness_weight,
        }
        loss = ReconstructionLoss(on_device(request.image, generator), weights, "lpips", request.mask)
        shared, offsets = shared_and_offsets(generator, request.start)
        grid = new_grid(generator, int(knobs.side))

        def code(_: float) -> Codes:
            return slots.scatter(shared[:, None] + offsets)

        def kept() -> Latent:
            return Latent("w_plus", code(1.0))

        if knobs.quick_steps:
            quick = Descent(generator, loss, code, [shared], lambda progress: QUICK_RATE * arch(progress), kept)
            yield from quick.run([working_size(generator)] * knobs.quick_steps, knobs.preview_every, after=coarse + full)
        sizes = [working_size(generator)] * coarse + [generator.resolution] * full
        both = together(generator, loss, shared, offsets, grid, knobs.learning_rate)
        return (yield from both.run(sizes, knobs.preview_every, before=knobs.quick_steps))


def together(generator: Generator, loss: ReconstructionLoss, shared: Code, offsets: Codes, grid: Tensor, rate: float) -> Descent:
    """Descent on grid and layers' codes at once.

    Args:
        generator: Who draws.
        loss: Judges, with weights "editability" and "smoothness" for the penalties.
        shared: The w of all layers, (1,width).
        offsets: What each active slot adds, (1,16,width).
        grid: What each cell adds, (1,width,n,n).
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


def new_grid(generator: Generator, side: int) -> Tensor:
    """A grid of nothing, (1,width,side,side), to be optimised."""
    return torch.zeros(1, generator.width, side, side, device=generator.device).requires_grad_()


def centre(shared: Code, grid: Tensor) -> None:
    """Move the grid's mean into the shared w: the picture stays, and the codes say all that is the same everywhere."""
    mean = grid.mean(dim=(2, 3), keepdim=True)
    grid -= mean
    shared += mean[:, :, 0, 0]


def penalties(offsets: Codes, grid: Tensor, deviation: Code) -> Mapping[str, Tensor]:
    """Mean squares, in W's deviations, of what layers and cells add, and of what separates neighbouring cells."""
    cells = grid / deviation[:, :, None, None]
    steps = [(cells - cells.roll(1, dims=axis)).narrow(axis, 1, cells.shape[axis] - 1).square().mean() for axis in (2, 3)]
    return {
        "editability": (offsets / deviation).square().mean() + cells.square().mean(),
        "smoothness": steps[0] + steps[1],
    }
