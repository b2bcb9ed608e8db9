"""Recommended: the methods here put together, for the best picture in about a quarter of a minute on two CPU cores.

A start (the encoder e4e of arXiv:2102.02766 where its weights are, else a w found quickly at an early exit), then a short stylemap
inversion (W+ as in Image2StyleGAN, arXiv:1904.03189, and a grid of w as in StyleMapGAN, arXiv:2104.14754) on the full picture, and, if
wished, a short pivotal tuning (arXiv:2106.05744) around what was found. Nothing here is a method of its own.
"""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from engines.contract import Card, Engine, InvertRequest, Run, within
from engines.core.knobs import Knob, Knobs
from engines.core.weights import manifest
from engines.invert.encode.e4e import E4e
from engines.invert.optimize.stylemap_inversion import Side, StylemapInversion
from engines.invert.tune.pti import PivotalTuning, tune

STARTS = ("average", *(["e4e"] if "e4e" in manifest() else []))
"""Where it can start from here; the encoder only where its weights are."""


@dataclass(frozen=True, kw_only=True)
class RecommendedKnobs(Knobs):
    """Defaults suit about 15 seconds on two CPU cores."""

    start: Annotated[str, Knob("Where it starts: at the average face, or at what an encoder sees.", choices=STARTS)] = STARTS[-1]
    quick_steps: Annotated[int, Knob("Updates of one w for all layers, at a small size, from the average face.", lo=0, hi=1000)] = 16
    steps: Annotated[int, Knob("Updates on the full picture.", lo=1, hi=1000)] = 24
    side: Annotated[Side, Knob("Cells along each side of the grid: more resemble more, fewer edit better.")] = "16"
    tuning_steps: Annotated[int, Knob("Updates of the generator's weights at the end: closer, slower, heavier.", lo=0, hi=1000)] = 0
    preview_every: Annotated[int, Knob("Updates between previews.", lo=1, hi=100, advanced=True)] = 4


class Recommended(Engine[InvertRequest, RecommendedKnobs]):
    """A start, W+ with a grid, and a tuning if wished (arXiv:2104.14754 and others)."""

    card = Card(
        name="recommended",
        title="Recommended",
        paper="arXiv:2104.14754",
        needs=StylemapInversion.card.needs | PivotalTuning.card.needs,
        weights=("lpips_alex",),
    )
    accepts, knob_set = InvertRequest, RecommendedKnobs
    rate: ClassVar[float] = 0.08
    """Height of the learning rate on the full picture: few steps want long ones."""

    def run(self, request: InvertRequest, knobs: RecommendedKnobs) -> Run:
        """One stage after another."""
        encoded = knobs.start == "e4e" and request.start is None
        before = 2 if encoded else 0
        found = (0 if encoded or request.start else knobs.quick_steps) + knobs.steps
        total = before + found + knobs.tuning_steps
        if encoded:
            seen = yield from within(E4e(self.generator).run(request, E4e.knob_set()), 0, total)
            request = replace(request, start=seen.inversions[0].latent)
        stylemap = StylemapInversion(self.generator)
        settings = stylemap.knob_set.of(
            {
                "side": knobs.side,
                "quick_steps": found - knobs.steps,
                "steps": knobs.steps,
                "learning_rate": self.rate,
                "preview_every": knobs.preview_every,
            }
        )
        result = yield from within(stylemap.run(request, settings), before, total)
        if not knobs.tuning_steps:
            return result
        tuning = PivotalTuning.knob_set.of({"steps": knobs.tuning_steps, "preview_every": knobs.preview_every})
        photos = [(request.image, result.inversions[0])]
        return (yield from within(tune(self.generator, photos, tuning, request.mask, request.seed), before + found, total))
