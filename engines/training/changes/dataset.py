"""All sequences together: which frames are kept, which identities are for what, and pairs of faces that change alike."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from engines.core.errors import WeightsError
from engines.core.seeds import rng
from engines.data import face_bank
from engines.data.changes import FRAMES, IDENTITIES, NEUTRAL, coordinates, sequence_faces
from engines.generators.base import Generator
from engines.spaces.coordinates import Coordinates
from engines.training.changes.sequences import FACTORS, READINGS, Factor, Frames, Role, file_of, role

SAME_PERSON, MOST_DRIFT = 0.5, 0.75
"""Largest identity distance from the neutral frame, and largest mean change of the other attributes in deviations of the bank."""

STEADY = ("yaw", "pitch", "smile", "mouth_open", "eyes_open", "age", "gender", "eyeglasses")
"""What should stay, whatever else changes; colours of hair, skin and background follow the light."""

_GO_TOGETHER = {"smile": {"smile", "mouth_open", "eyes_open"}}
"""What a factor may move besides itself: a smile opens the mouth and narrows the eyes."""


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences of all factors, made or not.

    Attributes:
        factors: Their factors.
        identities: Numbers of the faces, those that every factor has a sequence of.
        neutral: Coordinates of the neutral frames, (identities,active,components).
        offsets: From those, (factors,identities,9,active,components); not a number where a frame was dropped.
        readings: (factors,identities,9,16) in the order of `READINGS`.
        wanted: What the factor's reading should be, (factors,identities,9).
        distance: Of identities from the neutral frame, (factors,identities,9).
        drift: Mean change of the attributes that should stay, in deviations of the bank, (factors,identities,9).
        dropped: Reasons by factor, with numbers of frames.
        coordinates: The frame of W+.
    """

    factors: tuple[Factor, ...]
    identities: tuple[int, ...]
    neutral: Tensor
    offsets: Tensor
    readings: Tensor
    wanted: Tensor
    distance: Tensor
    drift: Tensor
    coordinates: Coordinates
    dropped: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def kept(self) -> Tensor:
        """Which frames are there, (factors,identities,9)."""
        return self.offsets.flatten(3).isfinite().all(dim=3)

    @property
    def values(self) -> Tensor:
        """Coordinates of all frames, flat: (factors,identities,9,values)."""
        return (self.neutral[None, :, None] + self.offsets).flatten(3)

    def places(self, wanted: Role) -> list[int]:
        """Rows of the identities of a role."""
        return [place for place, identity in enumerate(self.identities) if role(identity) == wanted]

    def column(self, place: int) -> Tensor:
        """The readings of a factor itself, (identities,9)."""
        return self.readings[place, :, :, READINGS.index(self.factors[place].name)]


def read_sequences(generator: Generator, folder: Path) -> Sequences:
    """The sequences of a folder; frames that fail a check are dropped and counted.

    Raises:
        WeightsError: There are sequences of too few faces.
    """
    identities = tuple(n for n in range(IDENTITIES) if all(file_of(folder, factor.name, n).is_file() for factor in FACTORS))
    if not all(any(role(n) == wanted for n in identities) for wanted in ("train", "validate", "test")):
        raise WeightsError(
            f"{folder} has all sequences of {len(identities)} faces only; each of training, validation and test needs one. "
            "Make more: python -m engines.training.tables.delta_sequences."
        )
    frame = coordinates(generator)
    neutral = frame.read(sequence_faces(generator)[list(identities)])
    stored = [[Frames.of(load_file(file_of(folder, factor.name, n))) for n in identities] for factor in FACTORS]
    offsets, readings, wanted, distance = (
        torch.stack([torch.stack([getattr(one, name) for one in row]) for row in stored])
        for name in ("offsets", "readings", "wanted", "distance")
    )
    deviation = face_bank(generator).deviation().cpu()
    drift = torch.stack([_drift(factor, readings[place], deviation) for place, factor in enumerate(FACTORS)])
    found = Sequences(FACTORS, identities, neutral.cpu(), offsets, readings, wanted, distance, drift, frame)
    return checked(found)


def _drift(factor: Factor, readings: Tensor, deviation: Tensor) -> Tensor:
    """How far what should stay has moved, (identities,9)."""
    moved = _GO_TOGETHER.get(factor.name, {factor.name})
    columns = [READINGS.index(name) for name in STEADY if name not in moved]
    change = (readings - readings[:, NEUTRAL : NEUTRAL + 1])[..., columns].abs()
    return (change / deviation[columns]).mean(dim=-1)


def checked(found: Sequences) -> Sequences:
    """The same without the frames that fail; each counts for the first reason that it fails by."""
    offsets = found.offsets.clone()
    for place, factor in enumerate(found.factors):
        column, wanted = found.column(place), found.wanted[place]
        reasons = {
            "out of reach": ~found.kept[place],
            "no face": ~column.isfinite(),
            "factor is off": (column - wanted).abs() > _tolerance(factor, wanted),
            "another person": found.distance[place] >= SAME_PERSON,
            "other attributes moved": found.drift[place] > MOST_DRIFT,
        }
        failed = torch.zeros_like(column, dtype=torch.bool)
        counts: Counter[str] = Counter()
        for reason, rows in reasons.items():
            counts[reason] = int((rows & ~failed).sum())
            failed |= rows
        offsets[place][failed] = torch.nan
        found.dropped[factor.name] = counts
    return Sequences(**{**vars(found), "offsets": offsets})


def _tolerance(factor: Factor, wanted: Tensor) -> Tensor:
    """How far a reading may be off, (identities,9): a step of a walk, or three fifths of what a changed picture has changed by."""
    if factor.kind == "latent":
        return torch.full_like(wanted, factor.step)
    change = (wanted - wanted[:, NEUTRAL : NEUTRAL + 1]).abs()
    return 0.6 * torch.maximum(change, change.flatten().median())


@dataclass(frozen=True, eq=False)
class Pairs:
    """Two faces that change alike.

    Attributes:
        factor: Rows of the factors, (B,).
        a: Coordinates of one face before and after, (2,B,values).
        b: Of the other, (2,B,values).
        weight: One over the mean square of the factor's changes, (B,).
    """

    factor: Tensor
    a: Tensor
    b: Tensor
    weight: Tensor


class Sampler:
    """Pairs of frames of faces of one role.

    Args:
        sequences: All.
        wanted: The role.
        factors: Rows of the factors that are drawn; all if not given.
    """

    def __init__(self, sequences: Sequences, wanted: Role, factors: tuple[int, ...] | None = None) -> None:
        places = sequences.places(wanted)
        self.values, self.kept = sequences.values[:, places], sequences.kept[:, places]
        self.factors = tuple(range(len(sequences.factors))) if factors is None else factors
        scale = sequences.values[:, sequences.places("train")]
        self.weight = torch.stack([_weight(row) for row in scale])
        every = [self._all(place) for place in self.factors]
        self._pairs, self._counts = torch.cat(every), torch.tensor([len(rows) for rows in every])

    def every(self) -> Pairs:
        """Every two frames of every two faces, of all factors."""
        return self._made(self._pairs)

    def __call__(self, count: int, seed: int) -> Pairs:
        """Random ones, each factor as often as the others."""
        stream = rng(seed)
        chosen = torch.randint(len(self._counts), (count,), generator=stream)
        within = (torch.rand(count, generator=stream) * self._counts[chosen]).long()
        return self._made(self._pairs[self._counts.cumsum(0)[chosen] - self._counts[chosen] + within])

    def _all(self, place: int) -> Tensor:
        """Rows of factor, a, b, before, after."""
        kept = self.kept[place]
        faces = torch.cartesian_prod(torch.arange(len(kept)), torch.arange(len(kept)))
        frames = torch.cartesian_prod(torch.arange(FRAMES), torch.arange(FRAMES))
        faces = faces[faces[:, 0] != faces[:, 1]] if len(kept) > 1 else faces
        frames = frames[frames[:, 0] != frames[:, 1]]
        rows = torch.cat([faces.repeat_interleave(len(frames), 0), frames.repeat(len(faces), 1)], dim=1)
        there = torch.stack([kept[rows[:, face], rows[:, frame]] for face in (0, 1) for frame in (2, 3)]).all(dim=0)
        rows = rows[there]
        return torch.cat([torch.full_like(rows[:, :1], place), rows], dim=1)

    def _made(self, rows: Tensor) -> Pairs:
        factor, a, b, before, after = rows.T
        both = [torch.stack([self.values[factor, face, frame] for frame in (before, after)]) for face in (a, b)]
        return Pairs(factor, both[0], both[1], self.weight[factor])


def _weight(values: Tensor) -> Tensor:
    """One over the mean square of a factor's changes from its neutral frames, per value."""
    change = (values - values[:, NEUTRAL : NEUTRAL + 1]).square().mean(dim=2)
    return 1 / change.nanmean().clamp_min(1e-6)
