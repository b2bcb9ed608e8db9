"""ReStyle: iterative refinement of a code by residuals from the photo and its current reconstruction.

Paper: Yuval Alaluf et al., "ReStyle: A Residual-Based StyleGAN Encoder via Iterative Refinement", arXiv:2104.02699. Followed: residual
codes from the average face on (Eq. 2 to 4), one network for all steps, losses at every step and no gradient across steps (in the recipe).
Changed: the paper's network takes six channels and predicts the residual itself; here heads over what the one-pass encoder reads,
fine-tuned from its own, encode photo and reconstruction one after the other, and their difference, times a gain of the step and the layer,
is the residual. Reconstructions are of the early exit. So the photo is read once, and no backbone of its own is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from torch import Tensor, nn

from engines.contract import Card, Engine, InvertRequest, Progress, Result, Run, Table, on_device
from engines.core.images import PROTOCOL_SIDE, area
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Codes, Image
from engines.core.weights import manifest
from engines.generators.base import Generator
from engines.invert.encode.pyramid import TRUNKS, WIDTHS, Pyramid, load_over_trunks, load_pyramid, reads_of
from engines.invert.encode.trunks import SIDE
from engines.losses.perceptual import Perceptual
from engines.nets.pyramid import PyramidHeads
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import statistics

BASES = {"psp": "restyle_psp"} | ({"e4e": "restyle_e4e"} if "restyle_e4e" in manifest() else {})
"""Weights by the encoder whose form the residual takes; e4e's only where they are."""

GAINS = (1.0, 0.5, 0.5)
"""Gains of the steps before training: 1 for the first, from the average face."""


@dataclass(frozen=True, kw_only=True)
class ReStyleKnobs(Knobs):
    """Three steps, as it was trained; the authors take five, which here go too far."""

    base: Annotated[
        str, Knob("Base encoder: over pSp it resembles more, over e4e it edits better.", choices=tuple(BASES), weights=BASES)
    ] = "psp"
    steps: Annotated[int, Knob("Refinement steps.", lo=1, hi=10)] = 3
    least_gain: Annotated[
        float, Knob("Stop when a step lowers LPIPS by less than this share; 0 goes on to the end.", lo=0, hi=0.5, advanced=True)
    ] = 0.0


class ReStyle(Engine[InvertRequest, ReStyleKnobs]):
    """A few passes, each a residual on the last (arXiv:2104.02699)."""

    card = Card(
        name="restyle",
        title="ReStyle",
        paper="arXiv:2104.02699",
        needs=frozenset({"w_plus", "encoders"}),
        weights=(*TRUNKS, *BASES, *BASES.values()),
    )
    accepts, knob_set = InvertRequest, ReStyleKnobs
    one_pass = True

    def __init__(self, generator: Generator) -> None:
        super().__init__(generator)
        self.perceptual = Perceptual(generator.device)
        self._known: dict[str, Residual] = {}

    def run(self, request: InvertRequest, knobs: ReStyleKnobs) -> Run:
        """Refine step by step; every reconstruction is kept as a stage."""
        target = on_device(request.image, self.generator)
        codes, photo = self.average(), self.residual(knobs.base).told(target)
        rows: list[tuple[int, float, float]] = []
        stages: dict[str, Image] = {}
        for step in range(1, knobs.steps + 1):
            codes = self.corrected(codes, photo, knobs.base, step - 1)
            attempt = self._drawn(codes)
            rows.append((step, *self._distance(attempt, target)))
            stages[f"step {step}"] = area(attempt, min(PROTOCOL_SIDE, self.generator.resolution))
            done = step > 1 and rows[-1][2] > (1 - knobs.least_gain) * rows[-2][2]
            last = knobs.steps if done and knobs.least_gain else step
            yield Progress(last, knobs.steps, attempt, {"lpips": rows[-1][2]}, self._result(attempt, codes, stages, rows))
            if last > step:
                break
        return self._result(attempt, codes, stages, rows)

    def average(self) -> Codes:
        """Where it starts: the average face's codes (1,slots,width)."""
        return self.generator.slots.spread(statistics(self.generator).mean).clone()

    @torch.no_grad()
    def corrected(self, codes: Codes, photo: Sequence[Tensor], base: str, step: int) -> Codes:
        """Codes (B,slots,width) after refinement step `step`, of what `Residual.told` says of the photo."""
        residual = self.residual(base)
        attempt = residual.told(self.generator.synthesize(codes, size=self.generator.nearest_exit(SIDE))) if step else photo
        return codes + self.generator.slots.scatter(residual(photo, attempt, step))

    def residual(self, base: str) -> "Residual":
        """The network of a base encoder, read when it is first asked for."""
        if base not in self._known:
            heads = load_over_trunks(BASES[base], self.generator, partial(ResidualHeads, self.generator, base))
            self._known[base] = Residual(load_pyramid(base, self.generator), heads)
        return self._known[base]

    @torch.no_grad()
    def _drawn(self, codes: Codes) -> Image:
        return self.generator.synthesize(codes)

    @torch.no_grad()
    def _distance(self, attempt: Image, target: Image) -> tuple[float, float]:
        side = min(PROTOCOL_SIDE, attempt.shape[-1])
        ours, theirs = area(attempt.clamp(-1, 1), side), area(target, side)
        return float((ours - theirs).square().mean()), float(self.perceptual(ours, theirs).mean())

    @staticmethod
    def _result(image: Image, codes: Codes, stages: dict[str, Image], rows: list[tuple[int, float, float]]) -> Result:
        table = Table(("step", "mse", "lpips"), tuple(rows))
        return Result(image, (Inversion(Latent("w_plus", codes.clone())),), dict(stages), tables={"steps": table})


class ResidualHeads(nn.Module):
    """A one-pass encoder's heads, applied to what it reads of photo and reconstruction.

    Args:
        generator: Whose codes.
        base: The encoder.
    """

    def __init__(self, generator: Generator, base: str) -> None:
        super().__init__()
        self.heads = PyramidHeads(WIDTHS, generator.slots, generator.width, reads=reads_of(base))
        self.gains = nn.Parameter(torch.tensor(GAINS)[:, None].repeat(1, len(generator.slots.active)))

    def forward(self, photo: Sequence[Tensor], attempt: Sequence[Tensor], step: int) -> Codes:
        """The residual, (B,16,width) in whitened components, at a step from 0 on; those after the last trained one use its gain."""
        gain = self.gains[min(step, len(self.gains) - 1)][:, None]
        return gain * (self.heads(photo) - self.heads(attempt)) if step else gain * self.heads(photo)


class Residual(nn.Module):
    """The heads over what a one-pass encoder reads.

    Args:
        encoder: Frozen.
        heads: On top of it.
    """

    def __init__(self, encoder: Pyramid, heads: ResidualHeads) -> None:
        super().__init__()
        self.encoder, self.heads = encoder, heads

    @torch.no_grad()
    def told(self, picture: Image) -> list[Tensor]:
        """What the encoder reads of pictures (B,3,S,S)."""
        return self.encoder.network.levels(self.encoder.trunks(picture))

    def forward(self, photo: Sequence[Tensor], attempt: Sequence[Tensor], step: int) -> Codes:
        """What a step adds to codes of the active slots, (B,16,width)."""
        return self.heads(photo, attempt, step) @ self.encoder.network.basis
