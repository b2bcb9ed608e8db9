"""What the tab Edit directions computes: codes moved along directions, and their pictures."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import torch
from PIL import Image as Pil

from engines import Direction, Inversion, Latent
from engines.core.errors import SpaceError, StudioError
from engines.core.images import to_picture
from engines.core.seeds import z_codes
from engines.core.shapes import Image
from engines.edit import conditional_direction
from engines.generators.incremental import IncrementalRenderer, draw_inversion
from engines.metrics.disentanglement import Measured, SideEffects
from engines.spaces.directions import apply_directions, signed_distance
from engines.spaces.statistics import random_w
from studio.services.direction_library import Library, own_attribute
from studio.state.edits import AS_FOUND, Edits, Face, Turn
from studio.state.recent import Recent
from studio.state.session import Session
from studio.state.visitor import Visitor

_CACHES, _CARDS, _ALONE, _KEPT = 3, 120, 64, 64
Name = TypeVar("Name")
Value = TypeVar("Value")


@dataclass(eq=False)
class _EditCache:
    """What one visitor's drawing reuses: layers of the last picture, the face before the edits, pictures and figures of directions."""

    sketch: IncrementalRenderer
    before: tuple[Face, Image] | None = None
    cards: "OrderedDict[tuple[Face, str], Pil.Image]" = field(default_factory=OrderedDict)
    alone: "OrderedDict[tuple[Face, Turn, tuple[str, ...]], dict[str, float]]" = field(default_factory=OrderedDict)
    small: tuple[Face, Measured] | None = None
    kept: "OrderedDict[tuple[str, tuple[str, ...]], Direction]" = field(default_factory=OrderedDict)
    rounds: int = 0

    def make_room(self) -> None:
        """Drop what is large: it is drawn again when the visitor comes back to it."""
        self.sketch, self.before = IncrementalRenderer(self.sketch.generator), None
        self.cards.clear()


class Editor:
    """Draws codes with directions applied.

    Args:
        session: Whose generator draws.
        library: Where directions come from.
    """

    def __init__(self, session: Session, library: Library) -> None:
        self.session = session
        self.library = library
        self._caches = Recent(lambda: _EditCache(IncrementalRenderer(session.generator)), _CACHES)

    def code(self, visitor: Visitor, face: Face) -> Inversion:
        """The code to edit: z for a seed, so that directions of Z work (their truncation is the face's own), else what lies on the shelf.

        Raises:
            StudioError: The shelf was asked for and nothing on it is chosen, or the seed is none.
        """
        generator = self.session.generator
        if face.kind == "Seed":
            if face.seed is None or not 0 <= face.seed < 2**31:
                raise StudioError("The seed is a whole number from 0 to 2147483647.")
            return Inversion(Latent("z", z_codes(1, generator.width, int(face.seed), generator.device)))
        item = visitor.find(face.chosen or "")
        if item is None:
            raise StudioError(
                "Nothing on the shelf is chosen. Click one of its pictures above, or edit a random face by seed. "
                "A photo gets there from the tab Invert."
            )
        return item.inversion.to(generator.device)

    def direction(self, visitor: Visitor, turn: Turn, keep: Sequence[str] = ()) -> Direction:
        """A direction as its slider uses it: without what must stay, in the layers that were chosen.

        Raises:
            StudioError: No such direction or layers, or nothing of it is left.
        """
        direction = self.library.get(turn.key, visitor)
        kept = [name for name in keep if name != own_attribute(turn.key)]
        if kept and direction.space in ("w", "z"):
            direction = self._kept(visitor, turn.key, direction, tuple(kept))
        if turn.layers == AS_FOUND:
            return direction
        return replace(direction, slots=self.slots(turn.layers))

    def _kept(self, visitor: Visitor, key: str, direction: Direction, names: tuple[str, ...]) -> Direction:
        """A direction without what must stay; remembered, since a moving slider asks for it with every preview."""
        known, name = self._caches.of(visitor).kept, (key, names)
        if name not in known:
            boundaries = [self.library.boundary(each, direction.space, visitor) for each in names]
            known[name] = conditional_direction(direction, boundaries, self.library.bank)
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

    def strip(self, visitor: Visitor, face: Face, key: str) -> tuple[float, ...]:
        """Strengths at which a direction is shown closely; half as far on a tuned face, whose network was bent around one code."""
        shown = self.library.reach(key, visitor).strip
        return tuple(at / 2 for at in shown) if self.code(visitor, face).tuning else shown

    @torch.no_grad()
    def moved(self, visitor: Visitor, face: Face, edits: Edits) -> Inversion:
        """The face's code with all edits applied, never in z.

        Raises:
            StudioError: As `code` and `direction` do, or a direction of Z for a code whose z is not known.
        """
        generator, code = self.session.generator, self.code(visitor, face)
        pairs = [(self.direction(visitor, turn, edits.keep), turn.strength) for turn in edits.moving]
        if face.kind == "Seed" and all(direction.space != "z" for direction, _ in pairs):
            code = Inversion(Latent("w", random_w(generator, int(face.seed or 0), face.truncation)))
        return apply_directions(code, pairs, generator, truncation=face.truncation)

    def image(self, visitor: Visitor, face: Face, edits: Edits, size: int | None = None) -> Image:
        """The edited picture (1,3,size,size), at an exit or in full; layers below the last change are not redone."""
        return self._caches.of(visitor).sketch.draw(self.moved(visitor, face, edits), size)

    def draw(self, visitor: Visitor, face: Face, edits: Edits, size: int | None = None) -> Pil.Image:
        """The same as a picture to look at."""
        return to_picture(self.image(visitor, face, edits, size))

    def sketch(self, visitor: Visitor, face: Face, edits: Edits, size: int) -> Pil.Image:
        """The same beside the hand that moves sliders: its layers are left as they are."""
        return to_picture(self._drawn(visitor, face, edits, size))

    def _drawn(self, visitor: Visitor, face: Face, edits: Edits, size: int) -> Image:
        return draw_inversion(self.session.generator, self.moved(visitor, face, edits), size)

    def before(self, visitor: Visitor, face: Face) -> Image:
        """The full picture before all edits, kept while the face stays."""
        cache = self._caches.of(visitor)
        if cache.before is None or cache.before[0] != face:
            cache.before = (face, draw_inversion(self.session.generator, self.moved(visitor, face, Edits())))
        return cache.before[1]

    def effects(self, visitor: Visitor, face: Face, edits: Edits) -> dict[str, float]:
        """What an edit changed: identity distance, and each attribute in units of its own spread."""
        return self._effects.figures(self.before(visitor, face), self.image(visitor, face, edits))

    def alone(self, visitor: Visitor, face: Face, turn: Turn, keep: tuple[str, ...]) -> dict[str, float]:
        """What one slider changes by itself, as `effects` says it but on small pictures; kept, so that a slider at rest costs nothing."""
        cache, name = self._caches.of(visitor), (face, turn, keep)
        if name not in cache.alone:
            size = self.session.live_size
            if cache.small is None or cache.small[0] != face:
                cache.small = (face, self._effects.measured(self._drawn(visitor, face, Edits(), size)))
            after = self._effects.measured(self._drawn(visitor, face, Edits((turn,), keep), size))
            cache.alone[name] = self._effects.compared(cache.small[1], after)
        return _recent(cache.alone, name, _ALONE)

    def score(self, visitor: Visitor, face: Face, edits: Edits, key: str) -> float | None:
        """Where a face, edited, stands along a direction: signed distance in sigma from its boundary, or from the average face where the
        method knows none; nothing where that cannot be told, as along a direction of Z for a photo, or one that bends."""
        direction = self.library.get(key, visitor)
        if direction.curve:
            return None
        still_in_z = direction.space == "z" and not edits.moving
        code = self.code(visitor, face) if still_in_z else self.moved(visitor, face, edits)
        try:
            return signed_distance(code, direction, self.session.generator) + self.library.offset(key, visitor)
        except SpaceError:
            return None

    @cached_property
    def _effects(self) -> SideEffects:
        return SideEffects(self.session.generator)

    def card(self, visitor: Visitor, face: Face, key: str) -> Pil.Image:
        """A direction as three small pictures of the face side by side: turned back, as it is, turned on."""
        cache, name = self._caches.of(visitor), (face, key)
        if name not in cache.cards:
            far = self.library.reach(key, visitor).card
            cache.cards[name] = _beside([self._small(visitor, face, key, strength) for strength in (-far, 0.0, far)])
        return _recent(cache.cards, name, _CARDS)

    def deal(self, visitor: Visitor) -> Callable[[], bool]:
        """Note that cards are wanted anew; the answer says whether nobody asked again since."""
        cache = self._caches.of(visitor)
        cache.rounds += 1
        mine = cache.rounds
        return lambda: cache.rounds == mine

    def _small(self, visitor: Visitor, face: Face, key: str, strength: float) -> Pil.Image:
        return self.sketch(visitor, face, Edits((Turn(key, strength),)), self.session.generator.exits[0])


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
