"""InterFaceGAN: learn what separates smiling from serious faces in latent space, and walk across.

Paper: Shen et al., "Interpreting the Latent Space of GANs for Semantic Face Editing", arXiv:1907.10786. A linear support vector machine
on confident examples gives a hyperplane; its unit normal n is the direction (section 3.1, Eq. 2 and 3). Conditional manipulation
(section 3.3) removes the components along the normals of what must stay. Extremes are the top and bottom tenth of a bank of measured
faces, split 70 to 30 for training and validation; or the person's own yes and no.

Beyond the paper, conditional manipulation also removes score gradients. A boundary separates extremes well, yet its normal is a poor
estimate of where a score rises: beards hardly vary among women, so no one boundary says what the edit path from a woman to a man does to
them. So the score of what must stay is regressed on the codes (ridge regression) among the faces on either side, and both gradients are
projected out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from engines.contract import Card, Engine, FitRequest, Progress, Result, Run, Table
from engines.core.errors import SpaceError
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import rng, z_codes
from engines.core.shapes import Codes, Image
from engines.generators.incremental import draw_inversion
from engines.spaces.bank import Bank, Score, Scores
from engines.spaces.directions import Direction, apply_directions, project_out
from engines.spaces.latent import Latent
from engines.spaces.statistics import statistics

STRENGTHS = (-3.0, -1.5, 0.0, 1.5, 3.0)
FEWEST = 5
"""Examples of each side without which nothing can be learnt."""

_HELD_OUT, _TRUNCATION, _RIDGE = 0.3, 0.7, 0.1
_Rows = Bool[Tensor, " faces"]


@dataclass(frozen=True, kw_only=True)
class InterFaceGANKnobs(Knobs):
    """Where the hyperplane lies and what it learns from."""

    space: Annotated[Literal["w", "z"], Knob("W is straighter; Z moves random faces only, since a photo's z is not known.")] = "w"
    layers: Annotated[Literal["all", "coarse", "middle", "fine"], Knob("Layers that the direction moves; the paper moves all.")] = "all"
    fraction: Annotated[float, Knob("Share of the bank at each end that counts as confident.", lo=0.01, hi=0.5, advanced=True)] = 0.1
    penalty: Annotated[float, Knob("C of the support vector machine.", lo=1e-3, hi=1e3, log=True, advanced=True)] = 1.0


@dataclass(frozen=True, eq=False)
class Boundary:
    """A separating plane.

    Attributes:
        direction: Its unit normal, pointing to yes.
        offset: Signed distance of the average face from the plane, in sigma.
        metrics: "accuracy" on held-out extremes where there are enough, "balanced_accuracy" of all scored faces split at their median.
    """

    direction: Direction
    offset: float
    metrics: dict[str, float] = field(default_factory=dict)

    def distance(self, codes: Codes, mean: Tensor) -> Tensor:
        """Signed distance of codes (batch,width) from the plane in sigma, positive for yes; `mean` is that of their space."""
        return (codes - mean) @ self.direction.vector.to(codes) / self.direction.sigma + self.offset


class InterFaceGAN(Engine[FitRequest, InterFaceGANKnobs]):
    """Normals of separating planes as directions (arXiv:1907.10786)."""

    card = Card(
        name="interfacegan",
        title="InterFaceGAN (supervised)",
        paper="arXiv:1907.10786",
        needs=frozenset({"z", "w_plus"}),
    )
    accepts, knob_set = FitRequest, InterFaceGANKnobs

    def run(self, request: FitRequest, knobs: InterFaceGANKnobs) -> Run:
        """Fit, take out what must stay, and draw the seed's face along the direction."""
        total = 1 + len(request.keep) + len(STRENGTHS)
        boundary = self.fit(request, knobs)
        yield Progress(1, total)
        conditions = []
        for step, name in enumerate(request.keep, start=2):
            conditions.append(self.fit(replace(request, attribute=name, labels=None, keep=()), knobs).direction)
            yield Progress(step, total)
        direction = conditional_direction(boundary.direction, conditions, request.bank)
        tables = self._tables(boundary, direction, conditions)
        pictures: list[Image] = []
        for step, strength in enumerate(STRENGTHS, start=2 + len(request.keep)):
            pictures.append(self._picture(request.seed, direction, strength))
            result = Result(torch.cat(pictures), directions=(direction,), tables=tables, metrics=boundary.metrics)
            yield Progress(step, total, pictures[-1], best=result)
        return result

    def fit(self, request: FitRequest, knobs: InterFaceGANKnobs) -> Boundary:
        """The plane of one attribute, nothing taken out yet.

        Raises:
            SpaceError: Too few examples, or an attribute that the bank does not have.
        """
        from sklearn.metrics import balanced_accuracy_score  # here: at the top it would be loaded at every start, which takes seconds
        from sklearn.svm import SVC

        codes = request.bank.z if knobs.space == "z" else request.bank.w
        yes, no = extremes(request.bank, request.attribute, knobs.fraction) if request.labels is None else _sides(request.labels, None)
        train, test = _split(yes, no, request.seed)
        machine = SVC(kernel="linear", C=knobs.penalty).fit(_numpy(codes[train]), _numpy(yes[train]))
        normal = torch.from_numpy(machine.coef_[0].copy()).to(codes)
        unit = normal / normal.norm()
        direction = self._direction(request, knobs, unit, int(yes.sum()), int(no.sum()))
        centre = torch.zeros_like(unit) if knobs.space == "z" else statistics(self.generator).mean[0]
        offset = float((centre @ normal + float(machine.intercept_[0])) / normal.norm()) / direction.sigma
        metrics = {"accuracy": float(machine.score(_numpy(codes[test]), _numpy(yes[test])))} if len(test) else {}
        if request.labels is None:
            scores, said = request.bank.score(request.attribute), machine.predict(_numpy(codes))
            metrics["balanced_accuracy"] = float(balanced_accuracy_score(_numpy(scores > scores.median()), said))
        return Boundary(direction, offset, metrics)

    def _direction(self, request: FitRequest, knobs: InterFaceGANKnobs, unit: Tensor, yes: int, no: int) -> Direction:
        sigma = 1.0 if knobs.space == "z" else statistics(self.generator).sigma(unit)
        origin = f"top and bottom {knobs.fraction:.0%} of {len(request.bank)} faces" if request.labels is None else f"{yes} yes, {no} no"
        slots = self.generator.slots.groups[knobs.layers]
        return Direction(request.attribute, knobs.space, unit, slots, sigma, f"InterFaceGAN in {knobs.space.upper()}, {origin}")

    @torch.no_grad()
    def _picture(self, seed: int, direction: Direction, strength: float) -> Image:
        face = Latent("z", z_codes(1, self.generator.width, seed, self.generator.device))
        moved = apply_directions(face, [(direction, strength)], self.generator, truncation=_TRUNCATION)
        return draw_inversion(self.generator, moved, self.generator.exits[0])

    def _tables(self, boundary: Boundary, direction: Direction, conditions: list[Direction]) -> dict[str, Table]:
        about = [("sigma", direction.sigma), ("offset", boundary.offset), *boundary.metrics.items()]
        tables = {"boundary": Table(("figure", "value"), tuple(about))}
        if conditions:
            before = boundary.direction.vector
            rows = tuple((item.name, float(before @ item.vector), float(direction.vector @ item.vector)) for item in conditions)
            tables["conditions"] = Table(("kept", "cosine_before", "cosine_after"), rows)
        return tables


def conditional_direction(direction: Direction, kept: Sequence[Direction], bank: Bank) -> Direction:
    """Conditional manipulation: a direction without its components along attributes' boundary normals and the gradients of their scores.

    Args:
        direction: In W or Z.
        kept: Boundaries in the same space, each named by its attribute.
        bank: The faces whose scores must stay.

    Raises:
        SpaceError: Nothing is left, the spaces differ, or the bank lacks an attribute.
    """
    if not kept:
        return direction
    sides = slopes(direction, bank, tuple(one.name for one in kept))
    rises = [replace(one, vector=vector) for rows in sides for one, vector in zip(kept, rows, strict=True)]
    return project_out(direction, [*kept, *rises])


def slopes(direction: Direction, bank: Bank, attributes: tuple[str, ...]) -> Tensor:
    """Where scores rise among the faces below and above the median of a direction, (2,attributes,width), unit length.

    Gradients of ridge regression in float64: (C + r I)^-1 c with the codes' covariance C, their covariance c with the score, and r a tenth
    of C's mean variance, without which directions in which codes hardly vary would drown the others.

    Raises:
        SpaceError: The bank lacks an attribute.
    """
    codes, scores = bank.z if direction.space == "z" else bank.w, torch.stack([bank.score(name) for name in attributes], dim=1)
    along = codes @ direction.vector.to(codes)
    return torch.stack([_slopes(codes[side], scores[side]) for side in (along <= along.median(), along > along.median())])


def _slopes(codes: Codes, scores: Scores) -> Tensor:
    x, y = (values.double() - values.double().mean(dim=0) for values in (codes, scores))
    covariance = x.T @ x / len(x)
    covariance.diagonal().add_(_RIDGE * covariance.diagonal().mean())
    return torch.nn.functional.normalize(torch.linalg.solve(covariance, x.T @ y / len(x)).T, dim=1).to(codes)


def extremes(bank: Bank, attribute: str, fraction: float) -> tuple[_Rows, _Rows]:
    """Which faces of a bank lie in the top and in the bottom `fraction` of an attribute."""
    return _sides(bank.score(attribute), fraction)


def _sides(scores: Score, fraction: float | None) -> tuple[_Rows, _Rows]:
    """Rows that say yes and rows that say no: by sign, or the given fraction at each end."""
    if fraction is None:
        yes, no = scores > 0, scores < 0
    else:
        count = max(1, int(len(scores) * fraction))
        order = scores.argsort()
        yes, no = torch.zeros_like(scores, dtype=torch.bool), torch.zeros_like(scores, dtype=torch.bool)
        no[order[:count]], yes[order[-count:]] = True, True
    if min(int(yes.sum()), int(no.sum())) < FEWEST:
        raise SpaceError(
            f"{int(yes.sum())} yes and {int(no.sum())} no came; at least {FEWEST} of each are needed to learn a direction. Mark a few more."
        )
    return yes, no


def _split(yes: _Rows, no: _Rows, seed: int) -> tuple[Tensor, Tensor]:
    """Row numbers to train and to validate on, 70 to 30 on each side; with fewer than 20 a side all train."""
    train, test = [], []
    for side in (yes, no):
        rows = side.nonzero().flatten().cpu()
        rows = rows[torch.randperm(len(rows), generator=rng(seed))]
        held = int(len(rows) * _HELD_OUT) if len(rows) >= 20 else 0
        test.append(rows[:held])
        train.append(rows[held:])
    return torch.cat(train), torch.cat(test) if all(map(len, test)) else torch.zeros(0, dtype=torch.long)


def _numpy(values: Tensor) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return values.detach().cpu().double().numpy()
