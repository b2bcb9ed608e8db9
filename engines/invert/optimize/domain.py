"""Domain regularisation by an encoder, and the optimisation that In-Domain inversion and semantic diffusion share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, get_args

import torch
from torch import Tensor

from engines.contract import Run
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Codes, Image, Mask
from engines.generators.base import Generator
from engines.invert.encode.encoder import Scale
from engines.invert.encode.pyramid import load_pyramid
from engines.invert.optimize.descent import working_size
from engines.invert.optimize.refinement import QuasiNewton, Refinement
from engines.losses.reconstruction import ReconstructionLoss
from engines.spaces.latent import Latent

EncoderName: TypeAlias = Literal["in_domain", "e4e", "psp"]
Descending: TypeAlias = Literal["L-BFGS", "Adam"]
ENCODERS: tuple[EncoderName, ...] = get_args(EncoderName)
"""One-pass encoders, the best suited first; also the entries of their weights."""


@dataclass(frozen=True, kw_only=True)
class DomainKnobs(Knobs):
    """What every descent within the domain can be told; the authors' weights, a larger rate and fewer steps."""

    quick_steps: Annotated[int, Knob("Evaluations of the objective at an early exit.", lo=0, hi=1000)] = 40
    steps: Annotated[int, Knob("Evaluations of the objective on the full picture, after those at an early exit.", lo=1, hi=1000)] = 20
    domain_weight: Annotated[
        float, Knob("Weight of the domain regularisation ||w - E(G(w))||: 0 has least distortion, more edits better.", lo=0, hi=32)
    ] = 2.0
    encoder: Annotated[EncoderName, Knob("Encoder of the start and of the domain regularisation.")] = "in_domain"
    descent: Annotated[
        Descending, Knob("L-BFGS approximates second derivatives and gets further in as many steps; Adam is the authors'.", advanced=True)
    ] = "L-BFGS"
    learning_rate: Annotated[
        float,
        Knob("Step size of Adam at its height, in W's deviations.", lo=1e-4, hi=1.0, log=True, advanced=True, only_if=("descent", "Adam")),
    ] = 0.05
    pixel_weight: Annotated[float, Knob("Weight of the squared pixel error.", lo=0, hi=10, advanced=True)] = 1.0
    perceptual_weight: Annotated[float, Knob("Weight of LPIPS.", lo=0, hi=10, advanced=True)] = 0.8
    stop_early: Annotated[bool, Knob("Stop when the objective no longer falls.", advanced=True)] = True
    preview_every: Annotated[int, Knob("Updates between previews.", lo=1, hi=100, advanced=True)] = 5


class DomainEncoder:
    """An encoder that lets gradients through: from pictures to codes of the used W+ layers, in standard deviations of W.

    Args:
        name: One of `ENCODERS`.
        generator: Whose codes it says.
    """

    def __init__(self, name: str, generator: Generator) -> None:
        self._pyramid, self._deviation = load_pyramid(name, generator), Scale(generator).deviation

    def __call__(self, image: Image) -> Codes:
        """Numbers (B,16,width) of pictures (B,3,R,R)."""
        return self._pyramid(image) / self._deviation


class DomainLoss(ReconstructionLoss):
    """Pixel and perceptual distance, and the distance of a code from its re-encoding.

    Args:
        target: (1,3,R,R) in [-1, 1].
        weights: Factors of "pixel", "perceptual" and "domain"; the last is not computed where it counts nothing.
        numbers: The code that is optimised, (1,16,width).
        encoder: The encoder.
        mask: 1 where the picture matters, (1,1,R,R).
    """

    def __init__(self, target: Image, weights: Mapping[str, float], numbers: Codes, encoder: DomainEncoder, mask: Mask | None) -> None:
        super().__init__(target, weights, mask=mask)
        self.numbers, self.encoder = numbers, encoder

    def terms(self, image: Image) -> dict[str, Tensor]:
        """The terms, not weighted, each a scalar."""
        found = super().terms(image)
        if self.weights["domain"]:
            found["domain"] = (self.numbers - self.encoder(image)).square().mean()  # the last term of Eq. 4
        return found


class Domain:
    """A generator with the encoders that know its domain, each loaded when it is first asked for.

    Args:
        generator: Whose codes they say.
    """

    def __init__(self, generator: Generator) -> None:
        self.generator, self.scale = generator, Scale(generator)
        self._encoders: dict[str, DomainEncoder] = {}

    def encoder(self, name: str) -> DomainEncoder:
        """The encoder called `name`, one of `ENCODERS`."""
        if name not in self._encoders:
            self._encoders[name] = DomainEncoder(name, self.generator)
        return self._encoders[name]

    @torch.no_grad()
    def read(self, image: Image, encoder: str) -> Latent:
        """An encoder's code of a photo (1,3,R,R)."""
        return self.latent(self.encoder(encoder)(image))

    def latent(self, numbers: Codes) -> Latent:
        """The code that numbers (1,16,width) stand for."""
        return Latent("w_plus", self.generator.slots.scatter(self.scale.codes(numbers)))

    def numbers(self, latent: Latent) -> Codes:
        """The numbers of a code in w or w_plus."""
        codes = self.generator.slots.spread(latent.codes)[:, list(self.generator.slots.active)]
        return (codes - self.scale.mean) / self.scale.deviation

    def descend(self, start: Latent, target: Image, mask: Mask | None, knobs: DomainKnobs) -> Run:
        """From a code to a photo: at a small size first, then on the full picture."""
        if knobs.quick_steps:
            sizes = [working_size(self.generator)] * knobs.quick_steps
            quick = yield from self._stage(start, target, mask, knobs).run(sizes, knobs.preview_every, after=knobs.steps)
            start = quick.inversions[0].latent
        sizes = [self.generator.resolution] * knobs.steps
        return (yield from self._stage(start, target, mask, knobs).run(sizes, knobs.preview_every, before=knobs.quick_steps))

    def _stage(self, start: Latent, target: Image, mask: Mask | None, knobs: DomainKnobs) -> Refinement:
        numbers = self.numbers(start).detach().clone().requires_grad_()
        weights = {"pixel": knobs.pixel_weight, "perceptual": knobs.perceptual_weight, "domain": knobs.domain_weight}
        kind = QuasiNewton if knobs.descent == "L-BFGS" else Refinement
        return kind(
            generator=self.generator,
            loss=DomainLoss(target, weights, numbers, self.encoder(knobs.encoder), mask),
            code=lambda _: self.latent(numbers).codes,
            parameters=[numbers],
            rate=lambda progress: knobs.learning_rate * 0.5 * (1 + math.cos(math.pi * progress)),
            kept=lambda: self.latent(numbers),
            stops_early=knobs.stop_early,
        )
