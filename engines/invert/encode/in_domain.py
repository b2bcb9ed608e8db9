"""The domain-guided encoder: trained by image and adversarial losses on its reconstructions, so that codes stay in the generator's domain.

Paper: Zhu et al., "In-Domain GAN Inversion for Real Image Editing", arXiv:2004.00049. Followed: the encoder of section 3.1, taught through
the frozen generator by pixels, features and a discriminator (Eq. 2 and 3, in the recipe). The second half of the paper, the
optimisation that starts from here, is engines/invert/optimize/in_domain.py. Changed: pSp's network over frozen trunks in place of
one of 165 M weights, so that what differs from pSp is what the network is taught.
"""

from dataclasses import dataclass

import torch

from engines.contract import Card, Engine, InvertRequest, Progress, Result, Run, on_device
from engines.core.knobs import Knobs
from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.invert.encode.pyramid import TRUNKS, load_pyramid
from engines.spaces.latent import Inversion, Latent


@dataclass(frozen=True, kw_only=True)
class InDomainKnobs(Knobs):
    """One pass: there is nothing to choose."""


class InDomain(Engine[InvertRequest, InDomainKnobs]):
    """One pass from photo to a code within the generator's domain (arXiv:2004.00049)."""

    card = Card(
        name="in_domain",
        title="In-Domain encoder",
        paper="arXiv:2004.00049",
        needs=frozenset({"w_plus", "encoders"}),
        weights=(*TRUNKS, "in_domain"),
    )
    accepts, knob_set = InvertRequest, InDomainKnobs
    one_pass = True

    def __init__(self, generator: Generator) -> None:
        super().__init__(generator)
        self.pyramid = load_pyramid("in_domain", generator)

    def run(self, request: InvertRequest, knobs: InDomainKnobs) -> Run:
        """Encode, then draw."""
        codes = self.encode(on_device(request.image, self.generator))
        yield Progress(1, 2)
        result = self._drawn(codes)
        yield Progress(2, 2, result.images, best=self._kept(result.images, codes))
        return result

    @torch.no_grad()
    def encode(self, image: Image) -> Codes:
        """Codes (B,slots,width) of aligned photos (B,3,R,R)."""
        return self.generator.slots.scatter(self.pyramid.encode(image))

    @torch.no_grad()
    def _drawn(self, codes: Codes) -> Result:
        return self._kept(self.generator.synthesize(codes), codes)

    @staticmethod
    def _kept(image: Image, codes: Codes) -> Result:
        return Result(image, (Inversion(Latent("w_plus", codes.clone())),))
