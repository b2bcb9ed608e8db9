"""ReStyle: iterative refinement of a code by residuals from the photo and its current reconstruction.

Paper: Yuval Alaluf et al., "ReStyle: A Residual-Based StyleGAN Encoder via Iterative Refinement", arXiv:2104.02699. Followed: residual
codes from the average face on (Eq. 2 to 4), one network for all steps, losses at every step and no gradient across steps (in the recipe).
Changed: the paper's network takes six channels and predicts the residual itself; here the one-pass encoder's heads, fine-tuned, encode
photo and reconstruction one after the other, and their difference, times a gain of the step and the layer, is the residual. Reconstructions
are of the early exit. So the photo is encoded once, and no backbone of its own is needed.
"""

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
from engines.invert.encode.e4e import joined
from engines.invert.encode.encoder import BODY, Scale, load_body, load_heads, seen
from engines.invert.encode.psp import heads_for
from engines.losses.perceptual import Perceptual
from engines.nets.heads import LevelHeads, OffsetHeads
from engines.nets.irse import Levels
from engines.spaces.latent import Inversion, Latent

BASES = {"psp": "restyle_psp"} | ({"e4e": "restyle_e4e"} if "restyle_e4e" in manifest() else {})
"""Weights by the encoder whose form the residual takes; e4e's only where they are."""

GAINS = (1.0, 0.25, 0.15)
"""Gains of the steps before training: 1 for the first, from the average face, and small ones then."""


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
        weights=(BODY, *BASES.values(), "lpips_alex"),
    )
    accepts, knob_set = InvertRequest, ReStyleKnobs
    one_pass = True

    def __init__(self, generator: Generator) -> None:
        super().__init__(generator)
        self.body, self.scale, self.perceptual = load_body(generator), Scale(generator), Perceptual(generator.device)
        self._known: dict[str, tuple[ResidualHeads, int]] = {}

    def run(self, request: InvertRequest, knobs: ReStyleKnobs) -> Run:
        """Refine step by step; every reconstruction is kept as a stage."""
        target = on_device(request.image, self.generator)
        codes = self.average()
        rows: list[tuple[int, float, float]] = []
        stages: dict[str, Image] = {}
        for step in range(1, knobs.steps + 1):
            codes = self.corrected(codes, target, knobs.base, step - 1)
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
        return self.generator.slots.spread(self.scale.mean).clone()

    @torch.no_grad()
    def corrected(self, codes: Codes, target: Image, base: str, step: int) -> Codes:
        """Codes (B,slots,width) after refinement step `step`; reconstructions are of the early exit nearest to the heads' size."""
        heads, size = self.heads(base)
        exit_size = self.generator.nearest_exit(size)
        attempt = self.generator.synthesize(codes, size=exit_size)
        change = Residual(self.body, heads)(seen(target, size), seen(attempt, size), step)
        return codes + self.generator.slots.scatter(self.scale.offsets(change))

    def heads(self, base: str) -> "tuple[ResidualHeads, int]":
        """The heads of a base and the side of the pictures that they were taught on; read when a base is first asked for."""
        if base not in self._known:
            self._known[base] = load_heads(BASES[base], self.generator, partial(residual_heads, self.generator, base))
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


def one_pass_heads(generator: Generator, base: str) -> LevelHeads | OffsetHeads:
    """The heads of the encoder whose form the residual takes, untrained."""
    heads = heads_for(generator)
    return heads if base == "psp" else OffsetHeads(heads)


def residual_heads(generator: Generator, base: str) -> "ResidualHeads":
    """Heads for corrections, untrained."""
    return ResidualHeads(one_pass_heads(generator, base), len(generator.slots.active))


class ResidualHeads(nn.Module):
    """One-pass heads applied to photo and reconstruction.

    Args:
        heads: Of `one_pass_heads`.
        slots: How many vectors they predict.
    """

    def __init__(self, heads: LevelHeads | OffsetHeads, slots: int) -> None:
        super().__init__()
        self.heads = heads
        self.gains = nn.Parameter(torch.tensor(GAINS)[:, None].repeat(1, slots))

    def forward(self, photo: Levels, attempt: Levels, step: int) -> Codes:
        """The residual, (B,16,width) in standard deviations of W, at a step from 0 on; those after the last trained one use its gain."""
        gain = self.gains[min(step, len(self.gains) - 1)][:, None]
        return gain * (self.said(photo) - self.said(attempt)) if step else gain * self.said(photo)

    def said(self, levels: Levels) -> Codes:
        """The heads' codes of one picture, e4e's offsets added."""
        return joined(self.heads(levels))


class Residual(nn.Module):
    """The heads over the features of a photo and of an attempt at it.

    Args:
        body: The shared body.
        heads: Of `residual_heads`.
    """

    def __init__(self, body: nn.Module, heads: nn.Module) -> None:
        super().__init__()
        self.body, self.heads = body, heads

    def forward(self, picture: Image, attempt: Tensor, step: int, levels: Levels | None = None) -> Codes:
        """Residuals of pictures (B,3,S,S) and reconstructions (B,3,S,S) or one for all, or of the body's features of the pictures."""
        photo, own = (self.body(picture) if levels is None else levels), self.body(attempt)
        return self.heads(photo, Levels(*(level.expand(len(photo.c3), -1, -1, -1) for level in own)), step)
