"""Semantic diffusion: a part of a source face is pasted into a target photo, and the composite is inverted within the generator's domain.

Paper: Zhu et al., "In-Domain GAN Inversion for Real Image Editing", arXiv:2004.00049. Followed: section 4.4, start at the encoder's code
of the composite, then optimise pixels and features within the mask alone, without the domain term. The encoder makes one face of the two;
the optimisation brings back what is particular to the part. Added: the surroundings may have a weight, so that the target face stays
recognisable; 0 is the paper's.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import torch

from engines.contract import Card, Engine, InvertRequest, Result, Run, on_device
from engines.core.errors import ImageError
from engines.core.knobs import Knob
from engines.core.shapes import Image, Mask
from engines.generators.base import Generator
from engines.inputs import FacePhoto, PaintedMask
from engines.invert.encode.pyramid import TRUNKS
from engines.invert.optimize.domain import ENCODERS, Domain, DomainKnobs
from engines.metrics.seam import seam
from engines.spaces.latent import Latent


@dataclass(frozen=True, kw_only=True, eq=False)
class DiffusionRequest(InvertRequest):
    """A part of a source face, and the target face.

    Attributes:
        image: The source face, (1,3,R,R), aligned as FFHQ is.
        mask: The part, 1 inside, (1,1,R,R).
        context: The target face, (1,3,R,R), aligned too.
    """

    context: Annotated[Image, FacePhoto("The photo that receives the part.", "context", "context_face")]
    mask: Annotated[Mask | None, PaintedMask("A mask that was painted over the aligned face that gives.")] = None


@dataclass(frozen=True, kw_only=True)
class SemanticDiffusionKnobs(DomainKnobs):
    """As the authors have it, without the domain term, but for the surroundings."""

    surroundings: Annotated[
        float, Knob("Weight of the losses outside the mask: 0 is the part alone, as in the paper, 1 the whole face.", lo=0, hi=1)
    ] = 0.5
    domain_weight: Annotated[float, Knob("Weight of the domain regularisation; 0 in the paper.", lo=0, hi=32, advanced=True)] = 0.0


class SemanticDiffusion(Engine[DiffusionRequest, SemanticDiffusionKnobs]):
    """One face out of parts of two (arXiv:2004.00049)."""

    card = Card(
        name="semantic_diffusion",
        title="In-Domain semantic diffusion",
        paper="arXiv:2004.00049",
        needs=frozenset({"w_plus", "encoders"}),
        weights=(*TRUNKS, *ENCODERS),
    )
    accepts, knob_set = DiffusionRequest, SemanticDiffusionKnobs

    def __init__(self, generator: Generator) -> None:
        super().__init__(generator)
        self.domain = Domain(generator)

    def run(self, request: DiffusionRequest, knobs: SemanticDiffusionKnobs) -> Run:
        """Paste, encode, and optimise within the mask."""
        mask, pasted = paste(request)
        mask, pasted = mask.to(self.generator.device), on_device(pasted, self.generator)
        start = self.domain.read(pasted, knobs.encoder) if request.start is None else request.start
        counts = mask + knobs.surroundings * (1 - mask)
        result = yield from self.domain.descend(start, pasted, counts, knobs)
        return self._explained(result, start, pasted, mask)

    @torch.no_grad()
    def _explained(self, result: Result, start: Latent, pasted: Image, mask: Mask) -> Result:
        """With the pictures on the way, and how visible the border is before and after."""
        stages = {"pasted": pasted, "encoder": self.generator.synthesize(start)}
        figures = {"seam_pasted": seam(pasted, mask), "seam": seam(result.images, mask)}
        return replace(result, stages=stages, metrics=figures)


def paste(request: DiffusionRequest) -> tuple[Mask, Image]:
    """The part's mask, and the composite of the source's part and the target face.

    Raises:
        ImageError: There is no part, or the pictures differ in size.
    """
    sides = {tuple(picture.shape[-2:]) for picture in (request.image, request.context, request.mask) if picture is not None}
    if request.mask is None or not bool((request.mask > 0).any()):
        raise ImageError("No part of the face was marked. Choose a part, or draw a mask that is 1 on it.")
    if len(sides) > 1:
        raise ImageError(f"The two faces and the mask must have one size; {' and '.join(f'{h} x {w}' for h, w in sorted(sides))} came.")
    context, mask = request.context.to(request.image), request.mask.to(request.image)
    return mask, mask * request.image + (1 - mask) * context
