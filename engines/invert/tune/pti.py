"""PTI (pivotal tuning): fine-tune the generator around a fixed code, the pivot, until it reconstructs the photo.

Paper: Roich et al., "Pivotal Tuning for Latent-based Editing of Real Images", arXiv:2106.05744. Followed: a pivot in W by projection,
the objective of Eq. 2 (LPIPS and squared error), the locality term of Eq. 3, tuning to several photos at once. Changed for CPUs: an
encoder, a short projection or a stylemap at an early exit for the pivot, a few dozen updates, distances at 256 px, and locality on every
sixth update. The change is additive, the generator is only read; what decides pose and shape (constant, affine maps, layers up to 32 px) is
not tuned, so that edits work. With the layers of 32 px tuned, too, ten unrelated faces changed by .0141 instead of .0084 (the astronaut, 24
updates at 4e-4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.contract import Card, Engine, InvertRequest, Progress, Result, Run, on_device, within
from engines.core.images import PROTOCOL_SIDE, area
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import rng
from engines.core.shapes import Codes, Image, Mask
from engines.core.weights import manifest
from engines.generators.base import Generator, Prefix
from engines.invert.encode.e4e import E4e
from engines.invert.encode.in_domain import InDomain
from engines.invert.optimize.image2stylegan import arch
from engines.invert.optimize.projector import Projector
from engines.invert.optimize.stylemap_inversion import HELD, StylemapInversion
from engines.losses.reconstruction import ReconstructionLoss
from engines.spaces.latent import Inversion, layer_of
from engines.spaces.statistics import random_w, statistics

PIVOTS = ("projector", *(["e4e"] if "e4e" in manifest() else []), *(["stylemap"] if "in_domain" in manifest() else []))
"""Methods that find a pivot here; encoders, and W+ with a stylemap from the In-Domain encoder's code, only where their weights are."""

_FINDERS: Mapping[str, tuple[type[Engine[InvertRequest, Any]], ...]] = {
    "projector": (Projector,),
    "e4e": (E4e,),
    "stylemap": (InDomain, StylemapInversion),
}
"""What each of them asks of a generator; where that is too much, the projector finds the pivot."""

_GRID_STEPS = 40
"""Updates of a stylemap pivot, at a small size."""

_LOCALITY_PSI = 0.5
_UNRELATED_SEED = 920_001


@dataclass(frozen=True, kw_only=True)
class PivotalTuningKnobs(Knobs):
    """Defaults suit about half a minute on two CPU cores; the authors take 450 and 350 steps, a rate of 3e-4, and stop at 0.06."""

    pivot: Annotated[str, Knob("Method that finds the pivot.", choices=PIVOTS)] = PIVOTS[-1]
    quick_steps: Annotated[
        int, Knob("Updates of the projector at a small size, for the pivot.", lo=0, hi=1000, only_if=("pivot", "projector"))
    ] = 50
    steps: Annotated[int, Knob("Updates of the generator's weights, for each photo.", lo=1, hi=1000)] = 34
    learning_rate: Annotated[float, Knob("Adam step size at its height.", lo=1e-5, hi=1e-2, log=True)] = 3e-4
    locality_weight: Annotated[
        float,
        Knob(
            "Weight of the locality regularisation, which keeps other faces as they were; 0 leaves it out, as the authors' release does.",
            lo=0,
            hi=10,
        ),
    ] = 0.4
    alpha: Annotated[
        float,
        Knob(
            "Distance from the pivot at which locality is regularised, in norms of w; 7.1 is the paper's 30.",
            lo=0.1,
            hi=30,
            advanced=True,
            only_if=("locality_weight",),
        ),
    ] = 7.1
    tuned_from: Annotated[
        Literal["32", "64"],
        Knob("Resolution in pixels of the first layers that are tuned: 32 converges sooner, 64 changes other faces less.", advanced=True),
    ] = "64"
    stop_at: Annotated[float, Knob("End when LPIPS falls below this.", lo=0, hi=1)] = 0.02
    pixel_weight: Annotated[float, Knob("Weight of the squared pixel error.", lo=0, hi=10, advanced=True)] = 1.0
    perceptual_weight: Annotated[float, Knob("Weight of LPIPS.", lo=0, hi=10, advanced=True)] = 1.0
    locality_every: Annotated[
        int, Knob("Interval of the locality regularisation, in updates.", lo=1, hi=100, advanced=True, only_if=("locality_weight",))
    ] = 6
    preview_every: Annotated[int, Knob("Updates between previews.", lo=1, hi=100, advanced=True)] = 5


class PivotalTuning(Engine[InvertRequest, PivotalTuningKnobs]):
    """Learn an additive change of the weights around a pivot (arXiv:2106.05744)."""

    card = Card(
        name="pti",
        title="PTI (pivotal tuning)",
        paper="arXiv:2106.05744",
        needs=frozenset({"w", "w_plus", "noise", "tunable"}),
        weights=("lpips_alex",),
    )
    accepts, knob_set = InvertRequest, PivotalTuningKnobs
    tunes_along = True

    def run(self, request: InvertRequest, knobs: PivotalTuningKnobs) -> Run:
        """Find the pivots that are not given, and tune to them together."""
        if any(engine.card.needs - self.generator.capabilities for engine in _FINDERS[knobs.pivot]):
            knobs = replace(knobs, pivot="projector")
        given = [(request.image, None if request.start is None else Inversion(request.start)), *request.beside]
        search = {"e4e": 2, "stylemap": 2 + _GRID_STEPS}.get(knobs.pivot, knobs.quick_steps + 1)
        before = search * sum(pivot is None for _, pivot in given)
        total, done, photos = before + knobs.steps * len(given), 0, list[tuple[Image, Inversion]]()
        for number, (image, pivot) in enumerate(given):
            if pivot is None:
                sought = replace(request, image=image, beside=(), mask=request.mask if number == 0 else None)
                pivot = (yield from within(self._pivot(sought, knobs), done, total)).inversions[0]
                done += search
            photos.append((image, pivot))
        return (yield from within(tune(self.generator, photos, knobs, request.mask, request.seed), before, total))

    def _pivot(self, request: InvertRequest, knobs: PivotalTuningKnobs) -> Run:
        if knobs.pivot == "e4e":
            return (yield from E4e(self.generator).run(request, E4e.knob_set()))
        if knobs.pivot == "stylemap":
            return (yield from self._stylemap(request, knobs))
        projector = Projector(self.generator)
        return (yield from projector.run(request, projector.knob_set.of({"quick_steps": knobs.quick_steps, "steps": 1})))

    def _stylemap(self, request: InvertRequest, knobs: PivotalTuningKnobs) -> Run:
        """W+ and a stylemap from In-Domain's code: so close that a tuning changes little, and unrelated faces stay as they were."""
        total, engine = 2 + _GRID_STEPS, StylemapInversion(self.generator)
        start = yield from within(InDomain(self.generator).run(request, InDomain.knob_set()), 0, total)
        settings = {"quick_steps": 0, "coarse_steps": _GRID_STEPS, "steps": 0, "preview_every": knobs.preview_every} | HELD
        request = replace(request, start=start.inversions[0].latent)
        return (yield from within(engine.run(request, engine.knob_set.of(settings)), 2, total))


def tune(
    generator: Generator,
    photos: Sequence[tuple[Image, Inversion]],
    knobs: PivotalTuningKnobs,
    mask: Mask | None = None,
    seed: int = 0,
) -> Run:
    """One weight change that lets the generator redraw each photo from its own pivot; the best change so far is kept.

    Args:
        generator: Only read.
        photos: Aligned photos (1,3,R,R) with their pivots; a pivot's features stay, its own weight change does not count.
        knobs: Steps for each photo, rates and weights.
        mask: 1 where the first photo matters.
        seed: Decides the other faces of the locality regularisation.
    """
    tuning = _Tuning(generator, photos, knobs, mask, seed)
    total = knobs.steps * len(photos)
    for step in range(1, total + 1):
        terms = tuning.step((step - 1) / total)
        last = tuning.close_enough or step == total
        showing = (step % knobs.preview_every == 0 or step == len(photos) or last) and tuning.all_seen
        image = tuning.latest_image if showing else None
        yield Progress(total if last else step, total, image, terms, tuning.kept() if showing else None)
        if last:
            break
    return tuning.result()


@dataclass(frozen=True, eq=False)
class _Evaluation:
    """A photo as it was drawn last, and its terms."""

    image: Image
    terms: Mapping[str, float]
    total: float


class _Tuning:
    """The change as it grows: each step sees one photo, in turn."""

    def __init__(
        self, generator: Generator, photos: Sequence[tuple[Image, Inversion]], knobs: PivotalTuningKnobs, mask: Mask | None, seed: int
    ) -> None:
        self.generator, self.knobs, self.stream = generator, knobs, rng(seed)
        self.pivots = [replace(pivot.to(generator.device), tuning={}) for _, pivot in photos]
        weights = {"pixel": knobs.pixel_weight, "perceptual": knobs.perceptual_weight}
        self.losses = [
            ReconstructionLoss(on_device(image, generator), weights, "lpips", mask if number == 0 else None)
            for number, (image, _) in enumerate(photos)
        ]
        sides = generator.slots.blocks
        self.first = next((side for side in sides if side >= int(knobs.tuned_from)), sides[-1])
        self.change = {name: torch.zeros_like(value).requires_grad_() for name, value in self._tuned().items()}
        self.optimizer = torch.optim.Adam(self.change.values(), lr=1.0)
        self.prefixes = [self._entering(pivot) for pivot in self.pivots]
        self.seen: dict[int, _Evaluation] = {}
        self.steps, self.latest, self.best, self.best_change = 0, 0, float("inf"), self._half()
        self.distances: list[float] = []

    @property
    def all_seen(self) -> bool:
        """Whether every photo had its turn."""
        return len(self.seen) == len(self.pivots)

    @property
    def close_enough(self) -> bool:
        """Whether LPIPS of every photo, when last seen, was below where to stop."""
        return self.all_seen and max(evaluation.terms["perceptual"] for evaluation in self.seen.values()) < self.knobs.stop_at

    @property
    def latest_image(self) -> Image:
        """The photo of the last step as the tuned generator drew it."""
        return self.seen[self.latest].image

    def step(self, progress: float) -> Mapping[str, float]:
        """Evaluate the next photo, keep the change if it is the best so far, and update it unless it is close enough."""
        number = self.steps % len(self.pivots)
        self.steps, self.latest = self.steps + 1, number
        self.optimizer.param_groups[0]["lr"] = self.knobs.learning_rate * arch(progress)
        self.optimizer.zero_grad()
        with torch.enable_grad():  # closed again before the yield
            total = self._evaluate(number, self.change)
            terms = self._mean_terms()
            if self.close_enough:
                return terms
            total.backward()
            if self.knobs.locality_weight and self.steps % self.knobs.locality_every == 0:
                terms = {**terms, "locality": self._hold_others(self.pivots[number])}
        self.optimizer.step()
        return terms

    def _mean_terms(self) -> Mapping[str, float]:
        """Terms over the photos seen so far, so that a curve falls however the photos differ."""
        evaluations = list(self.seen.values())
        return {name: sum(evaluation.terms[name] for evaluation in evaluations) / len(evaluations) for name in evaluations[0].terms}

    def _evaluate(self, number: int, change: Mapping[str, Tensor]) -> Tensor:
        """Draw and evaluate a photo, note whether the change is the best so far, and return the objective."""
        image, loss = self._drawn(number, change), self.losses[number]
        terms = loss.terms(image)
        total = loss.total(terms)
        self.seen[number] = _Evaluation(image.detach(), {name: float(term.detach()) for name, term in terms.items()}, float(total.detach()))
        sum_of_all = sum(evaluation.total for evaluation in self.seen.values())
        if self.all_seen and sum_of_all < self.best:
            self.best, self.best_change = sum_of_all, self._half()
        return total

    def _hold_others(self, pivot: Inversion) -> float:
        """Eq. 3, locality regularisation: gradients at a face interpolated from the pivot towards a random one."""
        codes = self._on_the_way(pivot)
        resume = self.generator.prefix(codes, self.first)
        with torch.no_grad():
            before = self.generator.synthesize(codes, resume=resume)
        loss = ReconstructionLoss(before, {})
        held = loss.total(loss.terms(self.generator.synthesize(codes, tuning=self.change, resume=resume)))
        (self.knobs.locality_weight * held).backward()
        return float(held.detach())

    @torch.no_grad()
    def _on_the_way(self, pivot: Inversion) -> Codes:
        """The code at `alpha` from the pivot towards a random one, or that one where it is nearer (Eq. 3)."""
        generator = self.generator
        z = torch.randn(1, generator.width, generator=self.stream).to(generator.device)
        other = statistics(generator).truncate(generator.map(z), _LOCALITY_PSI)
        codes = generator.slots.spread(pivot.latent.codes)
        way = generator.slots.spread(other) - codes
        distance = float(way[:, list(generator.slots.active)].square().sum(dim=2).mean().sqrt())
        self.distances.append(distance)
        return codes + way * min(1.0, self.knobs.alpha / distance)

    def _tuned(self) -> Mapping[str, Tensor]:
        """Convolutions and biases of the later blocks and of the picture's own layer."""
        places = self.generator.slots.layers
        late = {name: value for name, value in self.generator.tunable().items() if ".modulation." not in name}
        return {name: value for name, value in late.items() if (layer := layer_of(name)) and places[layer].block >= self.first}

    def _half(self) -> dict[str, Tensor]:
        """The change in half precision, as it is kept."""
        return {name: value.detach().half() for name, value in self.change.items()}

    @torch.no_grad()
    def _entering(self, pivot: Inversion) -> Prefix:
        return self.generator.prefix(pivot.latent, self.first, features=pivot.features)

    def _drawn(self, number: int, change: Mapping[str, Tensor]) -> Image:
        pivot = self.pivots[number]
        return self.generator.synthesize(pivot.latent, tuning=change, features=pivot.features, resume=self.prefixes[number])

    def _inversions(self) -> tuple[Inversion, ...]:
        return tuple(Inversion(pivot.latent.detached(), self.best_change, pivot.features) for pivot in self.pivots)

    def kept(self) -> Result:
        """What Stop leaves: the pictures as last seen, and the best change so far."""
        return Result(torch.cat([self.seen[number].image for number in sorted(self.seen)]), self._inversions())

    @torch.no_grad()
    def result(self) -> Result:
        """The pictures under the best change, the last one included."""
        last = self._half()
        for number in range(len(self.pivots)):
            self._evaluate(number, last)
        images = torch.cat([self._drawn(number, self.best_change) for number in range(len(self.pivots))])
        return Result(images, self._inversions(), metrics=self._metrics())

    def _metrics(self) -> dict[str, float]:
        other = random_w(self.generator, _UNRELATED_SEED)
        before, after = (
            area(self.generator.synthesize(other, tuning=change), PROTOCOL_SIDE).clamp(-1, 1) for change in ({}, self.best_change)
        )
        size = sum(value.numel() * value.element_size() for value in self.best_change.values())
        far = {"locality_distance": sum(self.distances) / len(self.distances)} if self.distances else {}
        return {"unrelated_mse": float(F.mse_loss(after, before)), "tuning_megabytes": size / 2**20} | far
