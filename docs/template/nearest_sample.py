"""Nearest sample: of many random faces, the one that looks most like the photo.

The least that an inversion can do, and what every other has to beat: no gradient, no encoder, a face that the generator draws anyway.
"""

from dataclasses import dataclass
from typing import Annotated

import torch

from engines import Card, Engine, Inversion, InvertRequest, Knob, Knobs, Latent, Progress, Result, Run, random_w

__all__ = ["NearestSample"]


@dataclass(frozen=True, kw_only=True)
class NearestSampleKnobs(Knobs):
    """How long it looks."""

    steps: Annotated[int, Knob("Random faces that are looked at.", lo=1, hi=1000)] = 100
    truncation: Annotated[float, Knob("How far faces may be from the average one: 0 is the average, 1 any.", lo=0, hi=1)] = 0.7


class NearestSample(Engine[InvertRequest, NearestSampleKnobs]):
    """The best of many draws, by the mean squared difference of pixels."""

    card = Card(name="nearest_sample", title="Nearest sample", paper="", needs=frozenset({"w"}))
    accepts, knob_set = InvertRequest, NearestSampleKnobs

    def run(self, request: InvertRequest, knobs: NearestSampleKnobs) -> Run:
        """Draw, compare, keep the nearest; figure `mse`, of pixels in [-1, 1]."""
        target, nearest, best = request.image.to(self.generator.device), float("inf"), None
        for step in range(1, knobs.steps + 1):
            with torch.no_grad():
                w = random_w(self.generator, request.seed + step, knobs.truncation)
                image = self.generator.synthesize(w)
                error = float((image - target).square().mean())
            if error < nearest:
                nearest, best = error, Result(image, (Inversion(Latent("w", w)),), metrics={"mse": error})
            yield Progress(step, knobs.steps, losses={"mse": error})
        assert best is not None
        return best
