"""Image2StyleGAN: optimisation in W+, a w of its own for every layer.

Paper: Abdal et al., "Image2StyleGAN: How to Embed Images Into the StyleGAN Latent Space?", arXiv:1904.03189, Eq. 1 and 2: Adam on
W+ from the mean face, pixel error plus a perceptual distance. Changed for CPUs: LPIPS on AlexNet by default (the
paper's four VGG16 layers are a knob), and about a hundred steps that begin from a w found quickly at an early exit. Added: codes
are one shared w plus offsets, and the offsets can be regularised, because the generator was distilled with one w for all layers.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor

from engines.contract import Card, Engine, InvertRequest, Run, on_device
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Codes
from engines.generators.base import Generator
from engines.invert.optimize.descent import Descent, working_size
from engines.losses.reconstruction import ReconstructionLoss
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics

QUICK_RATE = 0.08
"""Height of the learning rate while one w is sought at an early exit."""


@dataclass(frozen=True, kw_only=True)
class Image2StyleGANKnobs(Knobs):
    """Defaults suit about a minute on two CPU cores."""

    quick_steps: Annotated[int, Knob("Updates of one w for all layers at an early exit, to begin with.", lo=0, hi=1000)] = 25
    steps: Annotated[int, Knob("Updates of every layer's own w, on the full picture.", lo=1, hi=1000)] = 80
    learning_rate: Annotated[float, Knob("Adam step size at its height.", lo=1e-4, hi=1.0, log=True)] = 0.06
    editability_weight: Annotated[
        float, Knob("Weight of the layers' offsets (W+ spread): 0 has least distortion, more edits better.", lo=0, hi=1)
    ] = 1e-3
    perceptual: Annotated[
        Literal["lpips", "vgg16"], Knob("Perceptual distance; vgg16 is the paper's and ten times slower.", advanced=True)
    ] = "lpips"
    pixel_weight: Annotated[float, Knob("Weight of the squared pixel error.", lo=0, hi=10, advanced=True)] = 1.0
    perceptual_weight: Annotated[float, Knob("Weight of the perceptual distance.", lo=0, hi=10, advanced=True)] = 0.8
    preview_every: Annotated[int, Knob("Updates between previews.", lo=1, hi=100, advanced=True)] = 5


class Image2StyleGAN(Engine[InvertRequest, Image2StyleGANKnobs]):
    """One w a layer for one photo (arXiv:1904.03189)."""

    card = Card(
        name="image2stylegan",
        title="Image2StyleGAN (W+)",
        paper="arXiv:1904.03189",
        needs=frozenset({"w_plus"}),
        weights=("lpips_alex", "vgg16"),
    )
    accepts, knob_set = InvertRequest, Image2StyleGANKnobs

    def run(self, request: InvertRequest, knobs: Image2StyleGANKnobs) -> Run:
        """Descend on a shared w and one offset a layer, from the mean or the request's start."""
        target = on_device(request.image, self.generator)
        shared, offsets = shared_and_offsets(self.generator, request.start)
        slots, deviation = self.generator.slots, statistics(self.generator).deviation

        weights = {"pixel": knobs.pixel_weight, "perceptual": knobs.perceptual_weight, "editability": knobs.editability_weight}
        loss = ReconstructionLoss(target, weights, knobs.perceptual, request.mask)

        def code(_: float) -> Codes:
            return slots.scatter(shared[:, None] + offsets)

        if knobs.quick_steps:
            quick = Descent(
                generator=self.generator,
                loss=loss,
                code=code,
                parameters=[shared],
                rate=lambda progress: QUICK_RATE * arch(progress),
                kept=lambda: Latent("w_plus", code(1.0)),
            )
            yield from quick.run([working_size(self.generator)] * knobs.quick_steps, knobs.preview_every, after=knobs.steps)
        full = Descent(
            generator=self.generator,
            loss=loss,
            code=code,
            parameters=[shared, offsets],
            rate=lambda progress: knobs.learning_rate * arch(progress),
            kept=lambda: Latent("w_plus", code(1.0)),
            penalties=lambda: {"editability": (offsets / deviation).square().mean()},
        )
        return (yield from full.run([self.generator.resolution] * knobs.steps, knobs.preview_every, before=knobs.quick_steps))


def shared_and_offsets(generator: Generator, start: Latent | None) -> tuple[Tensor, Tensor]:
    """A shared w (1,512) and the offsets (1,16,512) of the used W+ layers, both to be optimised; from the mean without a start."""
    codes = generator.slots.spread(statistics(generator).mean if start is None else start.codes)[:, list(generator.slots.active)]
    shared = codes.mean(dim=1)
    return shared.detach().clone().requires_grad_(), (codes - shared[:, None]).detach().clone().requires_grad_()


def arch(progress: float) -> float:
    """Share of the learning rate over a run: a short rise, then half a cosine down to a twentieth."""
    return min(1.0, progress / 0.05 + 0.2) * (0.525 + 0.475 * math.cos(math.pi * progress))
