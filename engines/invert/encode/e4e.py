"""e4e: an encoder regularised to stay close to W, so that its codes can be edited.

Paper: Tov et al., "Designing an Encoder for StyleGAN Image Manipulation", arXiv:2102.02766. Followed: one w and an offset a
layer (section 4.2), progressive training, a latent discriminator and delta regularisation (section 5, in the recipe). The knob scales the
offsets, which is the paper's trade-off between distortion and editability.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from engines.contract import Card, Engine, InvertRequest, Progress, Result, Run, on_device
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.invert.encode.pyramid import TRUNKS, load_pyramid
from engines.spaces.latent import Inversion, Latent


@dataclass(frozen=True, kw_only=True)
class E4eKnobs(Knobs):
    """One pass; the strength of the offsets is left to choose."""

    offset_strength: Annotated[
        float, Knob("Factor of the layers' offsets: 0 is one w for all and edits best, 1 has least distortion.", lo=0, hi=1)
    ] = 1.0


def assembled(w: Tensor, offsets: Codes, strength: float = 1.0, count: int | None = None) -> Codes:
    """Vectors of all used W+ layers (B,16,width).

    Args:
        w: (B,1,width).
        offsets: (B,15,width).
        strength: Factor of every offset.
        count: How many offsets are switched on, from the coarse end; all if not given.
    """
    on = torch.arange(offsets.shape[1], device=offsets.device) < (offsets.shape[1] if count is None else count)
    return torch.cat([w, w + strength * on[None, :, None] * offsets], dim=1)


class E4e(Engine[InvertRequest, E4eKnobs]):
    """One pass from photo to a code close to W (arXiv:2102.02766)."""

    card = Card(name="e4e", title="e4e", paper="arXiv:2102.02766", needs=frozenset({"w_plus", "encoders"}), weights=(*TRUNKS, "e4e"))
    accepts, knob_set = InvertRequest, E4eKnobs
    one_pass = True

    def __init__(self, generator: Generator) -> None:
        super().__init__(generator)
        self.pyramid = load_pyramid("e4e", generator)

    def run(self, request: InvertRequest, knobs: E4eKnobs) -> Run:
        """Encode, then draw."""
        codes = self.encode(on_device(request.image, self.generator), knobs.offset_strength)
        yield Progress(1, 2)
        result = self._drawn(codes)
        yield Progress(2, 2, result.images, best=result)
        return result

    @torch.no_grad()
    def encode(self, image: Image, offset_strength: float = 1.0) -> Codes:
        """Codes (B,slots,width) of aligned photos (B,3,R,R)."""
        codes = self.pyramid.encode(image)
        w = codes[:, :1]
        return self.generator.slots.scatter(assembled(w, codes[:, 1:] - w, offset_strength))

    @torch.no_grad()
    def _drawn(self, codes: Codes) -> Result:
        return Result(self.generator.synthesize(codes), (Inversion(Latent("w_plus", codes)),))
