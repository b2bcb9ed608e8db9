"""Inputs that follow from a number: chance itself, random faces and their parts, the codes of staged pictures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from engines.core.errors import RequestError
from engines.faces.parts import PARTS, parts
from engines.generators.base import Generator
from engines.generators.finegan import FineCodes
from engines.generators.incremental import draw_inversion
from engines.inputs.base import Input, Word, Words
from engines.inputs.photos import USUAL_PART, part_name
from engines.inputs.reading import Reading
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import random_w

_EXAMPLE = 5


@dataclass(frozen=True)
class SeedNumber(Input):
    """The number that decides every random number of a run."""

    def words(self) -> tuple[Word, ...]:
        """The number."""
        return (Word("seed", self.help, int),)

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> int | None:
        """The number as it was written."""
        return _seed(words) if "seed" in words else None

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> int:
        """The trial's own."""
        return seed


@dataclass(frozen=True)
class SeedFace(Input):
    """The random face of the seed."""

    def words(self) -> tuple[Word, ...]:
        """None of its own."""
        return ()

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> Inversion:
        """The face as its w."""
        return _face(reading.generator, _seed(words))

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> Inversion:
        """The face of a number near the seed."""
        return _face(generator, _EXAMPLE + seed)


@dataclass(frozen=True)
class SeedParts(Input):
    """A part of another random face.

    Attributes:
        holds: What makes a part of a face and a mask, and of where it goes.
    """

    holds: Callable[..., Any]

    def words(self) -> tuple[Word, ...]:
        """The other face, and the part."""
        return (
            Word("reference", "Seed of the face that gives the part; the next number after the seed if not given.", int),
            Word("part", f"The part: {'; '.join(PARTS)}."),
        )

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> tuple[Any, ...]:
        """The part, masked wherever either face has it."""
        part, generator = part_name(words, USUAL_PART), reading.generator
        source, reference = _face(generator, _seed(words)), _face(generator, words.get("reference", _seed(words) + 1))
        own, other = (parts(draw_inversion(generator, face))[part] for face in (source, reference))
        return (self.holds(reference, (own + other).clamp(0, 1)),)

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> tuple[Any, ...]:
        """The left half, once where it lies and once moved."""
        reference, half = _face(generator, _EXAMPLE + 1 + seed), (torch.arange(64) < 32).float().expand(1, 1, 64, 64)
        return (self.holds(reference, half), self.holds(reference, half, shift=(0.3, 0.1)))


@dataclass(frozen=True)
class StagedCodes(Input):
    """The codes of pictures that are made in stages."""

    def words(self) -> tuple[Word, ...]:
        """The numbers of one picture's codes."""
        return (Word("codes", self.help, many=True),)

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> tuple[FineCodes, ...]:
        """The codes of each picture, with the seed for what else varies."""
        return tuple(_codes(written, _seed(words)) for written in words.get("codes", ()))

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> tuple[FineCodes, ...]:
        """Two pictures, one of them with moved components."""
        return FineCodes(1, 0, 2, _EXAMPLE + seed), FineCodes(0, 1, 3, _EXAMPLE + 1 + seed, (1.0, -0.5))


def _face(generator: Generator, seed: int) -> Inversion:
    return Inversion(Latent("w", random_w(generator, seed)))


def _seed(words: Words) -> int:
    seed = words.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int) or not -(2**63) <= seed < 2**63:
        raise RequestError(f"--seed {seed} came; whole numbers of at most 63 bits are taken, such as 7.")
    return seed


def _codes(written: str, seed: int) -> FineCodes:
    """The numbers of a background, a parent and a child."""
    numbers = [word.strip() for word in written.split(",")]
    if len(numbers) != 3 or not all(number.isdecimal() for number in numbers):
        raise RequestError(f"--codes {written!r} came; it takes the numbers of a background, a parent and a child, such as 12,2,12.")
    background, parent, child = (int(number) for number in numbers)
    return FineCodes(background, parent, child, seed)
