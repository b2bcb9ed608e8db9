"""Delta-GAN-Encoder: take a change from one face, or from a sequence in which one factor changes, and apply it to another.

Paper: Diamant, Sandor and Bronstein, "Delta-GAN-Encoder: Encoding Semantic Changes for Explicit Image Editing, using Few Synthetic
Samples", arXiv:2111.08419. A change is encoded, Delta = E(a_i, a_j), and decoded on another code: b + D(b, strength * Delta). Strengths
between 0 and 1 interpolate, those above 1 and below 0 extrapolate. The path may be curved, since D sees the face and is not linear.

*Our choice*, since the paper's sizes and data are not known to us: the networks (`engines.nets.delta`), and sequences that are walked in
latent space or changed in the picture (`studio train delta_ffhq`), where the paper renders 3-D heads. What is stored for a factor is the
mean change of the identities that were trained on, from each frame to each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from torch import Tensor

from engines import inputs
from engines.contract import Card, Engine, Progress, Request, Result, Run, Table
from engines.core.errors import SpaceError
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Codes, Image
from engines.data.changes import FRAMES, NEUTRAL, DeltaSpace, delta_space
from engines.generators.base import Generator
from engines.generators.incremental import draw_inversion
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Inversion, Latent
from engines.spaces.paths import curvature
from engines.spaces.statistics import statistics

_SHORTEST = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class DeltaRequest(Request):
    """A face, and the change that it is to undergo: `delta` where one is given, else that of `pair`, else the stored one.

    Attributes:
        source: The face.
        factor: Name of a stored factor.
        first: Frame that the stored change begins at.
        last: Frame that it ends at.
        pair: Two faces whose difference is the change.
        delta: A change of one's own, (1,dims).
    """

    source: Annotated[Inversion, inputs.SeedFace("The face that changes.")]
    factor: Annotated[str, inputs.FactorName("What changes.")] = ""
    first: Annotated[int, inputs.FrameNumber("Frame that the change begins at; 4 is the face as it was.", "first", NEUTRAL)] = NEUTRAL
    last: Annotated[int, inputs.FrameNumber("Frame that the change ends at.", "last", FRAMES - 1)] = FRAMES - 1
    pair: tuple[Inversion, Inversion] | None = None
    delta: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class DeltaKnobs(Knobs):
    """How far, and in how many pictures."""

    strength: Annotated[float, Knob("1 is the change itself; below 0 it is reversed.", lo=-1, hi=2)] = 1.0
    frames: Annotated[int, Knob("Pictures from no change to all of it.", lo=2, hi=49)] = 5


class Delta(Engine[DeltaRequest, DeltaKnobs]):
    """Changes that a network learnt (arXiv:2111.08419)."""

    card = Card(
        name="delta",
        title="Learnt changes (Delta-GAN-Encoder)",
        paper="arXiv:2111.08419",
        needs=frozenset({"w_plus", "encoders"}),
        weights=("delta_ffhq", "ganspace_ffhq"),
    )
    accepts, knob_set = DeltaRequest, DeltaKnobs

    def __init__(self, generator: Generator) -> None:
        super().__init__(generator)
        self.space = delta_space(generator)

    def run(self, request: DeltaRequest, knobs: DeltaKnobs) -> Run:
        """Draw the edited face; stages show it on its way, by strength, from no change to all of it."""
        delta = change_of(self.space, request, self.generator)
        shares = torch.linspace(0, 1, knobs.frames).tolist()
        path, stages = list[Inversion](), dict[str, Image]()
        for step, share in enumerate(shares, start=1):
            path.append(apply_delta(request.source, delta, share * knobs.strength, self.space, self.generator))
            picture = self._picture(path[-1], self.generator.exits[0])
            stages[f"strength {share * knobs.strength:.3f}"] = picture
            yield Progress(step, knobs.frames, picture, best=Result(picture, (path[-1],)))
        found = chord(request.source, delta, request.factor or "change", self.space, self.generator)
        edited = self._picture(path[-1], self.generator.resolution)
        tables = _tables(delta, path, self.generator)
        return Result(edited, (path[-1],), stages, directions=(found,), tables=tables)

    @torch.no_grad()
    def _picture(self, inversion: Inversion, size: int) -> Image:
        return draw_inversion(self.generator, inversion, size)


def change_of(space: DeltaSpace, request: DeltaRequest, generator: Generator) -> Tensor:
    """The change (1,dims) that a request asks for.

    Raises:
        SpaceError: There is no such factor or frame, a change of another size, or a pair in a space that E does not read.
    """
    if request.delta is not None:
        if request.delta.shape != (1, space.dims):
            raise SpaceError(f"A change of the shape {tuple(request.delta.shape)} came; {generator.name} takes (1, {space.dims}).")
        return request.delta.to(generator.device)
    if request.pair is not None:
        before, after = (_codes(one, generator) for one in request.pair)
        return space.encode(before, after)
    return space.stored(request.factor or space.factors[0], request.first, request.last)


def apply_delta(source: Inversion, delta: Tensor, strength: float, space: DeltaSpace, generator: Generator) -> Inversion:
    """A face (1,...) after a change (1,dims) at a strength; its weight change and features go with it, and at 0 it is the very same.

    Raises:
        SpaceError: A code in S, which E and D do not read.
    """
    if not strength:
        return source
    return _moved(source, space.decode(_codes(source, generator), strength * delta), generator)


def apply_deltas(source: Inversion, changes: Sequence[tuple[Tensor, float]], space: DeltaSpace, generator: Generator) -> Inversion:
    """A face after several changes (1,dims), each with its strength: each is decoded on what those before it have made."""
    for delta, strength in changes:
        source = apply_delta(source, delta, strength, space, generator)
    return source


def chord(source: Inversion, delta: Tensor, name: str, space: DeltaSpace, generator: Generator) -> Direction:
    """The straight line from a face to where a change takes it, as a direction of W+ whose sigma is its length."""
    way = space.decode(_codes(source, generator), delta)[0]
    active = list(generator.slots.active)
    vector = torch.zeros_like(way)
    vector[active] = way[active]
    length = float(vector.norm())
    unit = vector / max(length, _SHORTEST)
    return Direction(name, "w_plus", unit, tuple(active), length, "chord of a learnt change (Delta-GAN-Encoder)")


def learnt_change(generator: Generator, factor: str) -> Direction:
    """A factor's stored change as a direction that bends: strength 1 leads as far as its last frame, -1 as far as its first.

    Raises:
        CatalogueError: No changes were learnt for the generator.
        SpaceError: There is no such factor.
    """
    space = delta_space(generator)
    ahead, back = (space.stored(factor, NEUTRAL, frame) for frame in (FRAMES - 1, 0))
    return _bending(space, generator, factor, ahead, back)


def change_between(generator: Generator, before: Inversion, after: Inversion, name: str) -> Direction:
    """The change from one face to another as a direction that bends: strength 1 is the change, -1 its reverse.

    Raises:
        CatalogueError: No changes were learnt for the generator.
        SpaceError: A face in S.
    """
    space = delta_space(generator)
    delta = space.encode(_codes(before, generator), _codes(after, generator))
    return _bending(space, generator, name, delta, -delta)


def _bending(space: DeltaSpace, generator: Generator, name: str, ahead: Tensor, back: Tensor) -> Direction:
    """Two changes (1,dims), for strengths above and below 0, as one direction; its vector is the chord of the first at the average face."""

    def curve(codes: Codes, strength: float) -> Tensor:
        return space.decode(codes, (abs(strength) * (ahead if strength > 0 else back)).expand(len(codes), -1))

    mean = Inversion(Latent("w", statistics(generator).mean.reshape(1, -1)))
    straight = chord(mean, ahead, name, space, generator)
    return replace(straight, slots=tuple(range(generator.slots.count)), source="learnt change (Delta-GAN-Encoder)", curve=curve)


def _codes(inversion: Inversion, generator: Generator) -> Codes:
    latent = apply_directions(inversion, [], generator).latent
    if latent.space not in ("w", "w_plus"):
        raise SpaceError(f"Learnt changes read W and W+; this code is in {latent.space}. Save the face as W+ first.")
    return latent.codes


def _moved(source: Inversion, way: Codes, generator: Generator) -> Inversion:
    """A face whose slots are moved (1,slots,width), by the one way in which codes are moved."""
    length = float(way.norm())
    direction = Direction("change", "w_plus", way[0] / max(length, _SHORTEST), tuple(range(generator.slots.count)), length, "change")
    return apply_directions(source, [(direction, 1.0)], generator) if length > _SHORTEST else source


def _tables(delta: Tensor, path: Sequence[Inversion], generator: Generator) -> dict[str, Table]:
    codes = torch.cat([generator.slots.spread(_codes(one, generator)) for one in path])[:, list(generator.slots.active)]
    steps = (codes - codes[:1]).flatten(1).norm(dim=1).tolist()
    about = (("distance in W+", steps[-1]), ("arc over chord", curvature(codes)))
    return {
        "change": Table(("figure", "value"), about),
        "delta": Table(("number", "value"), tuple((index, value) for index, value in enumerate(delta[0].tolist(), start=1))),
    }
