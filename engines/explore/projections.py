"""PCA of a space: the directions in which faces differ most, and where each face lies among the others.

W is mapped from many z; its principal components are what GANSpace (Härkönen et al., arXiv:2004.02546, section 2.1) edits with.
Here they are a map: random faces as points, a visitor's own codes among them, in W, in W+ or in S.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from engines.contract import Card, Engine, ExploreRequest, Progress, Result, Run, Table
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import z_codes
from engines.core.shapes import Codes
from engines.explore.basis import Basis, Space, chunks, fit, flat, off_w
from engines.generators.base import Generator
from engines.spaces.bank import Bank
from engines.spaces.directions import Direction
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import statistics

COORDINATES = 10
"""Components along which points are placed."""

_CHUNK = 2_000


@dataclass(frozen=True, kw_only=True)
class ProjectionKnobs(Knobs):
    """Which space, how many faces are analysed, how many of them drawn, and how far from the mean they may lie."""

    space: Annotated[Space, Knob("W: one code a face. W+: a code for each layer. S: the styles of all layers.")] = "w"
    samples: Annotated[int, Knob("Codes that are analysed.", lo=100, hi=200_000, log=True, advanced=True)] = 10_000
    shown: Annotated[int, Knob("Points that are drawn.", lo=50, hi=5_000)] = 1_500
    components: Annotated[int, Knob("Principal components to keep.", lo=3, hi=64, advanced=True)] = 20
    truncation: Annotated[float, Knob("Truncation of the drawn faces: 1 keeps their variety, smaller ones look safer.", lo=0.0, hi=1.0)] = (
        0.7
    )


class Projection(Engine[ExploreRequest, ProjectionKnobs]):
    """PCA of W, W+ or S as a map of faces (after arXiv:2004.02546)."""

    card = Card(
        name="pca",
        title="PCA of W, W+ and S",
        paper="arXiv:2004.02546",
        needs=frozenset({"z", "w"}),
    )
    accepts, knob_set = ExploreRequest, ProjectionKnobs

    def run(self, request: ExploreRequest, knobs: ProjectionKnobs) -> Run:
        """Map, fit, place; tables "points" (face, pc_1, ...), "codes" (the request's), "slots" (of its W+ codes) and "variance"."""
        total = -(-max(knobs.samples, knobs.shown) // _CHUNK) + 2
        known, seeds = faces_of(self.generator, request.bank, request.seed, max(knobs.samples, knobs.shown))
        mapped: list[Tensor] = [known]
        for step in range(1, total - 1):
            part = seeds[(step - 1) * _CHUNK : step * _CHUNK]
            with torch.no_grad():
                mapped.append(self.generator.map(part) if len(part) else part)
            yield Progress(step, total)
        w = torch.cat(mapped)
        basis = fit(self.generator, w[: knobs.samples], knobs.space, min(knobs.components, self.generator.width))
        yield Progress(total - 1, total)
        result = self._result(request, knobs, w[: knobs.shown], basis)
        yield Progress(total, total)
        return result

    @torch.no_grad()
    def _result(self, request: ExploreRequest, knobs: ProjectionKnobs, w: Codes, basis: Basis) -> Result:
        drawn = statistics(self.generator).truncate(w, knobs.truncation)
        points = torch.cat([basis.place(part) for part in chunks(self.generator, drawn, knobs.space)])
        tables = {"points": placed("face", points), "variance": variance(basis.shares)} | self._own(request, basis)
        average = statistics(self.generator).mean if knobs.space == "s" else basis.mean[None, : self.generator.width].float()
        image = self.generator.synthesize(average, size=self.generator.exits[0])
        explained = float(basis.shares[:3].sum())
        return Result(image, directions=self._directions(basis, knobs.samples), tables=tables, metrics={"explained by 3": explained})

    def _own(self, request: ExploreRequest, basis: Basis) -> dict[str, Table]:
        """The request's codes, and each slot of those of W+ as the face that it would be alone."""
        own = list(request.own)
        if request.codes is not None:
            own.insert(0, Inversion(Latent("w" if request.codes.dim() == 2 else "w_plus", request.codes)))
        rows = [basis.place(flat(self.generator, inversion, basis.space))[:, :COORDINATES] for inversion in own]
        names = _names(min(COORDINATES, len(basis.components)))
        if basis.space == "w_plus":
            names = (*names, "off_w")
            rows = [torch.cat([row, off_w(self.generator, code)[:, None].to(row)], 1) for row, code in zip(rows, own, strict=True)]
        placed_rows = tuple((index, *row) for index, row in enumerate(torch.cat(rows).tolist())) if rows else ()
        return {"codes": Table(("code", *names), placed_rows), "slots": self._slots(request.own, basis)}

    def _slots(self, own: tuple[Inversion, ...], basis: Basis) -> Table:
        rows: list[tuple[float | int, ...]] = []
        for number, inversion in enumerate(own):
            if basis.space == "w_plus" and inversion.latent.space == "w_plus":
                codes = inversion.latent.codes[0, list(self.generator.slots.active)]
                points = basis.place(flat(self.generator, Latent("w", codes), "w_plus"))[:, :COORDINATES]
                distance = float(off_w(self.generator, inversion)[0])
                active = self.generator.slots.active
                rows += [(number, slot, distance, *map(float, point)) for slot, point in zip(active, points, strict=True)]
        return Table(("code", "slot", "off_w", *_names(min(COORDINATES, len(basis.components)))), tuple(rows))

    def _directions(self, basis: Basis, samples: int) -> tuple[Direction, ...]:
        shape = (-1, self.generator.width) if basis.space == "w_plus" else (-1,)
        found = []
        for index, (row, spread) in enumerate(zip(basis.components.float(), basis.variances.sqrt(), strict=True)):
            vector = row.reshape(shape)
            if basis.space == "w_plus":
                whole = torch.zeros(self.generator.slots.count, self.generator.width, device=vector.device)
                whole[list(self.generator.slots.active)] = vector
                vector = whole
            source = f"PCA of {basis.space} over {samples} samples"
            found.append(Direction(f"PC {index + 1}", basis.space, vector, self.generator.slots.active, float(spread), source))
        return tuple(found)


def faces_of(generator: Generator, bank: Bank | None, seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Faces by number: the untruncated w of those that the bank has, and the z of the rest, `count` together."""
    known = torch.zeros(0, generator.width, device=generator.device)
    if bank is not None:
        known = statistics(generator).truncate(bank.w[:count], 1 / bank.truncation)
    return known, z_codes(count, generator.width, seed, generator.device)[: count - len(known)]


@torch.no_grad()
def face_w(generator: Generator, bank: Bank | None, seed: int, number: int, count: int, truncation: float) -> Codes:
    """The w (1,width) behind point `number` of a projection over `count` samples, with the same seed, bank and truncation."""
    known, seeds = faces_of(generator, bank, seed, count)
    w = known[number : number + 1] if number < len(known) else generator.map(seeds[number - len(known)][None])
    return statistics(generator).truncate(w, truncation)


def face_z(generator: Generator, bank: Bank | None, seed: int, number: int) -> Codes:
    """The z (1,width) of the same face."""
    known = 0 if bank is None else len(bank)
    if bank is not None and number < known:
        return bank.z[number : number + 1]
    return z_codes(number - known + 1, generator.width, seed, generator.device)[-1:]


def placed(first: str, points: Tensor) -> Table:
    """Numbered points as a table, by their first coordinates."""
    points = points[:, :COORDINATES]
    rows = tuple((index, *row) for index, row in enumerate(points.tolist()))
    return Table((first, *_names(points.shape[1])), rows)


def variance(shares: Tensor) -> Table:
    """What each component explains, and all up to it."""
    together = shares.cumsum(0)
    rows = tuple((index + 1, float(share), float(total)) for index, (share, total) in enumerate(zip(shares, together, strict=True)))
    return Table(("component", "explained", "cumulative"), rows)


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"pc_{index + 1}" for index in range(count))
