"""Domain-regularised optimisation: from an encoder's code towards the photo, within the domain that the encoder has learnt.

Paper: Zhu et al., "In-Domain GAN Inversion for Real Image Editing", arXiv:2004.00049. Followed: section 3.2 and Eq. 4, from the encoder's
code on pixels, features, and the distance between the code and the re-encoding of its picture, with gradients through encoder and
generator. Changed: L-BFGS with a line search goes further in as many evaluations of the objective than the authors' Adam, which stays a
knob; any of the encoders may regularise; codes are in standard deviations of W, over the used W+ layers; LPIPS on AlexNet for one layer of
VGG16; the best iterate is kept (later steps can be worse), and most steps use an early exit.
"""

from dataclasses import dataclass

from engines.contract import Card, Engine, InvertRequest, Run, on_device
from engines.generators.base import Generator
from engines.invert.encode.pyramid import TRUNKS
from engines.invert.optimize.domain import ENCODERS, Domain, DomainKnobs


@dataclass(frozen=True, kw_only=True)
class InDomainRefineKnobs(DomainKnobs):
    """Defaults suit some twenty seconds on two CPU cores."""


class InDomainRefine(Engine[InvertRequest, InDomainRefineKnobs]):
    """From an encoder's code to the photo, within the generator's domain (arXiv:2004.00049)."""

    card = Card(
        name="in_domain_refine",
        title="In-Domain inversion",
        paper="arXiv:2004.00049",
        needs=frozenset({"w_plus", "encoders"}),
        weights=(*TRUNKS, *ENCODERS),
    )
    accepts, knob_set = InvertRequest, InDomainRefineKnobs
    editable = True

    def __init__(self, generator: Generator) -> None:
        super().__init__(generator)
        self.domain = Domain(generator)

    def run(self, request: InvertRequest, knobs: InDomainRefineKnobs) -> Run:
        """Descend from the encoder's code, or from the request's start."""
        target = on_device(request.image, self.generator)
        start = self.domain.read(target, knobs.encoder) if request.start is None else request.start
        return (yield from self.domain.descend(start, target, request.mask, knobs))
