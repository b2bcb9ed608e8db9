"""What a visitor's runs left, until they are put on the shelf or another run takes their place."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from PIL import Image as Pil

from engines import Inversion, Result
from engines.core.shapes import Image, Mask
from engines.faces import Alignment
from studio.state.packed import eight_bit


@eight_bit("target", "images")
@dataclass(frozen=True, eq=False)
class Kept:
    """A result with what it was made from.

    Attributes:
        result: The best so far of a run that goes on, or the last of one that ended, its pictures apart.
        target: The aligned photo it redraws.
        alignment: Where that lay in the photo.
        photo: The whole photo.
        method: Title of the method.
        seconds: How long it took.
        beside: Titles and photos of the shelf that the same weight change was tuned to; theirs are the inversions after the first.
        images: The result's pictures, unless others are given.
        figures: What was measured of it, by name.
        recipe: How it was made, as `studio.services.inversion_recipe` writes it; empty where that is not known.
    """

    result: Result
    target: Image
    alignment: Alignment
    photo: Pil.Image
    method: str
    seconds: float
    beside: tuple[tuple[str, Pil.Image], ...] = ()
    images: Image = field(default=None)  # type: ignore[assignment]  # set below
    figures: Mapping[str, float] = field(default_factory=dict)
    recipe: str = ""

    def __post_init__(self) -> None:
        if self.images is None:
            object.__setattr__(self, "images", self.result.images)
        object.__setattr__(self, "result", replace(self.result, images=self.result.images[:0].clone()))

    @property
    def inversion(self) -> Inversion:
        """All it takes to draw the photo's face again."""
        return self.result.inversions[0]


@dataclass(frozen=True, eq=False)
class Transferred:
    """One face made of two.

    Attributes:
        kept: The face; its target is the plain copy.
        part: Which part of it was pasted, (1,1,R,R).
    """

    kept: Kept
    part: Mask


@dataclass(frozen=True, eq=False)
class Found:
    """A result of the search in the tab Local mixing, with the picture that it began from, (1,3,R,R)."""

    result: Result
    source: Image
    seconds: float

    @property
    def inversion(self) -> Inversion:
        """All it takes to draw it again."""
        return self.result.inversions[0]


@dataclass(eq=False)
class Results:
    """The best so far of each kind of run that goes on, or the last of one that ended; whoever shows a run writes it here.

    Attributes:
        inverted: That of the tab Invert, by any of its methods or by a checkpoint.
        transferred: That of semantic diffusion.
        found: That of the search in the tab Local mixing.
    """

    inverted: Kept | None = None
    transferred: Transferred | None = None
    found: Found | None = None
