"""The StyleGAN2 projector: optimisation in W.

Paper: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", arXiv:1912.04958, section 5 and appendix D. Followed:
w from the mean, jitter that fades over the first three quarters, the learning rate's ramps, noise maps optimised with the
multi-scale whiteness penalty. Changed for CPUs: LPIPS on AlexNet rather than VGG16, a pixel term beside it, fewer steps, most of them at an
early exit, and noise maps kept fixed unless asked for.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.contract import Card, Engine, InvertRequest, Run, on_device
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import rng
from engines.invert.optimize.descent import Descent, working_size
from engines.losses.reconstruction import ReconstructionLoss
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics

_SMALLEST_NOISE = 8


@dataclass(frozen=True, kw_only=True)
class ProjectorKnobs(Knobs):
    """Rates, jitter and penalty are the authors'; steps are fewer."""

    quick_steps: Annotated[int, Knob("Updates at an early exit.", lo=0, hi=1000)] = 80
    steps: Annotated[int, Knob("Updates on the full picture, after those at an early exit.", lo=1, hi=1000)] = 30
    learning_rate: Annotated[float, Knob("Adam step size at its height.", lo=1e-4, hi=1.0, log=True)] = 0.1
    jitter: Annotated[float, Knob("Noise added to w at first, in standard deviations of W.", lo=0, hi=1, advanced=True)] = 0.05
    pixel_weight: Annotated[float, Knob("Weight of the squared pixel error.", lo=0, hi=10, advanced=True)] = 0.5
    perceptual_weight: Annotated[float, Knob("Weight of LPIPS.", lo=0, hi=10, advanced=True)] = 1.0
    optimize_noise: Annotated[
        bool, Knob("Also fit the noise maps, as the paper does: slower, and they hide errors of identity.", advanced=True)
    ] = False
    noise_weight: Annotated[
        float, Knob("Weight that keeps fitted noise maps white.", lo=0, hi=1e6, log=True, advanced=True, only_if=("optimize_noise", True))
    ] = 1e5
    preview_every: Annotated[int, Knob("Updates between previews.", lo=1, hi=100, advanced=True)] = 5


class Projector(Engine[InvertRequest, ProjectorKnobs]):
    """One w for one photo (arXiv:1912.04958); the baseline that edits best and resembles least."""

    card = Card(
        name="projector",
        title="StyleGAN2 projector (W)",
        paper="arXiv:1912.04958",
        needs=frozenset({"w", "noise"}),
        weights=("lpips_alex",),
    )
    accepts, knob_set = InvertRequest, ProjectorKnobs
    editable = True

    def run(self, request: InvertRequest, knobs: ProjectorKnobs) -> Run:
        """Descend from the mean, or from the mean of the request's start over its layers."""
        target = on_device(request.image, self.generator)
        spread = statistics(self.generator)
        start = spread.mean if request.start is None else _as_w(request.start)
        w = start.detach().clone().requires_grad_()
        noises = self._noises(request.seed) if knobs.optimize_noise else {}
        stream = rng(request.seed)

        def code(progress: float) -> Tensor:
            sigma = spread.std * knobs.jitter * max(0.0, 1 - progress / 0.75) ** 2
            return w + sigma * torch.randn(w.shape, generator=stream).to(w)

        def penalties() -> Mapping[str, Tensor]:
            return (
                {"noise": knobs.noise_weight * sum((whiteness(noise) for noise in noises.values()), start=w.new_zeros(()))}
                if noises
                else {}
            )

        def renormalise() -> None:
            for noise in noises.values():
                noise -= noise.mean()
                noise *= noise.square().mean().rsqrt()

        strengths = {layer: noise.std() for layer, noise in self.generator.noise().items()}  # folded into the maps
        weights = {"pixel": knobs.pixel_weight, "perceptual": knobs.perceptual_weight}
        descent = Descent(
            generator=self.generator,
            loss=ReconstructionLoss(target, weights, mask=request.mask),
            code=code,
            parameters=[w, *noises.values()],
            rate=lambda progress: knobs.learning_rate * ramp(progress),
            kept=lambda: Latent("w", w),
            penalties=penalties,
            then=renormalise,
            features=lambda: {f"noise/{layer}": strengths[layer] * noise for layer, noise in noises.items()},
        )
        sizes = [working_size(self.generator)] * knobs.quick_steps + [self.generator.resolution] * knobs.steps
        return (yield from descent.run(sizes, knobs.preview_every))

    def _noises(self, seed: int) -> dict[str, Tensor]:
        """A unit normal map for each layer, to be optimised."""
        stream = rng(seed)
        return {
            layer: torch.randn(noise.shape, generator=stream).to(noise).requires_grad_() for layer, noise in self.generator.noise().items()
        }


def _as_w(start: Latent) -> Tensor:
    return start.codes if start.codes.dim() == 2 else start.codes.mean(dim=1)


def ramp(progress: float) -> float:
    """The projector's learning rate schedule: a short warm-up and a cosine end (arXiv:1912.04958, appendix D)."""
    down = min(1.0, (1.0 - progress) / 0.25)
    return (0.5 - 0.5 * math.cos(math.pi * down)) * min(1.0, (progress + 0.01) / 0.05)


def whiteness(noise: Tensor) -> Tensor:
    """How far a noise map (1,1,s,s) correlates with itself shifted by one, summed over scales down to 8 px (appendix D)."""
    total = noise.new_zeros(())
    while True:
        for axis in (2, 3):
            total = total + (noise * noise.roll(1, dims=axis)).mean().square()
        if noise.shape[-1] <= _SMALLEST_NOISE:
            return total
        noise = F.avg_pool2d(noise, 2) * 2  # times 2 keeps white noise at unit variance
