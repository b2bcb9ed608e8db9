"""The stylemap encoder: one forward pass gives a spatial latent, a vector for each position, instead of one for the whole picture.

Kim et al., "Exploiting Spatial Dimensions of Latent in GAN for Real-time Image Editing" (StyleMapGAN), arXiv:2104.14754: an encoder that
predicts a tensor with spatial dimensions inverts a photo in one pass, and parts of it can be edited locally (sections 3.1 and 3.3).
Changed: the generator is pre-trained, and its layers take a w per position as they are, so the encoder alone is trained (not jointly as in
section 3.4); all layers share the stylemap. Ours: the optional refinement, which is that of "Stylemap inversion".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from engines.contract import Card, Engine, InvertRequest, Progress, Result, Run, on_device
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Code, Codes, Image
from engines.core.weights import manifest
from engines.generators.base import Generator
from engines.invert.encode.encoder import BODY, Scale, load_body, load_heads, seen
from engines.invert.optimize.stylemap_descent import joint_descent
from engines.losses.reconstruction import ReconstructionLoss
from engines.nets.irse import STAGES
from engines.nets.stylemap_heads import StylemapHeads
from engines.spaces.latent import Inversion, Latent

SIDES = (1, 4, 8)
"""Resolutions of the stylemaps that can be trained; the last is the method, the others are its ablation."""

NETWORKS = {str(side): f"stylemap_{side}" for side in SIDES if side == SIDES[-1] or f"stylemap_{side}" in manifest()}
"""Weights by resolution; the others only where they are."""

_WEIGHTS: Mapping[str, float] = {"pixel": 1.0, "perceptual": 0.8, "editability": 1e-3, "smoothness": 5e-3}


@dataclass(frozen=True, kw_only=True)
class StylemapEncoderKnobs(Knobs):
    """One pass, and as much refinement as one has time for."""

    side: Annotated[
        str, Knob("Resolution of the stylemap; 1 is one vector for the picture.", choices=tuple(NETWORKS), weights=NETWORKS)
    ] = "8"
    refine_steps: Annotated[int, Knob("Updates of stylemap and W+ after the forward pass.", lo=0, hi=200)] = 0
    learning_rate: Annotated[
        float, Knob("Adam step size of the refinement at its height.", lo=1e-4, hi=1.0, log=True, advanced=True, only_if=("refine_steps",))
    ] = 0.04
    preview_every: Annotated[int, Knob("Updates between previews.", lo=1, hi=100, advanced=True, only_if=("refine_steps",))] = 5


class StylemapEncoder(Engine[InvertRequest, StylemapEncoderKnobs]):
    """One pass from photo to stylemap (arXiv:2104.14754)."""

    card = Card(
        name="stylemap_encoder",
        title="Stylemap encoder (StyleMapGAN)",
        paper="arXiv:2104.14754",
        needs=frozenset({"w_plus", "spatial_styles", "encoders"}),
        weights=(BODY, *NETWORKS.values(), "lpips_alex"),
    )
    accepts, knob_set = InvertRequest, StylemapEncoderKnobs
    one_pass = True

    def __init__(self, generator: Generator) -> None:
        super().__init__(generator)
        self.body, self.scale = load_body(generator), Scale(generator)
        self._known: dict[str, tuple[StylemapHeads, int]] = {}

    def run(self, request: InvertRequest, knobs: StylemapEncoderKnobs) -> Run:
        """Encode and draw; then refine, if asked to."""
        target = on_device(request.image, self.generator)
        mean, grid = self.encode(target, knobs.side)
        total = 2 + knobs.refine_steps
        yield Progress(1, total)
        result = self._drawn(mean, grid)
        yield Progress(2, total, result.images, best=result)
        if not knobs.refine_steps:
            return result
        loss = ReconstructionLoss(target, _WEIGHTS, "lpips", request.mask)
        offsets = torch.zeros(1, len(self.generator.slots.active), self.generator.width, device=mean.device)
        parts = [part.clone().requires_grad_() for part in (mean, offsets, grid)]
        descent = joint_descent(self.generator, loss, parts[0], parts[1], parts[2], knobs.learning_rate)
        refined = yield from descent.run([self.generator.resolution] * knobs.refine_steps, knobs.preview_every, before=2)
        return Result(refined.images, refined.inversions, {"one pass": result.images})

    @torch.no_grad()
    def encode(self, image: Image, side: str = "8") -> tuple[Code, Tensor]:
        """The mean w (B,width) of aligned photos (B,3,R,R), and the stylemap's offsets from it (B,width,n,n)."""
        heads, size = self._heads(side)
        cells: Codes = self.scale.codes(heads(self.body(seen(image, size))))
        every = cells.transpose(1, 2).unflatten(2, (heads.side, heads.side))
        mean = every.mean(dim=(2, 3))
        return mean, every - mean[:, :, None, None]

    def _heads(self, side: str) -> tuple[StylemapHeads, int]:
        """Loaded when a resolution is first asked for."""
        if side not in self._known:
            self._known[side] = load_heads(NETWORKS[side], self.generator, lambda: stylemap_heads(self.generator, int(side)))
        return self._known[side]

    @torch.no_grad()
    def _drawn(self, mean: Code, grid: Tensor) -> Result:
        image = self.generator.synthesize(mean, features={"grid": grid})
        return Result(image, (Inversion(Latent("w_plus", self.generator.slots.spread(mean).clone()), {}, {"grid": grid}),))


def stylemap_heads(generator: Generator, side: int, *, attention: bool = True) -> StylemapHeads:
    """Heads for a stylemap of resolution `side`, untrained."""
    fine, middle, coarse = (width for width, _ in STAGES[1:])
    return StylemapHeads((fine, middle, coarse), generator.width, side, attention=attention)
