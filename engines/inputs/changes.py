"""Inputs that name a learnt change: a factor, and two frames of its sequences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engines.core.errors import RequestError
from engines.data.changes import FRAMES, delta_space
from engines.inputs.base import Input, Word, Words
from engines.inputs.reading import Reading


@dataclass(frozen=True)
class FactorName(Input):
    """The name of a factor whose changes were learnt."""

    def words(self) -> tuple[Word, ...]:
        """The name."""
        return (Word("factor", self.help),)

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> str:
        """The name as it was written, or the first."""
        return str(words.get("factor", delta_space(reading.generator).factors[0]))

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> str:
        """The first."""
        return delta_space(generator).factors[0]


@dataclass(frozen=True)
class FrameNumber(Input):
    """The number of a frame.

    Attributes:
        word: What it is written under.
        usual: The number where nothing was written.
    """

    word: str
    usual: int

    def words(self) -> tuple[Word, ...]:
        """The number."""
        return (Word(self.word, self.help, int),)

    def made(self, words: Words, reading: Reading, others: Mapping[str, Any]) -> int:
        """The number as it was written."""
        frame = words.get(self.word, self.usual)
        if isinstance(frame, bool) or not isinstance(frame, int) or not 0 <= frame < FRAMES:
            raise RequestError(f"--{self.word} {frame} came; frames are numbered 0 to {FRAMES - 1}.")
        return frame

    def example(self, generator: Any, seed: int, others: Mapping[str, Any]) -> int:
        """The usual."""
        return self.usual
