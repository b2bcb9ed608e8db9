"""Inputs that are pictures: faces out of photos, masks over them, drawings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from engines.core.errors import RequestError
from engines.core.images import square, to_tensor
from engines.core.seeds import rng
from engines.core.shapes import Image, Mask
from engines.faces.parts import PARTS, part_mask, rectangle_mask
from engines.inputs.base import Input, Word, Words
from engines.inputs.reading import Reading
from engines.spaces.statistics import random_w

USUAL_PART = "eyes, nose and mouth"
LARGEST_SIDE = 256
"""Side that a picture which is no face is reduced to, in pixels."""

_FIRST_FACE = 5
"""Seed of the drawn face that stands for the first photo in a trial."""

_FIELDS = 8
"""Colours along each side of the pattern that stands for a picture in a trial."""


@dataclass(frozen=True)
class FacePhoto(Input):
    """One aligned face of a photo, (1,3,R,R).

    Attributes:
        word: What the photo is written under.
        number: What the number of its face is written under.
        is_required: Whether nothing can be done without it.
    """

    word: str = "image"
    number: str = "face"
    is_required: bool = True

    def words(self) -> tuple[Word, ...]:
        """The photo, which of its faces, and whether it is a face already."""
        return (
            Word(self.word, self.help, Path),
            Word(self.number, f"Which face of it, from 1 (the largest), where none clearly dominates in --{self.word}.", int),
            Word("aligned", "The photos are faces already, aligned as FFHQ is.", bool),
        )

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> Image | None:
        """The face, or nothing where it may be missing."""
        if words.get(self.word) is not None:
            return reading.face(Path(words[self.word]), words.get(self.number), bool(words.get("aligned")))
        if self.is_required:
            raise RequestError(f"Missing is: {self.help[0].lower()}{self.help[1:-1]}; add --{self.word} photo.jpg.")
        return None

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> Image:
        """A drawn face, another for each photo."""
        return generator.synthesize(random_w(generator, _FIRST_FACE + len(_pictures(others))))


@dataclass(frozen=True)
class FurtherPhotos(Input):
    """Further photos, each with an inversion that the method is to find."""

    def words(self) -> tuple[Word, ...]:
        """The photos."""
        return (Word("beside", self.help, Path, many=True),)

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> tuple[tuple[Image, None], ...]:
        """A face of each."""
        return tuple((reading.face(Path(path), None, bool(words.get("aligned"))), None) for path in words.get("beside", ()))

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> None:
        """None: most methods take one photo."""


@dataclass(frozen=True)
class PaintedMask(Input):
    """Where something happens in the photos that were declared before, (1,1,R,R): painted, or a part of a face by name."""

    def words(self) -> tuple[Word, ...]:
        """The file, or the part."""
        return (Word("mask", self.help, Path), Word("part", f"Where no mask is given, a part of the face: {'; '.join(PARTS)}."))

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> Mask:
        """The painted mask, or the part in any of the photos."""
        if words.get("mask") is not None:
            return reading.mask(Path(words["mask"]))
        return part_mask(part_name(words, USUAL_PART), *_pictures(others))

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> Mask:
        """The middle."""
        return rectangle_mask(generator.resolution, 0.5, 0.5, 0.5, 0.5).to(generator.device)


@dataclass(frozen=True)
class PlainPicture(Input):
    """The middle square of a picture that is no face, (1,3,S,S)."""

    def words(self) -> tuple[Word, ...]:
        """The picture."""
        return (Word("image", self.help, Path),)

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> Image:
        """The picture, at most 256 px a side."""
        if words.get("image") is None:
            raise RequestError(f"Missing is: {self.help[0].lower()}{self.help[1:-1]}; add --image picture.png.")
        picture = reading.picture(Path(words["image"])).picture
        return to_tensor(square(picture, min(LARGEST_SIDE, *picture.size)))

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> Image:
        """A soft pattern of colours, which a generator of any kind can say the size of."""
        colours = 2 * torch.rand((1, 3, _FIELDS, _FIELDS), generator=rng(_FIRST_FACE)) - 1
        return interpolate(colours, size=generator.resolution, mode="bilinear").to(generator.device)


def part_name(words: Words, usual: str) -> str:
    """The part of a face that was written.

    Raises:
        RequestError: There is no such part.
    """
    part = words.get("part", usual)
    if part not in PARTS:
        raise RequestError(f"There is no part {part!r}; there are: {'; '.join(PARTS)}.")
    return str(part)


def _pictures(others: Mapping[str, Any]) -> list[Tensor]:
    return [value for value in others.values() if isinstance(value, Tensor)]
