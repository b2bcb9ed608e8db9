"""Image2StyleGAN++: optimisation in W+, then of the noise maps.

Paper: Abdal, Qin and Wonka, "Image2StyleGAN++: How to Edit the Embedded Images?", arXiv:1911.11544, section 5.1, improved inversion: W_l,
then Mk_n. The first is Image2StyleGAN as it is here. Optimised together, noise maps take what the codes should learn. Changed: fewer
steps, and the noise maps' as engines/invert/optimize/blocks.py says. The paper's masked uses are in local_embedding.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import torch

from engines.contract import Card, Engine, InvertRequest, Result, Run, on_device, within
from engines.core.images import area
from engines.core.knobs import Knob
from engines.invert.optimize.blocks import seek_noise
from engines.invert.optimize.image2stylegan import Image2StyleGAN, Image2StyleGANKnobs
from engines.losses.local import Goal, LocalLoss


@dataclass(frozen=True, kw_only=True)
class Image2StyleGANppKnobs(Image2StyleGANKnobs):
    """Those of Image2StyleGAN, and the noise maps' own; as many steps in all."""

    steps: Annotated[int, Knob("Updates of every layer's own w, on the full picture.", lo=1, hi=1000)] = 50
    noise_steps: Annotated[int, Knob("Updates of the noise maps alone, behind those of the codes.", lo=1, hi=1000)] = 30
    noise_rate: Annotated[float, Knob("Adam step size of the noise maps.", lo=1e-3, hi=1, log=True, advanced=True)] = 0.05


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
        base = Image2StyleGANKnobs.of({declared.name: getattr(knobs, declared.name) for declared in Image2StyleGANKnobs.declared()})
        before = knobs.quick_steps + knobs.steps
        embedded = yield from within(Image2StyleGAN(self.generator).run(request, base), 0, before + knobs.noise_steps)
        latent, picture = embedded.inversions[0].latent, embedded.images.detach()
        result = yield from seek_noise(
            self.generator,
            self._loss(request, embedded),
            latent.codes,
            knobs.noise_steps,
            knobs.noise_rate,
            {},
            knobs.preview_every,
            before,
        )
        return replace(result, stages={"before the noise": picture})

    def _loss(self, request: InvertRequest, embedded: Result) -> LocalLoss:
        """Pixels of the photo within the mask and of the picture so far outside, as in Mk_n(M, w, n, x, y)."""
        photo, side = on_device(request.image, self.generator), self.generator.resolution
        if request.mask is None:
            return LocalLoss([Goal(photo, pixel=torch.ones(1, 1, 1, 1, device=self.generator.device))], {}, side)
        mask = area(request.mask.to(photo), side)
        return LocalLoss([Goal(photo, pixel=mask), Goal(embedded.images.detach(), pixel=1 - mask)], {}, side)
