"""Recommended: the methods here put together, for a good picture in about fifteen seconds on two CPU cores.

A start (the encoder pSp of arXiv:2008.00951 where its weights are, else a short projection to W, arXiv:1912.04958), a stylemap inversion
from there (W+ as in Image2StyleGAN, arXiv:1904.03189, and a stylemap as in StyleMapGAN, arXiv:2104.14754), most of it at an early exit,
and a short pivotal tuning (arXiv:2106.05744) around what was found. Nothing here is a method of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeAlias

from engines.contract import Card, Engine, InvertRequest, Run, within
from engines.core.knobs import Knob, Knobs
from engines.core.weights import manifest
from engines.invert.encode.e4e import E4e
from engines.invert.encode.psp import Psp
from engines.invert.encode.restyle import ReStyle
from engines.invert.optimize.projector import Projector
from engines.invert.optimize.stylemap_inversion import HELD, Side, StylemapInversion
from engines.invert.tune.pti import PivotalTuning, tune
from engines.spaces.latent import Inversion

AnyEncoder: TypeAlias = Engine[InvertRequest, Any]
_REFINEMENT_STEPS = 3
_ENCODERS: Mapping[str, tuple[str, type[AnyEncoder], dict[str, Any], int]] = {
    "e4e": ("e4e", E4e, {}, 2),
    "restyle": ("restyle_psp", ReStyle, {"steps": _REFINEMENT_STEPS}, _REFINEMENT_STEPS),
    "psp": ("psp", Psp, {}, 2),
}
"""Weights, engine, settings and steps of the encoders that can find a start; after so few updates the last leaves the best picture."""

_SOON = {"tuned_from": "32", "learning_rate": 4e-4}
"""Coarser layers are tuned too: nearer to the person after as many seconds, while other faces change more than by PTI's own defaults."""

STARTS = ("projector", *(name for name, (weights, *_) in _ENCODERS.items() if weights in manifest()))
"""What can find a start here; encoders only where their weights are."""


@dataclass(frozen=True, kw_only=True)
class RecommendedKnobs(Knobs):
    """Defaults suit about 15 seconds on two CPU cores; fewer updates are quicker and leave mouths blurred."""

    start: Annotated[str, Knob("What finds the code to begin with.", choices=STARTS)] = STARTS[-1]
    quick_steps: Annotated[int, Knob("Updates of the projector at a small size.", lo=0, hi=1000, only_if=("start", "projector"))] = 16
    tuning_steps: Annotated[int, Knob("Updates of the generator's weights around the code.", lo=0, hi=1000)] = 12
    coarse_steps: Annotated[int, Knob("Updates of W+ and stylemap together at an early exit, before the tuning.", lo=0, hi=1000)] = 30
    steps: Annotated[int, Knob("Updates of W+ and stylemap on the full picture, after those at an early exit.", lo=0, hi=1000)] = 0
    side: Annotated[Side, Knob("Resolution of the stylemap: a higher one resembles more, a lower one edits better.", advanced=True)] = "8"
    preview_every: Annotated[int, Knob("Updates between previews.", lo=1, hi=100, advanced=True)] = 4


class Recommended(Engine[InvertRequest, RecommendedKnobs]):
    """A start, a stylemap if wished, and a short tuning (arXiv:2106.05744 and others)."""

    card = Card(
        name="recommended",
        title="Recommended",
        paper="arXiv:2106.05744",
        needs=StylemapInversion.card.needs | PivotalTuning.card.needs | {"encoders"},
        weights=("lpips_alex",),
    )
    accepts, knob_set = InvertRequest, RecommendedKnobs

    def run(self, request: InvertRequest, knobs: RecommendedKnobs) -> Run:
        """One stage after another."""
        search = 0 if request.start is not None else _ENCODERS[knobs.start][3] if knobs.start in _ENCODERS else knobs.quick_steps + 1
        refining = knobs.coarse_steps + knobs.steps or int(not knobs.tuning_steps)  # something has to draw the picture
        total = search + refining + knobs.tuning_steps
        if search:
            found = yield from within(self._search(request, knobs), 0, total)
            request = replace(request, start=found.inversions[0].latent)
        assert request.start is not None
        inversion = Inversion(request.start)
        if refining:
            found = yield from within(self._refine(request, knobs), search, total)
            inversion = found.inversions[0]
            if not knobs.tuning_steps:
                return found
        tuning = PivotalTuning.knob_set.of({"steps": knobs.tuning_steps, "preview_every": knobs.preview_every} | _SOON)
        photos = [(request.image, inversion)]
        return (yield from within(tune(self.generator, photos, tuning, request.mask, request.seed), search + refining, total))

    def _search(self, request: InvertRequest, knobs: RecommendedKnobs) -> Run:
        if knobs.start in _ENCODERS:
            _, encoder, known, _ = _ENCODERS[knobs.start]
            return encoder(self.generator).run(request, encoder.knob_set.of(known))
        projector = Projector(self.generator)
        settings = {"quick_steps": knobs.quick_steps, "steps": 1, "preview_every": knobs.preview_every}
        return projector.run(request, projector.knob_set.of(settings))

    def _refine(self, request: InvertRequest, knobs: RecommendedKnobs) -> Run:
        stylemap = StylemapInversion(self.generator)
        settings = {"side": knobs.side, "quick_steps": 0, "coarse_steps": knobs.coarse_steps, "steps": knobs.steps}
        held = HELD if knobs.tuning_steps else {}
        return stylemap.run(request, stylemap.knob_set.of(settings | held | {"preview_every": knobs.preview_every}))
