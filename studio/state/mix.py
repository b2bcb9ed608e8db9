"""A mix as the page says it: faces, masks by their keys, and what each part brings."""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engines.core.errors import StudioError
from studio.state.edits import Face, History

Painted: TypeAlias = NDArray[np.uint8]
"""A mask of 0 to 255 at the canvas' size."""

REFERENCE, EDIT = "another face", "an edit of this face"
CANVAS = 512
"""Side of the painting canvas in pixels."""

PAINT = "#2563eb"
"""Masks are painted in a blue that the picture shows through."""

ROLES = ("source", "reference")
"""What a face can be in a mix."""

MOST_BELOW = 6
"""Parts below the one that is being painted."""


@dataclass(frozen=True)
class Mix:
    """All that the tab's controls say.

    Attributes:
        source: The face that stays outside the mask.
        reference: The face that is seen inside.
        masks: Keys of what is painted on the source's and on the reference's canvas; empty for nothing.
        ready: Names of the ready-made parts among that.
        content: `REFERENCE` or `EDIT`.
        edit: The direction of the local edit, as the library knows it.
        amount: How far it is turned, in sigma.
        strength: 0 to 1.
        layers: One of "all", "shape", "texture".
        edge: Reach of the soft edge, as a share of the side.
        shift: How far the part moves to the right and down, as shares of the side.
        carry: One of "coarse", "moved", "always" and "never", as `SpatialMixKnobs.carry`.
        below: Parts laid aside, which this one covers; of each, what its mask brings in and how, not its source, edge or carrying.
    """

    source: Face = field(default_factory=lambda: Face(seed=13))
    reference: Face = field(default_factory=lambda: Face(seed=19))
    masks: tuple[str, str] = ("", "")
    ready: tuple[str, ...] = ()
    content: str = REFERENCE
    edit: str = ""
    amount: float = 2.0
    strength: float = 1.0
    layers: str = "all"
    edge: float = 0.03
    shift: tuple[float, float] = (0.0, 0.0)
    carry: str = "coarse"
    below: "tuple[Mix, ...]" = ()

    @property
    def parts(self) -> "tuple[Mix, ...]":
        """All parts, each as if it were alone on the source, later ones over earlier ones; the last is the one being painted."""
        return (*(replace(part, source=self.source) for part in self.below), replace(self, below=()))

    def onward(self) -> "Mix":
        """With the part laid aside and nothing painted for the next one.

        Raises:
            StudioError: Nothing is painted, or there are too many parts.
        """
        if not any(self.masks):
            raise StudioError("Nothing is painted yet, so there is no part to keep. Paint on either picture first.")
        if len(self.below) == MOST_BELOW:
            raise StudioError(f"At most {MOST_BELOW + 1} parts are mixed at a time. Put the mixed face on the shelf and go on from there.")
        return replace(self.cleared(), shift=(0.0, 0.0), below=(*self.below, replace(self, below=())))

    def cleared(self) -> "Mix":
        """With nothing painted for this part."""
        return replace(self, masks=("", ""), ready=())

    def taken_up(self, number: int) -> "Mix":
        """With a part from below on top, to be painted again; what was on top lies right below it, if anything is painted there.

        Raises:
            StudioError: There is no such part.
        """
        if not 0 <= number < len(self.below):
            raise StudioError("That part is not there any more. Choose another.")
        rest = [part for index, part in enumerate(self.below) if index != number]
        rest += [replace(self, below=())] if any(self.masks) else []
        return replace(self.below[number], source=self.source, below=tuple(rest))

    def without(self, number: int) -> "Mix":
        """Without one of the parts below; one that is not there is no fault."""
        return replace(self, below=tuple(part for index, part in enumerate(self.below) if index != number))

    def swapped(self) -> "Mix":
        """Source and reference, and what is painted on each, in each other's place."""
        return replace(self, source=self.reference, reference=self.source, masks=(self.masks[1], self.masks[0]))


@dataclass(eq=False)
class Mixed:
    """A visitor's mix, which a page that is loaded again goes on with.

    Attributes:
        mix: As it stands; none before the first.
        history: The steps that can be taken back.
        masks: What was painted, by key, oldest first.
    """

    mix: Mix | None = None
    history: History[Mix] = field(default_factory=History)
    masks: OrderedDict[str, Painted] = field(default_factory=OrderedDict)

    @property
    def needed(self) -> list[str]:
        """Keys of the masks that the mix has."""
        parts = self.mix.parts if self.mix is not None else ()
        return sorted({key for part in parts for key in part.masks if key})
