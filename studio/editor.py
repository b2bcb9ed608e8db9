"""What the tab Edit directions computes: codes moved along directions, and their pictures."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from PIL import Image as Pil

from engines import Direction, Inversion, Latent
from engines.core.errors import SpaceError, StudioError
from engines.core.images import to_picture
from engines.core.seeds import z_codes
from engines.core.shapes import Image
from engines.edit import conditional
from engines.generators.sketch import Sketch, draw
from engines.metrics.disentanglement import Measured, SideEffects
from engines.spaces.directions import apply, standing
from engines.spaces.statistics import random_w
from studio.edits import AS_FOUND, Edits, Face, Turn
from studio.library import Library, own_attribute
from studio.session import Session
from studio.shelf import Desk

_EASELS, _CARDS, _ALONE, _KEPT = 4, 120, 64, 64
Name = TypeVar("Name")
Value = TypeVar("Value")


@dataclass(eq=False)
class _Easel:
    """What one visitor's drawing reuses: layers of the last picture, the face before the edits, pictures and figures of directions."""

    sketch: Sketch
    before: tuple[Face, Image] | None = None
    cards: "OrderedDict[tuple[Face, str], Pil.Image]" = field(default_factory=OrderedDict)
    alone: "OrderedDict[tuple[Face, Turn, tuple[str, ...]], dict[str, float]]" = field(default_factory=OrderedDict)
    small: tuple[Face, Measured] | None = None
    kept: "OrderedDict[tuple[str, tuple[str, ...]], Direction]" = field(default_factory=OrderedDict)
    deals: int = 0


class Editor:
    """Draws codes with directions applied.

    Args:
        session: Whose generator draws.
        library: Where directions come from.
    """

    def __init__(self, session: Session, library: Library) -> None:
        self.session = session
        self.library = library
        self._easels: WeakKeyDictionary[Desk, _Easel] = WeakKeyDictionary()

    def code(self, desk: Desk, face: Face) -> Inversion:
        """The code to edit: z for a seed, so that directions of Z work (`apply` wants the face's truncation), else what lies on the shelf.

        Raises:
            StudioError: The shelf was asked for and nothing on it is chosen, or the seed is none.
        """
        generator = self.session.generator
        if face.kind == "Seed":
            if face.seed is None or not 0 <= face.seed < 2**31:
                raise StudioError("The seed is a whole number from 0 to 2147483647.")
            return Inversion(Latent("z", z_codes(1, generator.width, int(face.seed), generator.device)))
        item = desk.shelf.get(face.chosen or "")
        if item is None:
            raise StudioError(
                "Nothing on the shelf is chosen. Click one of its pictures above, or edit a random face by seed. "
                "A photo gets there from the tab Invert."
            )
        return item.inversion.to(generator.device)

    def direction(self, desk: Desk, turn: Turn, keep: Sequence[str] = ()) -> Direction:
        """A direction as its slider uses it: without what must stay, in the layers that were chosen.

        Raises:
            StudioError: No such direction or layers, or nothing of it is left.
        """
        direction = self.library.get(turn.key, desk)
        kept = [name for name in keep if name != own_attribute(turn.key)]
        if kept and direction.space in ("w", "z"):
            direction = self._kept(desk, turn.key, direction, tuple(kept))
        if turn.layers == AS_FOUND:
            return direction
        return replace(direction, slots=self.slots(turn.layers))

    def _kept(self, desk: Desk, key: str, direction: Direction, names: tuple[str, ...]) -> Direction:
        """A direction without what must stay; remembered, since a moving slider asks for it with every preview."""
        known, name = self._easel(desk).kept, (key, names)
        if name not in known:
            boundaries = [self.library.boundary(each, direction.space, desk) for each in names]
            known[name] = conditional(direction, boundaries, self.library.bank)
        return _recent(known, name, _KEPT)

    def slots(self, layers: str) -> tuple[int, ...]:
        """Slots of W+ that a choice of layers stands for.

        Raises:
            StudioError: No such layers.
        """
        slots = self.session.generator.slots
        if layers in slots.groups:
            return slots.groups[layers]
        first, _, last = layers.partition("-")
        if not (first.isdigit() and last.isdigit() and 1 <= int(first) <= int(last) <= len(slots.active)):
            raise StudioError(
                f"There are no layers {layers!r}. Choose {', '.join(slots.groups)}, or two numbers from 1 to {len(slots.active)}, "
                "the first not above the second."
            )
        return slots.active[int(first) - 1 : int(last)]

    @torch.no_grad()
    def moved(self, desk: Desk, face: Face, edits: Edits) -> Inversion:
        """The face's code with all edits applied, never in z.

        Raises:
            StudioError: As `code` and `direction` do, or a direction of Z for a code whose z is not known.
        """
        generator, code = self.session.generator, self.code(desk, face)
        pairs = [(self.direction(desk, turn, edits.keep), turn.strength) for turn in edits.moving]
        if face.kind == "Seed" and all(direction.space != "z" for direction, _ in pairs):
            code = Inversion(Latent("w", random_w(generator, int(face.seed or 0), face.truncation)))
        return apply(code, pairs, generator, truncation=face.truncation)

    def image(self, desk: Desk, face: Face, edits: Edits, size: int | None = None) -> Image:
        """The edited picture (1,3,size,size), at an exit or in full; layers below the last change are not redone."""
        return self._easel(desk).sketch.draw(self.moved(desk, face, edits), size)

    def draw(self, desk: Desk, face: Face, edits: Edits, size: int | None = None) -> Pil.Image:
        """The same as a picture to look at."""
        return to_picture(self.image(desk, face, edits, size))

    def sketch(self, desk: Desk, face: Face, edits: Edits, size: int) -> Pil.Image:
        """The same beside the hand that moves sliders: its layers are left as they are."""
        return to_picture(self._drawn(desk, face, edits, size))

    def _drawn(self, desk: Desk, face: Face, edits: Edits, size: int) -> Image:
        return draw(self.session.generator, self.moved(desk, face, edits), size)

    def before(self, desk: Desk, face: Face) -> Image:
        """The full picture before all edits, kept while the face stays."""
        easel = self._easel(desk)
        if easel.before is None or easel.before[0] != face:
            easel.before = (face, draw(self.session.generator, self.moved(desk, face, Edits())))
        return easel.before[1]

    def effects(self, desk: Desk, face: Face, edits: Edits) -> dict[str, float]:
        """What an edit changed: identity distance, and each attribute in units of its own spread."""
        return self._effects.figures(self.before(desk, face), self.image(desk, face, edits))

    def alone(self, desk: Desk, face: Face, turn: Turn, keep: tuple[str, ...]) -> dict[str, float]:
        """What one slider changes by itself, as `effects` says it but on small pictures; kept, so that a slider at rest costs nothing."""
        easel, name = self._easel(desk), (face, turn, keep)
        if name not in easel.alone:
            size = self.session.live_size
            if easel.small is None or easel.small[0] != face:
                easel.small = (face, self._effects.measured(self._drawn(desk, face, Edits(), size)))
            after = self._effects.measured(self._drawn(desk, face, Edits((turn,), keep), size))
            easel.alone[name] = self._effects.compared(easel.small[1], after)
        return _recent(easel.alone, name, _ALONE)

    def score(self, desk: Desk, face: Face, edits: Edits, key: str) -> float | None:
        """Where a face, edited, stands along a direction: signed distance in sigma from its boundary, or from the average face where the
        method knows none; nothing where that cannot be told, as along a direction of Z for a photo."""
        direction = self.library.get(key, desk)
        still_in_z = direction.space == "z" and not edits.moving
        code = self.code(desk, face) if still_in_z else self.moved(desk, face, edits)
        try:
            return standing(code, direction, self.session.generator) + self.library.offset(key, desk)
        except SpaceError:
            return None

    @cached_property
    def _effects(self) -> SideEffects:
        return SideEffects(self.session.generator)

    def card(self, desk: Desk, face: Face, key: str) -> Pil.Image:
        """A direction as three small pictures of the face side by side: turned back, as it is, turned on."""
        easel, name = self._easel(desk), (face, key)
        if name not in easel.cards:
            far = self.library.reach(key, desk).card
            easel.cards[name] = _beside([self._small(desk, face, key, strength) for strength in (-far, 0.0, far)])
        return _recent(easel.cards, name, _CARDS)

    def deal(self, desk: Desk) -> Callable[[], bool]:
        """Note that cards are wanted anew; the answer says whether nobody asked again since."""
        easel = self._easel(desk)
        easel.deals += 1
        mine = easel.deals
        return lambda: easel.deals == mine

    def _small(self, desk: Desk, face: Face, key: str, strength: float) -> Pil.Image:
        return self.sketch(desk, face, Edits((Turn(key, strength),)), self.session.generator.exits[0])

    def _easel(self, desk: Desk) -> _Easel:
        """A visitor's easel; that of whoever has not drawn for longest makes room."""
        easel = self._easels.pop(desk, None) or _Easel(Sketch(self.session.generator))
        self._easels[desk] = easel
        while len(self._easels) > _EASELS:
            del self._easels[next(iter(self._easels))]
        return easel


def _recent(kept: "OrderedDict[Name, Value]", name: Name, most: int) -> Value:
    """What is kept under a name; those that were not asked for longest make room."""
    kept.move_to_end(name)
    while len(kept) > most:
        kept.popitem(last=False)
    return kept[name]


def _beside(pictures: Sequence[Pil.Image]) -> Pil.Image:
    row = Pil.new("RGB", (sum(picture.width for picture in pictures), pictures[0].height))
    for index, picture in enumerate(pictures):
        row.paste(picture, (index * picture.width, 0))
    return row
