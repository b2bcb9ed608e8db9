"""Descent from a code that is good already: it keeps the best iterate, gives up when nothing moves, and never ends below its start."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import torch

from engines.contract import Progress, Result, Run
from engines.core.shapes import Image
from engines.invert.optimize.descent import Descent
from engines.spaces.latent import Inversion, Latent

PATIENCE, LEAST_GAIN = 15, 0.002
"""A run ends when so many steps together lower the objective by less than this share of it."""

DRIFTING, STANDING = 10, 0.01
"""It also ends when the code leaves the domain for so many steps while the pixels gain less than this share."""


@dataclass(eq=False)
class Refinement(Descent):
    """Gradient descent that ends with its best iterate, and not below its start.

    Attributes:
        stops_early: Whether it ends when nothing moves any more.
        history: Terms of every step, not weighed.
        totals: The objective at every step.
        found: The best iterate, with the picture that it was judged by.
    """

    stops_early: bool = True
    history: list[dict[str, float]] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)
    found: tuple[Latent, Image] | None = None
    lowest: float = math.inf

    def run(self, sizes: Sequence[int], preview_every: int, *, before: int = 0, after: int = 0) -> Run:
        """As `Descent.run`, but for how it ends."""
        start, steps = self.kept().detached(), super().run(sizes, preview_every, before=before, after=after)
        for progress in steps:
            last = progress.total - after
            ending = self.stops_early and stalled(self.totals, self.history)
            yield self._last(progress, last) if ending else progress
            if ending or progress.step == last:
                break  # before the descent draws its last iterate, which need not be the best
        steps.close()
        return self._better(start, self._best_so_far()[0])

    def _last(self, progress: Progress, step: int) -> Progress:
        best = self._best(self._best_so_far()[1])
        return replace(progress, step=step, preview=best.images, best=best)

    def _step(self, optimizer: torch.optim.Optimizer, progress: float, size: int) -> tuple[Image, dict[str, float]]:
        judged = self.kept().detached()
        image, terms = super()._step(optimizer, progress, size)
        self.history.append(terms)
        self.totals.append(sum(self.loss.weights.get(name, 1.0) * value for name, value in terms.items()))
        if self.totals[-1] < self.lowest and self.redrawing(terms) <= self.redrawing(self.history[0]):
            self.lowest, self.found = self.totals[-1], (judged, image)
        return image, terms

    def redrawing(self, terms: Mapping[str, float]) -> float:
        """The part of the objective that compares pictures."""
        return sum(self.loss.weights.get(name, 1.0) * terms[name] for name in ("pixel", "perceptual"))

    def _best_so_far(self) -> tuple[Latent, Image]:
        assert self.found is not None  # the first step is judged by itself
        return self.found

    def _best(self, _: Image) -> Result:
        latent, image = self._best_so_far()
        return Result(image, (Inversion(latent.detached()),))

    @torch.no_grad()
    def _better(self, start: Latent, best: Latent) -> Result:
        """Whichever full picture is closer, since the small ones that steps look at may flatter a code."""
        pictures = [self.generator.synthesize(latent) for latent in (start, best)]
        first, last = (self.redrawing({name: float(term) for name, term in self.loss.terms(image).items()}) for image in pictures)
        return Result(pictures[last <= first], (Inversion((start, best)[last <= first]),))


def stalled(totals: Sequence[float], history: Sequence[Mapping[str, float]]) -> bool:
    """Whether a run has come to rest, or pays for its last pixels with its place in the domain."""
    if len(totals) > PATIENCE and min(totals[-PATIENCE:]) >= (1 - LEAST_GAIN) * min(totals[:-PATIENCE]):
        return True
    last = [(terms.get("domain", 0.0), terms["pixel"]) for terms in history[-DRIFTING - 1 :]]
    leaving = len(last) > DRIFTING and all(after[0] > before[0] for before, after in pairwise(last))
    return leaving and last[-1][1] > (1 - STANDING) * last[0][1]
