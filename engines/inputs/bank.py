"""Inputs that come from the labelled bank of a generator's pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engines.data import face_bank
from engines.inputs.base import Input, Word, Words
from engines.inputs.reading import Reading
from engines.spaces.bank import Bank


@dataclass(frozen=True)
class OwnBank(Input):
    """The bank of the loaded generator."""

    def words(self) -> tuple[Word, ...]:
        """None: the generator decides."""
        return ()

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> Bank:
        """The bank."""
        return face_bank(reading.generator)

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> Bank:
        """The bank."""
        return face_bank(generator)


@dataclass(frozen=True)
class AttributeName(Input):
    """The name of an attribute that was measured."""

    def words(self) -> tuple[Word, ...]:
        """The name."""
        return (Word("attribute", self.help),)

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> str:
        """The name as it was written."""
        return str(words.get("attribute", "smile"))

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> str:
        """The bank's first."""
        return face_bank(generator).names[0]


@dataclass(frozen=True)
class AttributeNames(Input):
    """Names of attributes that were measured, with commas between them."""

    def words(self) -> tuple[Word, ...]:
        """The names."""
        return (Word("keep", self.help),)

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> tuple[str, ...]:
        """The names one by one."""
        return tuple(name.strip() for name in str(words.get("keep", "")).split(",") if name.strip())

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> tuple[str, ...]:
        """The bank's second."""
        return face_bank(generator).names[1:2]
