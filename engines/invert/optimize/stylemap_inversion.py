"""Stylemap inversion: W+ and a spatial latent (stylemap), so that each position of the picture has a style of its own.

A stylemap, a spatial latent instead of a vector, is the idea of Kim et al., "Exploiting Spatial Dimensions of Latent in GAN for Real-time
Image Editing" (StyleMapGAN), arXiv:2104.14754, section 3. There a generator is trained for it; here the pretrained one takes it as it is,
because its layers are linear in their styles. Stylemap and W+ are optimised jointly, as in Image2StyleGAN (arXiv:1904.03189). All layers
share the stylemap, each through its own affine map, interpolated bilinearly.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from engines.contract import Card, Engine, InvertRequest, Run, on_device
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Codes, Image
from engines.invert.encode.psp import Psp
from engines.invert.encode.pyramid import TRUNKS
from engines.invert.optimize.descent import Descent, working_size
from engines.invert.optimize.image2stylegan import QUICK_RATE, arch, shared_and_offsets
from engines.invert.optimize.stylemap_descent import joint_descent, zero_stylemap
from engines.losses.reconstruction import ReconstructionLoss
from engines.spaces.latent import Latent

Side = Literal["4", "8", "16"]

HELD = {"learning_rate": 0.03, "editability_weight": 0.1, "smoothness_weight": 0.1}
"""Larger weights where a tuning follows: the code edits better, and the final picture gets no worse."""


@dataclass(frozen=True, kw_only=True)
class StylemapInversionKnobs(Knobs):
    """Defaults suit half a minute on two CPU cores."""

    start: Annotated[Literal["average", "psp"], Knob("Start: the average face, or the encoder pSp's code of the photo.")] = "psp"
    side: Annotated[Side, Knob("Resolution of the stylemap: a higher one resembles more, a lower one edits better.")] = "8"
    quick_steps: Annotated[int, Knob("Updates of one w for all layers at an early exit, to begin with.", lo=0, hi=1000)] = 25
    coarse_steps: Annotated[int, Knob("Updates of stylemap and W+ together, at an early exit.", lo=0, hi=1000)] = 40
    steps: Annotated[int, Knob("Updates of stylemap and W+ together, on the full picture.", lo=0, hi=1000)] = 45
    learning_rate: Annotated[float, Knob("Adam step size at its height.", lo=1e-4, hi=1.0, log=True)] = 0.06
    editability_weight: Annotated[
        float, Knob("Weight of the offsets' norm (layers and positions): 0 has least distortion, more edits better.", lo=0, hi=1)
    ] = 1e-3
    smoothness_weight: Annotated[
        float, Knob("Weight of the stylemap's smoothness: with more, less stays behind when an edit moves the face.", lo=0, hi=1)
    ] = 5e-3
    pixel_weight: Annotated[float, Knob("Weight of the squared pixel error.", lo=0, hi=10, advanced=True)] = 1.0
    perceptual_weight: Annotated[float, Knob("Weight of LPIPS.", lo=0, hi=10, advanced=True)] = 0.8
    preview_every: Annotated[int, Knob("Updates between previews.", lo=1, hi=100, advanced=True)] = 5


class StylemapInversion(Engine[InvertRequest, StylemapInversionKnobs]):
    """W+ and a stylemap for one photo (arXiv:2104.14754)."""

    card = Card(
        name="stylemap_inversion",
        title="Stylemap inversion (W+ and stylemap)",
        paper="arXiv:2104.14754",
        needs=frozenset({"w_plus", "spatial_styles"}),
        weights=(*TRUNKS, "psp"),
    )
    accepts, knob_set = InvertRequest, StylemapInversionKnobs

    def run(self, request: InvertRequest, knobs: StylemapInversionKnobs) -> Run:
        """Descend on a shared w, one offset a layer and the stylemap, from the request's start or the knobs'."""
        generator, slots = self.generator, self.generator.slots
        coarse, full = knobs.coarse_steps, knobs.steps or int(not knobs.coarse_steps)  # something has to be done
        weights = {
            "pixel": knobs.pixel_weight,
            "perceptual": knobs.perceptual_weight,
            "editability": knobs.editability_weight,
            "smoothness": knobs.smoothness_weight,
        }
        target = on_device(request.image, generator)
        loss = ReconstructionLoss(target, weights, "lpips", request.mask)
        shared, offsets = shared_and_offsets(generator, self._start(target, knobs) if request.start is None else request.start)
        grid = zero_stylemap(generator, int(knobs.side))

        def code(_: float) -> Codes:
            return slots.scatter(shared[:, None] + offsets)

        def kept() -> Latent:
            return Latent("w_plus", code(1.0))

        if knobs.quick_steps:
            quick = Descent(generator, loss, code, [shared], lambda progress: QUICK_RATE * arch(progress), kept)
            yield from quick.run([working_size(generator)] * knobs.quick_steps, knobs.preview_every, after=coarse + full)
        sizes = [working_size(generator)] * coarse + [generator.resolution] * full
        both = joint_descent(generator, loss, shared, offsets, grid, knobs.learning_rate)
        return (yield from both.run(sizes, knobs.preview_every, before=knobs.quick_steps))

    def _start(self, target: Image, knobs: StylemapInversionKnobs) -> Latent | None:
        """The encoder's code of a photo (1,3,R,R), if one is wanted and the generator has encoders."""
        sees = knobs.start == "psp" and Psp.card.needs <= self.generator.capabilities
        return Latent("w_plus", Psp(self.generator).encode(target)) if sees else None
