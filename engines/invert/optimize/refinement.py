"""Descent from an encoder's code: it keeps the best iterate, stops early, and never ends worse than its start.

It goes by Adam, as papers do, or by L-BFGS, which gets further in as many evaluations.
"""

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise

import torch
from torch import Tensor

from engines.contract import Progress, Result, Run
from engines.core.shapes import Image
from engines.invert.optimize.descent import Descent, Seen
from engines.spaces.latent import Inversion, Latent

PATIENCE, LEAST_GAIN = 15, 0.002
"""A run ends when so many steps together lower the objective by less than this share of it."""

_HISTORY = 20
"""Updates that L-BFGS approximates second derivatives from, and evaluations that are remembered."""

LEAVING_STEPS, LEAST_PIXEL_GAIN = 10, 0.01
"""It also ends when the code leaves the domain for so many steps while the pixels gain less than this share."""


@dataclass(eq=False)
class Refinement(Descent):
    """Gradient descent that ends with its best iterate, and not below its start.

    Attributes:
        stops_early: Whether it ends when nothing moves any more.
        history: Terms of every step, not weighed.
        totals: The objective at every step.
        found: The best iterate, with the picture that it was evaluated by.
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

    def _evaluate(self, progress: float, size: int) -> Seen:
        image, terms = super()._evaluate(progress, size)
        self.history.append(terms)
        self.totals.append(sum(self.loss.weights.get(name, 1.0) * value for name, value in terms.items()))
        if self.totals[-1] < self.lowest and self.redrawing(terms) <= self.redrawing(self.history[0]):
            self.lowest, self.found = self.totals[-1], (self.kept().detached(), image)
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


@dataclass(eq=False)
class QuasiNewton(Refinement):
    """A refinement by L-BFGS with a line search (torch's): a step is one evaluation of the objective; an update takes one to three.

    An encoder's code is near enough to the optimum for a quadratic model. All steps of a run use one size.
    """

    def _steps(self, sizes: Sequence[int]) -> Iterator[Seen]:
        evaluations = _Evaluations(self, sizes[0], len(sizes)) if sizes else None
        optimizer = torch.optim.LBFGS(
            self.parameters,
            max_iter=1,
            max_eval=_HISTORY,  # in one line search
            history_size=_HISTORY,
            line_search_fn="strong_wolfe",
            tolerance_grad=0,
            tolerance_change=0,
        )
        while evaluations and evaluations.left:
            before = evaluations.left
            with suppress(_Spent):
                optimizer.step(evaluations)
            if evaluations.left == before:  # flat, or no step helps: the point is evaluated again, which early stopping counts
                evaluations.forget()
                evaluations()
            yield from evaluations.new()


class _Spent(Exception):
    """All steps were taken, in the middle of a line search."""


class _Evaluations:
    """The objective as L-BFGS calls it, counted: a point that it comes back to, as after each line search, costs nothing.

    Args:
        descent: Evaluates.
        size: Of the pictures.
        left: Evaluations that may be taken.
    """

    def __init__(self, descent: Descent, size: int, left: int) -> None:
        self.descent, self.size, self.all, self.left = descent, size, left, left
        self._known: deque[tuple[list[Tensor], float, list[Tensor | None]]] = deque(maxlen=_HISTORY)
        self._new = list[Seen]()

    def new(self) -> list[Seen]:
        """Evaluations since the last call."""
        seen, self._new = self._new, []
        return seen

    def forget(self) -> None:
        """Let known points cost again."""
        self._known.clear()

    def __call__(self) -> float:
        """The objective where the parameters are, with its gradients.

        Raises:
            _Spent: Nothing is left.
        """
        parameters = self.descent.parameters
        for point, total, slopes in reversed(self._known):
            if all(torch.equal(old, now) for old, now in zip(point, parameters, strict=True)):
                for parameter, slope in zip(parameters, slopes, strict=True):
                    parameter.grad = slope
                return total
        if not self.left:
            raise _Spent
        self.left -= 1
        seen = self.descent._evaluate(1 - (self.left + 1) / self.all, self.size)
        self._new.append(seen)
        total = sum(self.descent.loss.weights.get(name, 1.0) * value for name, value in seen[1].items())
        point = [parameter.detach().clone() for parameter in parameters]
        self._known.append((point, total, [parameter.grad for parameter in parameters]))
        return total


def stalled(totals: Sequence[float], history: Sequence[Mapping[str, float]]) -> bool:
    """Whether a run has come to rest, or pays for its last pixels with its place in the domain."""
    if len(totals) > PATIENCE and min(totals[-PATIENCE:]) >= (1 - LEAST_GAIN) * min(totals[:-PATIENCE]):
        return True
    last = [(terms.get("domain", 0.0), terms["pixel"]) for terms in history[-LEAVING_STEPS - 1 :]]
    leaving = len(last) > LEAVING_STEPS and all(after[0] > before[0] for before, after in pairwise(last))
    return leaving and last[-1][1] > (1 - LEAST_PIXEL_GAIN) * last[0][1]
