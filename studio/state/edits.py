"""What the tab Edit directions remembers: which face, which directions how far, and the steps before. Small frozen values only."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from engines import Direction

MOST = 8
"""Sliders at a time."""

AS_FOUND = "as found"
"""The layers that a direction was found for."""


@dataclass(frozen=True)
class Reach:
    """How far a direction is turned, in sigma.

    Attributes:
        far: Ends of its slider.
        card: What its card shows on both sides.
        strip: What is shown of it closely.
    """

    far: float
    card: float
    strip: tuple[float, ...]

    @property
    def times(self) -> float:
        """How many times as far as most directions: what one control for directions of both kinds is multiplied with."""
        return self.far / USUAL.far


USUAL = Reach(5.0, 3.0, (-4.0, -2.0, 0.0, 2.0, 4.0))
STYLES = Reach(20.0, 10.0, (-20.0, -10.0, 0.0, 10.0, 20.0))
"""Of single styles, which do little at the spread of faces: the range of arXiv:2011.12799."""


CHANGES = Reach(2.0, 1.0, (-1.0, -0.5, 0.0, 0.5, 1.0))
"""Of learnt changes, in shares of the change: up to 1 the path was learnt, beyond it is extrapolated (arXiv:2111.08419)."""


def reach(direction: Direction) -> Reach:
    """How far a direction is turned: a single channel of S needs far more than many together, and a change is a whole at 1."""
    if direction.curve:
        return CHANGES
    return STYLES if direction.space == "s" and int(direction.vector.count_nonzero()) == 1 else USUAL


@dataclass(frozen=True)
class Face:
    """Which face is edited.

    Attributes:
        kind: "Seed" or "Shelf".
        seed: The random face, where the kind is "Seed".
        truncation: Psi of the random face.
        chosen: Key of the chosen item of the shelf, where the kind is "Shelf".
    """

    kind: str = "Seed"
    seed: float | None = 7
    truncation: float = 0.7
    chosen: str | None = None


@dataclass(frozen=True)
class Turn:
    """One slider.

    Attributes:
        key: The direction, as `Library.get` knows it.
        strength: How far, in sigma.
        layers: "as found", a group such as "coarse", or "4-9": from the fourth to the ninth slot that the picture reads.
    """

    key: str
    strength: float = 0.0
    layers: str = AS_FOUND


@dataclass(frozen=True)
class Edits:
    """All sliders, and what must stay.

    Attributes:
        turns: Sliders in their order, those at rest too.
        keep: Names of attributes that directions of W and Z must not touch.
    """

    turns: tuple[Turn, ...] = ()
    keep: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Directions that have a slider."""
        return tuple(turn.key for turn in self.turns)

    @property
    def moving(self) -> tuple[Turn, ...]:
        """Sliders that are not at rest."""
        return tuple(turn for turn in self.turns if turn.strength)

    def at(self, strengths: Sequence[float]) -> "Edits":
        """The same sliders at other strengths; values beyond the last slider are ignored."""
        turns = (replace(turn, strength=round(float(value), 2)) for turn, value in zip(self.turns, strengths, strict=False))
        return replace(self, turns=tuple(turns))

    def with_turn(self, turn: Turn) -> "Edits":
        """With this slider in place of the one of the same direction, or behind the last."""
        if turn.key not in self.keys:
            return replace(self, turns=(*self.turns, turn))
        return replace(self, turns=tuple(turn if old.key == turn.key else old for old in self.turns))

    def without(self, key: str) -> "Edits":
        """Without one slider."""
        return replace(self, turns=tuple(turn for turn in self.turns if turn.key != key))

    def at_rest(self) -> "Edits":
        """The same sliders, all at zero."""
        return replace(self, turns=tuple(replace(turn, strength=0.0) for turn in self.turns))


StepT = TypeVar("StepT")


@dataclass(frozen=True)
class History(Generic[StepT]):
    """Edits as they settled, oldest first, and those that were taken back.

    Attributes:
        past: The last one is the present.
        future: What redo brings, next first.
    """

    past: tuple[StepT, ...] = field(default_factory=tuple)
    future: tuple[StepT, ...] = field(default_factory=tuple)

    def settled(self, edits: StepT) -> "History[StepT]":
        """With a new present, at most fifty steps long; the same present again is no step."""
        if self.past and self.past[-1] == edits:
            return self
        return History((*self.past, edits)[-50:])

    def back(self) -> "History[StepT]":
        """One step earlier, if there is one."""
        return History(self.past[:-1], (self.past[-1], *self.future)) if len(self.past) > 1 else self

    def forth(self) -> "History[StepT]":
        """One step later, if there is one."""
        return History((*self.past, self.future[0]), self.future[1:]) if self.future else self
