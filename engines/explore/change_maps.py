"""Paths of single factors and the space of learnt changes as maps: where the frames of stored sequences lie along principal components.

Diamant, Sandor, Bronstein, "Delta-GAN-Encoder", arXiv:2111.08419. A sequence is a face in which one factor changes; every frame is told by
what separates it from the face as it was drawn, plainly (a difference of codes of W+) or as E has learnt to (Delta). Ours: how often a
frame of one identity lies nearest, in angle, to the frames of its own factor of the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.data.changes import NEUTRAL, DeltaSpace
from engines.spaces.paths import curvature


@dataclass(frozen=True)
class Frame:
    """One frame of a stored sequence.

    Attributes:
        factor: What changes.
        place: Of the identity among the stored ones.
        number: Of the frame, 0 to 8; 4 is the face as it was drawn.
    """

    factor: str
    place: int
    number: int


@dataclass(frozen=True, eq=False)
class ChangeMap:
    """Where frames lie.

    Attributes:
        frames: In the order of the rows, each sequence's one after the other.
        places: (frames,axes); the face as it was drawn lies at 0.
        explained: Share of the squared lengths along each axis, (axes,).
        told: Share of frames whose factor the other identities tell, by the nearest mean in angle; not a number of a single one.
    """

    frames: tuple[Frame, ...]
    places: Tensor
    explained: Tensor
    told: float


def difference_map(space: DeltaSpace, factors: Sequence[str], axes: int = 2) -> ChangeMap:
    """Plain differences of codes in the frame of W+ that changes are told in."""
    frames, offsets = _frames(space, factors)
    return _mapped(frames, offsets, axes)


@torch.no_grad()
def delta_map(space: DeltaSpace, factors: Sequence[str], axes: int = 2) -> ChangeMap:
    """The same frames as E encodes them, from the face as it was drawn."""
    frames, offsets = _frames(space, factors)
    return _mapped(frames, space.net.encode(torch.zeros_like(offsets), offsets), axes)


def bends(space: DeltaSpace, factor: str) -> float:
    """Arc length over chord of a factor's path, the mean over identities: 1 is a straight line."""
    paths = [rows[rows.flatten(1).isfinite().all(dim=1)] for rows in space.sequences[factor]]
    return sum(curvature(path) for path in paths) / len(paths)


def _frames(space: DeltaSpace, factors: Sequence[str]) -> tuple[tuple[Frame, ...], Tensor]:
    """The frames that were kept, and their offsets (frames,values) from the face as it was drawn, which are what is stored."""
    frames, offsets = list[Frame](), list[Tensor]()
    for factor in factors:
        for place, rows in enumerate(space.sequences[factor].flatten(2)):
            kept = rows.isfinite().all(dim=1).nonzero().flatten().tolist()
            frames += [Frame(factor, place, number) for number in kept]
            offsets.append(rows[kept])
    return tuple(frames), torch.cat(offsets)


def _mapped(frames: tuple[Frame, ...], rows: Tensor, axes: int) -> ChangeMap:
    """Rows along their main axes through 0; of each axis, the row that lies furthest out is on the positive side."""
    left, sizes, _ = torch.linalg.svd(rows.double(), full_matrices=False)
    places = (left * sizes)[:, :axes]
    places = places * places.gather(0, places.abs().argmax(dim=0, keepdim=True)).sign()
    return ChangeMap(frames, places.float(), (sizes.square() / sizes.square().sum().clamp_min(1e-12))[:axes].float(), _told(frames, rows))


def _told(frames: tuple[Frame, ...], rows: Tensor) -> float:
    moved = [index for index, frame in enumerate(frames) if frame.number != NEUTRAL]
    kinds = sorted({(frames[index].factor, frames[index].number > NEUTRAL) for index in moved})
    places = {frames[index].place for index in moved}
    if len(places) < 2 or len({factor for factor, _ in kinds}) < 2:
        return float("nan")
    units, right = F.normalize(rows[moved].double(), dim=1), 0
    kind_of = torch.tensor([kinds.index((frames[index].factor, frames[index].number > NEUTRAL)) for index in moved])
    place_of = torch.tensor([frames[index].place for index in moved])
    for place in places:
        means = torch.stack([units[(kind_of == kind) & (place_of != place)].sum(dim=0) for kind in range(len(kinds))])
        nearest = (units[place_of == place] @ F.normalize(means, dim=1).T).argmax(dim=1)
        own = kind_of[place_of == place]
        right += sum(kinds[int(one)][0] == kinds[int(other)][0] for one, other in zip(nearest, own, strict=True))
    return right / len(moved)
