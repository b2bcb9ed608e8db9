"""The Δ-plot: differences between codes as points, to see whether one kind of change has one direction.

After the PCA of the Δ-space in Diamant, Sandor and Bronstein, "Delta-GAN-Encoder", arXiv:2111.08419. There a network learns what a
change is; here a change is the difference of two codes, and `DELTA_SPACES` is where a learned one would enter.
Pairs come from the measured bank: two faces far apart in one attribute and as near as can be found in all others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

import torch
from torch import Tensor

from engines.contract import Card, Engine, ExploreRequest, Progress, Result, Run, Table
from engines.core.errors import SpaceError
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import rng
from engines.core.shapes import Codes
from engines.data import face_bank
from engines.explore.basis import flat, principal
from engines.explore.projections import placed, variance
from engines.generators.base import Generator
from engines.spaces.bank import Bank, Scores
from engines.spaces.directions import Direction
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics

DeltaSpace: TypeAlias = Callable[[Generator, Codes, Codes], Tensor]
"""What makes a change of two codes (pairs,width) or (pairs,slots,width), before and after: any numbers (pairs,values)."""


def _difference_in_w(generator: Generator, before: Codes, after: Codes) -> Tensor:
    return flat(generator, _latent(after), "w") - flat(generator, _latent(before), "w")


def _difference_in_s(generator: Generator, before: Codes, after: Codes) -> Tensor:
    return flat(generator, _latent(after), "s") - flat(generator, _latent(before), "s")


DELTA_SPACES: dict[str, DeltaSpace] = {"difference in W": _difference_in_w, "difference in S": _difference_in_s}
"""Spaces of code differences, by name; a method that learns its own adds it here."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ChangesRequest(ExploreRequest):
    """Code differences to project together.

    Attributes:
        attributes: Attributes of the bank to find pairs for; all if not given.
            Without a bank and changes, the generator's own bank is taken.
        changes: The person's own, by name: codes before and after, of equal shape, (pairs,width) or (pairs,slots,width).
        space: A key of `DELTA_SPACES`.
    """

    attributes: tuple[str, ...] | None = None
    changes: Mapping[str, tuple[Codes, Codes]] = field(default_factory=dict)
    space: str = "difference in W"


@dataclass(frozen=True, kw_only=True)
class ChangesKnobs(Knobs):
    """How many pairs of faces stand for an attribute, and how far apart they are."""

    pairs: Annotated[int, Knob("Pairs of faces for each attribute.", lo=5, hi=400)] = 100
    extremes: Annotated[float, Knob("Share of the bank that counts as each end of an attribute.", lo=0.02, hi=0.5, advanced=True)] = 0.15


class Changes(Engine[ChangesRequest, ChangesKnobs]):
    """PCA of differences between codes (after the Δ-space of arXiv:2111.08419)."""

    card = Card(name="changes", title="Δ-space (Delta-GAN-Encoder)", paper="arXiv:2111.08419", needs=frozenset({"w"}))
    accepts, knob_set = ChangesRequest, ChangesKnobs

    def run(self, request: ChangesRequest, knobs: ChangesKnobs) -> Run:
        """Find pairs, take differences, place them; tables "points" (change, pc_1, ...), "pairs" and "variance"."""
        if request.space not in DELTA_SPACES:
            raise SpaceError(f"There is no space of changes called {request.space!r}; there are: {', '.join(DELTA_SPACES)}.")
        bank = face_bank(self.generator) if request.bank is None and not request.changes else request.bank
        attributes = _attributes(bank, request.attributes)
        steps = len(attributes) + len(request.changes) + 1
        rows: list[tuple[str, int, int]] = []
        changes: list[Tensor] = []
        for step, attribute in enumerate(attributes, start=1):
            assert bank is not None
            low, high = matched(bank, attribute, knobs.pairs, knobs.extremes, request.seed)
            changes.append(self._seen(request, bank.w[low], bank.w[high]))
            rows += [(attribute, one, other) for one, other in zip(low.tolist(), high.tolist(), strict=True)]
            yield Progress(step, steps)
        for step, (name, (before, after)) in enumerate(request.changes.items(), start=len(attributes) + 1):
            changes.append(self._seen(request, before, after))
            rows += [(name, -1, -1)] * len(before)
            yield Progress(step, steps)
        result = self._result(changes, rows)
        yield Progress(steps, steps)
        return result

    @torch.no_grad()
    def _seen(self, request: ChangesRequest, before: Codes, after: Codes) -> Tensor:
        return DELTA_SPACES[request.space](self.generator, before, after)

    @torch.no_grad()
    def _result(self, changes: list[Tensor], rows: list[tuple[str, int, int]]) -> Result:
        if len(rows) < 2:
            raise SpaceError("One change alone has no directions to compare. Choose an attribute, or put more faces on the shelf.")
        points = torch.cat(changes).double()
        axes, variances, total = principal(points, min(20, points.shape[1], len(points)))
        shares = variances / max(total, 1e-12)
        tables = {
            "points": placed("change", points @ axes.T),  # from the origin, which is "nothing changed"
            "pairs": Table(("group", "before", "after"), tuple(rows)),
            "variance": variance(shares),
            "groups": _groups(points, [row[0] for row in rows]),
        }
        image = self.generator.synthesize(statistics(self.generator).mean, size=self.generator.exits[0])
        directions = self._directions(axes, variances, len(points))
        return Result(image, directions=directions, tables=tables, metrics={"explained by 3": float(shares[:3].sum())})

    def _directions(self, axes: Tensor, variances: Tensor, changes: int) -> tuple[Direction, ...]:
        """The components as directions to edit with, where changes are told in W or S; a learned space has none."""
        values = max(part.stop for part in self.generator.layout("s").values())
        space = {self.generator.width: "w", values: "s"}.get(axes.shape[1])
        if space is None:
            return ()
        slots, source = self.generator.slots.active, f"PCA of {changes} changes"
        found = zip(axes.float(), variances.sqrt(), strict=True)
        return tuple(
            Direction(f"change {index + 1}", space, vector, slots, float(spread), source)
            for index, (vector, spread) in enumerate(found)
            if spread > 1e-6
        )


def matched(bank: Bank, attribute: str, pairs: int, extremes: float, seed: int) -> tuple[Tensor, Tensor]:
    """Rows of faces low and high in one attribute, each high one the nearest to its low one in all other attributes.

    Raises:
        SpaceError: The bank has no such attribute.
    """
    score = bank.score(attribute).double().cpu()
    others = _standard(bank.scores)[:, [index for index, name in enumerate(bank.names) if name != attribute]]
    known = score.isfinite().nonzero().flatten()
    ranked = known[score[known].argsort()]
    count = max(1, int(extremes * len(ranked)))
    low, high = ranked[:count], ranked[-count:]
    low = low[torch.randperm(count, generator=rng(seed))[:pairs]]
    nearest = torch.cdist(others[low], others[high]).argmin(dim=1)
    return low, high[nearest]


def _attributes(bank: Bank | None, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    if bank is None:
        return ()
    return bank.names if wanted is None else wanted


def _standard(scores: Scores) -> Tensor:
    """Scores in standard deviations, on the CPU; what was not measured counts as average."""
    scores = scores.double().cpu()
    filled = torch.where(scores.isfinite(), scores, scores.nanmean(dim=0))
    return (filled - filled.mean(dim=0)) / filled.std(dim=0).clamp_min(1e-9)


def _groups(changes: Tensor, names: list[str]) -> Table:
    """How far each kind of change has one direction: mean length, and mean cosine of its changes with their own mean."""
    rows = []
    for name in dict.fromkeys(names):
        own = changes[[index for index, other in enumerate(names) if other == name]]
        agreement = torch.cosine_similarity(own, own.mean(dim=0, keepdim=True)).mean()
        rows.append((name, len(own), float(own.norm(dim=1).mean()), float(agreement)))
    return Table(("group", "changes", "length", "agreement"), tuple(rows))


def _latent(codes: Codes) -> Latent:
    return Latent("w" if codes.dim() == 2 else "w_plus", codes)
