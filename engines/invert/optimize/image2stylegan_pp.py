"""Image2StyleGAN++: first the codes of W+, then the noise maps, one after the other, so that each says what it can say best.

Paper: Abdal, Qin and Wonka, "Image2StyleGAN++: How to Edit the Embedded Images?", arXiv:1911.11544. Two of its building blocks, in the
order that the paper asks for: W_l (codes; pixel and perceptual error inside a mask), then Mk_n (noise maps alone; pixel error to the photo
inside the mask, to the picture so far outside). Optimised together, noise maps take what the codes should learn. Changed: the first block
is Image2StyleGAN as it is here; noise maps move in units of their own strength and are held near it. Left out: the blocks for style,
scribbles and activations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from torch import Tensor

from engines.contract import Card, Engine, InvertRequest, Progress, Run, on_device
from engines.core.images import area
from engines.core.knobs import Knob
from engines.core.shapes import Image
from engines.generators.base import Generator
from engines.invert.optimize.descent import Descent
from engines.invert.optimize.image2stylegan import Image2StyleGAN, Image2StyleGANKnobs
from engines.invert.optimize.projector import whiteness
from engines.losses.reconstruction import ReconstructionLoss
from engines.spaces.latent import Latent

FARTHEST = 4.0
"""Noise maps stay within this many of their standard deviations."""


@dataclass(frozen=True, kw_only=True)
class Image2StyleGANppKnobs(Image2StyleGANKnobs):
    """Those of Image2StyleGAN, and the noise maps' own."""

    noise_steps: Annotated[int, Knob("Updates of the noise maps alone, behind the codes.", lo=1, hi=1000)] = 30
    noise_rate: Annotated[float, Knob("Adam step size of the noise maps, in their own deviations.", lo=1e-3, hi=5, log=True)] = 0.1
    whiteness_weight: Annotated[
        float, Knob("How strongly noise maps must stay noise, rather than become a drawing.", lo=0, hi=1e6, log=True, advanced=True)
    ] = 1e3


class Image2StyleGANpp(Engine[InvertRequest, Image2StyleGANppKnobs]):
    """W+ and then noise for one photo (arXiv:1911.11544)."""

    card = Card(
        name="image2stylegan_pp",
        title="Image2StyleGAN++ (W+, then noise)",
        paper="arXiv:1911.11544",
        needs=frozenset({"w_plus", "noise"}),
        weights=("lpips_alex", "vgg16"),
    )
    accepts, knob_set = InvertRequest, Image2StyleGANppKnobs

    def run(self, request: InvertRequest, knobs: Image2StyleGANppKnobs) -> Run:
        """The codes, then the noise maps; stage "before the noise" is the picture in between."""
        base = {name: getattr(knobs, name) for name in (declared.name for declared in Image2StyleGANKnobs.declared())}
        codes = Image2StyleGAN(self.generator).run(request, Image2StyleGANKnobs.of(base))
        before = knobs.quick_steps + knobs.steps
        while True:
            try:
                yield self._counted(next(codes), before + knobs.noise_steps)
            except StopIteration as stop:
                embedded = stop.value
                break
        latent, picture = embedded.inversions[0].latent, embedded.images.detach()
        noise = Noise(self.generator)
        loss = ReconstructionLoss(self._goal(request, picture), {"perceptual": 0.0, "whiteness": knobs.whiteness_weight})
        descent = Descent(
            generator=self.generator,
            loss=loss,
            code=lambda _: latent.codes,
            parameters=list(noise.steps.values()),
            rate=lambda progress: knobs.noise_rate * min(1.0, 1.5 - progress),
            kept=lambda: Latent("w_plus", latent.codes),
            penalties=lambda: {"whiteness": noise.whiteness()},
            then=noise.hold,
            features=noise.features,
        )
        sizes = [self.generator.resolution] * knobs.noise_steps
        result = yield from descent.run(sizes, knobs.preview_every, before=before)
        return replace(result, stages={"before the noise": picture})

    @staticmethod
    def _counted(progress: Progress, total: int) -> Progress:
        return replace(progress, total=total)

    def _goal(self, request: InvertRequest, picture: Image) -> Image:
        """The photo inside the mask and the picture so far outside, as in Mk_n(M, w, n, x, y)."""
        target = on_device(request.image, self.generator)
        if request.mask is None:
            return target
        side = target.shape[-1]
        return torch.lerp(area(picture, side), target, area(request.mask.to(target), side))


class Noise:
    """Noise maps that move in units of their own standard deviation.

    Args:
        generator: Whose maps they are.
    """

    def __init__(self, generator: Generator) -> None:
        self.maps = {layer: value.detach() for layer, value in generator.noise().items()}
        self.units = {layer: value.std().clamp_min(1e-8) for layer, value in self.maps.items()}
        self.steps = {layer: torch.zeros_like(value).requires_grad_() for layer, value in self.maps.items()}

    def features(self) -> Mapping[str, Tensor]:
        """The maps as features."""
        return {f"noise/{layer}": value + self.units[layer] * self.steps[layer] for layer, value in self.maps.items()}

    @torch.no_grad()
    def hold(self) -> None:
        """Keep every value within `FARTHEST` deviations."""
        for layer, step in self.steps.items():
            unit = self.units[layer]
            step.copy_((self.maps[layer] + unit * step).clamp(-FARTHEST * unit, FARTHEST * unit).sub(self.maps[layer]) / unit)

    def whiteness(self) -> Tensor:
        """How much neighbours agree in all maps together, as StyleGAN2's projector counts it."""
        return torch.stack([whiteness(value / self.units[layer] + self.steps[layer]) for layer, value in self.maps.items()]).sum()
