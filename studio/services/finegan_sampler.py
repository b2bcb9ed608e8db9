"""Pictures made in stages: what is picked, which codes follow which, and what the hierarchy tab asks of FineGAN."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import Any

from PIL import Image as Pil

from engines import HierarchyRequest, Result
from engines.contract import Run
from engines.core.errors import StudioError
from engines.core.images import PNG, png_recipe, to_picture
from engines.core.weights import manifest
from engines.generators.finegan import FARTHEST, WEIGHTS, FineCodes, FineGAN
from engines.hierarchy.finegan import FineSampler
from engines.hierarchy.finegan_codes import FineFinder
from engines.registry import generator_for
from studio.state.session import Session

BACKGROUND, PARENT, CHILD, SEED = "background", "parent", "child", "seed"
SLIDERS = 4
"""Main components of z that have a slider."""

MOST_SEED = 2**31 - 1
_MOST_BYTES, _MOST_CODES, _FAR = 100_000, 100_000, 1e6
SHOWN = 384
"""Side in pixels that a live picture is enlarged to."""


@dataclass(frozen=True)
class Pick:
    """What a visitor has picked.

    Attributes:
        codes: Background, parent, child and z.
        shape_tied: Whether the child decides the parent, as in training.
        place_tied: Whether the child decides the background, as in training.
    """

    codes: FineCodes = field(default_factory=lambda: FineCodes(0, 0, 0))
    shape_tied: bool = True
    place_tied: bool = True


class Sampler:
    """FineGAN as the tab uses it, read-only and shared by all visitors: the bundled network, or beside an untrained generator a toy one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._lock = Lock()

    @property
    def is_there(self) -> bool:
        """Whether there is a network to draw with."""
        return "untrained" in self.session.generator.capabilities or WEIGHTS in manifest()

    @cached_property
    def finegan(self) -> FineGAN:
        """The network."""
        finegan = generator_for(FineSampler.card, self.session.generator)
        assert isinstance(finegan, FineGAN)
        return finegan

    @cached_property
    def engine(self) -> FineSampler:
        """Draws codes in all stages."""
        return FineSampler(self.finegan)

    @cached_property
    def finder(self) -> FineFinder:
        """Finds the codes of a picture."""
        return FineFinder(self.finegan)

    @property
    def sliders(self) -> int:
        """How many components of z have a slider."""
        return min(SLIDERS, self.finegan.form.noise)

    def count(self, name: str) -> int:
        """How many codes of a kind there are."""
        return self.finegan.form.parents if name == PARENT else self.finegan.form.children

    def draw(self, codes: FineCodes) -> Result:
        """One picture in all its stages.

        Raises:
            SpaceError: Codes that are none.
        """
        return self.engine(HierarchyRequest(codes=(codes,)))

    def drawing(self, codes: Sequence[FineCodes], frames: int = 0) -> Run:
        """Several pictures, or the way from the first to the last, a few at a time."""
        return self.engine.run(HierarchyRequest(codes=tuple(codes)), FineSampler.knob_set(frames=frames))

    def child(self, pick: Pick, child: int) -> Pick:
        """Another appearance, and with it whatever is tied to it."""
        return self._tied(replace(pick, codes=replace(pick.codes, child=child)))

    def parent(self, pick: Pick, parent: int) -> Pick:
        """Another shape; while tied, with the first of its own children."""
        if not pick.shape_tied:
            return replace(pick, codes=replace(pick.codes, parent=parent))
        return pick if parent == pick.codes.parent else self.child(pick, self.children_of(parent)[0])

    def background(self, pick: Pick, background: int) -> Pick:
        """Another background, which is free from then on."""
        if background == pick.codes.background:
            return pick
        return replace(pick, codes=replace(pick.codes, background=background), place_tied=False)

    def tie(self, pick: Pick, shape: bool, place: bool) -> Pick:
        """Codes tied or freed."""
        return self._tied(replace(pick, shape_tied=shape, place_tied=place))

    def adopt(self, pick: Pick, codes: FineCodes) -> Pick:
        """Codes from elsewhere: a tie that they break is undone."""
        shape = pick.shape_tied and codes.parent == self.finegan.parent_of(codes.child)
        return Pick(codes, shape, pick.place_tied and codes.background == codes.child)

    def children_of(self, parent: int) -> list[int]:
        """The children that training ties to a parent."""
        return [child for child in range(self.finegan.form.children) if self.finegan.parent_of(child) == parent]

    def varied(self, pick: Pick, name: str, value: int) -> Pick:
        """With one code changed alone: a code that is varied is free, and what is tied to it follows unless it is varied, too."""
        if name == CHILD:
            return self.child(pick, value)
        if name == SEED:
            return replace(pick, codes=replace(pick.codes, seed=value, z=None))
        free = replace(pick, shape_tied=pick.shape_tied and name != PARENT, place_tied=pick.place_tied and name != BACKGROUND)
        codes = replace(pick.codes, parent=value) if name == PARENT else replace(pick.codes, background=value)
        return replace(free, codes=codes)

    def values(self, pick: Pick, name: str, count: int) -> list[int]:
        """As many different values of a code as there are, up to a count: seeds from the present one on, others evenly spread."""
        if name == SEED:
            return [(pick.codes.seed + step) % (MOST_SEED + 1) for step in range(count)]
        there = self.count(name)
        return [index * there // count for index in range(count)] if there > count else list(range(there))

    def laid(self, pick: Pick, across: str, down: str, count: int) -> tuple[list[int], list[int], list[FineCodes]]:
        """A grid's values across and down, and its codes row by row.

        Raises:
            StudioError: The same code twice.
        """
        if across == down:
            raise StudioError(f"Both sides of the grid would change the {across}. Choose two different codes.")
        columns, rows = self.values(pick, across, count), self.values(pick, down, count)
        first, second = sorted((across, down), key=lambda name: name != CHILD)  # the child first: what is tied to it may be varied itself
        cells = ({across: x, down: y} for y in rows for x in columns)
        return columns, rows, [self.varied(self.varied(pick, first, cell[first]), second, cell[second]).codes for cell in cells]

    def thumbnails(self) -> "Thumbnails":
        """Every code by a picture, drawn at the first call."""
        with self._lock:
            return self._thumbnails

    @cached_property
    def _thumbnails(self) -> "Thumbnails":
        form = self.finegan.form
        middle = (0.0,) * form.noise  # the average pose
        tied = [replace(self.finegan.tied(child), z=middle) for child in range(form.children)]
        drawn = self.engine(HierarchyRequest(codes=tuple(tied))).stages
        masks = {name: (drawn[f"{name} mask"] + 1) / 2 for name in (PARENT, CHILD)}
        cut = {name: 1 - masks[name] + drawn[f"masked {name} foreground"] for name in masks}  # on white
        firsts = [self.children_of(parent)[0] for parent in range(form.parents)]
        return Thumbnails(
            [to_picture(drawn["background"][child : child + 1]) for child in range(form.children)],
            [to_picture(1 - 2 * masks[PARENT][child : child + 1].expand(-1, 3, -1, -1)) for child in firsts],
            [to_picture(cut[CHILD][child : child + 1]) for child in range(form.children)],
        )

    def _tied(self, pick: Pick) -> Pick:
        codes = pick.codes
        parent = self.finegan.parent_of(codes.child) if pick.shape_tied else codes.parent
        return replace(pick, codes=replace(codes, parent=parent, background=codes.child if pick.place_tied else codes.background))


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Every code by a picture of the average pose: places, silhouettes, and each child in its own parent's shape."""

    background: list[Pil.Image]
    parent: list[Pil.Image]
    child: list[Pil.Image]


def whole(value: Any, limit: int, name: str, least: int = 0) -> int:
    """A number that was typed, if it is one of `least` to limit - 1.

    Raises:
        StudioError: Anything else.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= value < limit or value != int(value):
        came = f"{value:g} came" if number else "nothing came"
        raise StudioError(f"{name}: {came}; a whole number from {least} to {limit - 1} is wanted.")
    return int(value)


def shifted(values: Sequence[Any]) -> tuple[float, ...]:
    """Shifts as sliders sent them; none where all are 0.

    Raises:
        StudioError: One is no number, or too far.
    """
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not -FARTHEST <= value <= FARTHEST:
            raise StudioError(f"A component of z moves by -{FARTHEST:g} to {FARTHEST:g} deviations.")
    return tuple(float(value) for value in values) if any(values) else ()


def large(picture: Pil.Image, side: int = SHOWN) -> Pil.Image:
    """A small picture enlarged for the page."""
    return picture if picture.width >= side else picture.resize((side, side), Pil.Resampling.BICUBIC)


def codes_file(codes: FineCodes) -> bytes:
    """Codes as JSON, which `read_codes` takes back."""
    return (json.dumps(asdict(codes), indent=1) + "\n").encode()


def read_codes(data: bytes) -> FineCodes:
    """Codes from such a file, or from a picture that was saved with it inside; whether a network has them is not looked at.

    Raises:
        StudioError: It is none.
    """
    if data.startswith(PNG):
        data = png_recipe(data).encode()
    try:
        content = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not {BACKGROUND, PARENT, CHILD} <= set(content):
        raise StudioError("This is no file of codes: bring the JSON file, or the picture of a bird, that this tab saves.")
    background, parent, child = (whole(content[name], _MOST_CODES, name.capitalize()) for name in (BACKGROUND, PARENT, CHILD))
    seed = whole(content.get(SEED, 0), MOST_SEED + 1, "Seed")
    z = content.get("z")
    return FineCodes(
        background, parent, child, seed, shifted(_listed(content.get("shifts", []))), None if z is None else _finite(_listed(z))
    )


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise StudioError("In a file of codes, z and its shifts are lists of numbers.")
    return value


def _finite(values: list[Any]) -> tuple[float, ...]:
    if not all(isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _FAR for value in values):
        raise StudioError("In a file of codes, z and its shifts are lists of numbers.")
    return tuple(float(value) for value in values)
