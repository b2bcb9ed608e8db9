"""What one visitor made: their photo, their running result, and the shelf of inversions that every tab can use.

Nothing here is shared between visitors or written to disk; `studio.state.visitors` says who a visitor is and how long their state stays.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from PIL import Image as Pil
from torch import Tensor

from engines import Direction, Inversion
from engines.core.errors import StudioError
from engines.core.shapes import Image
from engines.faces import Alignment, Face
from studio.state.comparison import Comparison
from studio.state.edits import Edits
from studio.state.edits import Face as FaceToEdit
from studio.state.holding import held_bytes
from studio.state.lab_book import LabBook
from studio.state.mix import Mixed
from studio.state.packed import eight_bit, lossless
from studio.state.results import Results

THUMBNAIL = 160
Kind = TypeVar("Kind")
_ABANDONED_SECONDS = 20.0
MOST_BESIDE = 7
"""Photos of the shelf that one run tunes along: each takes as long as the first."""


@lossless("photo")
@dataclass(frozen=True, eq=False)
class Item:
    """One inversion on the shelf.

    Attributes:
        key: Hash of all that draws it.
        title: What the strip says under it.
        thumbnail: Small picture.
        inversion: All it takes to draw it, on the CPU, its weight change at `strength`.
        whole: The same with its weight change in full.
        strength: How much of its weight change counts, 0 to 1.
        photo: The aligned photo that it redraws, where it came from one.
    """

    key: str
    title: str
    thumbnail: Pil.Image
    inversion: Inversion
    whole: Inversion
    strength: float = 1.0
    photo: Pil.Image | None = None

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors it holds; several items may share them."""
        return [*self.inversion.tensors(), *self.whole.tensors()]

    @property
    def picture_bytes(self) -> int:
        """Memory of its pictures."""
        return held_bytes([value for name, value in vars(self).items() if name in ("thumbnail", "_photo")])

    @property
    def tuning_bytes(self) -> int:
        """Memory of its weight change."""
        return sum(change.numel() * change.element_size() for change in self.whole.tuning.values())


@dataclass(eq=False, kw_only=True)
class JobSlot:
    """Where a visitor's runs sit, one at a time.

    Attributes:
        taken_by: The part of the page whose run is queued or going.
        stopping: Whether that run is to end at its next step.
        taken_at: When it was taken, by `time.monotonic`.
        under_way: Whether that run waits in its line or goes.
        begun: Whether it had its turn.
        last_words: When the last run of each part ended, by `time.monotonic`, and what it said then.
    """

    taken_by: object | None = None
    stopping: bool = False
    taken_at: float = 0.0
    under_way: bool = False
    begun: bool = False
    last_words: dict[object, tuple[float, str]] = field(default_factory=dict)

    def take(self, by: object) -> None:
        """Let a run sit here."""
        self.taken_by, self.stopping, self.taken_at = by, False, time.monotonic()

    @property
    def abandoned(self) -> bool:
        """Whether the run that sits here never came: its page was closed, or lost the server, in between."""
        return not self.under_way and time.monotonic() - self.taken_at > _ABANDONED_SECONDS

    @property
    def running(self) -> bool:
        """Whether a run is queued or going."""
        return self.taken_by is not None

    def is_stopping(self) -> bool:
        """Whether the run that sits here is to end at its next step."""
        return self.stopping


@eight_bit("target")
@dataclass(eq=False, kw_only=True)
class PhotoState(JobSlot):
    """A photo on its way to a code.

    Attributes:
        photo: The photo as it came, upright.
        faces: Faces found in it.
        alignment: The crop in use.
        target: The aligned photo, (1,3,R,R).
        upload: Hash of the file that the photo came in.
        path: Where that file lies among the uploads.
    """

    photo: Pil.Image | None = None
    faces: tuple[Face, ...] = ()
    alignment: Alignment | None = None
    target: Image | None = None
    upload: str = ""
    path: str = ""


@eight_bit("giver")
@dataclass(eq=False)
class Visitor(PhotoState):
    """One visitor's things; the photo is that of the tab Invert.

    Attributes:
        budget: Bytes that the shelf may hold.
        giver: A second aligned face, (1,3,R,R), whose part the first is to receive.
        is_giver_drawn: Whether that is a generated one.
        results: What their runs left.
        moves: Counts what changed the picture being edited.
        moved_at: When it changed last, by `time.monotonic`: the full picture waits for a hand at rest.
        drawn: The move whose full picture was drawn last.
        shelf: Items by key, oldest first.
        former: The key that followed a key of the past.
        directions: The visitor's own directions by key, oldest first.
        comparison: Methods side by side on one photo.
        edited: The face in the tab Edit directions, and its sliders.
        edited_on: The session of the page that wrote that, or took it up from one before.
        mixed: The mix in the tab Local mixing, with what was painted for it.
        apart: What parts of the page keep for this visitor, by the part.
        book: What they made so far.
    """

    budget: int
    giver: Image | None = None
    is_giver_drawn: bool = False
    results: Results = field(default_factory=Results)
    moves: int = 0
    moved_at: float = 0.0
    drawn: int = 0
    shelf: "OrderedDict[str, Item]" = field(default_factory=OrderedDict)
    former: dict[str, str] = field(default_factory=dict)
    directions: "OrderedDict[str, Direction]" = field(default_factory=OrderedDict)
    comparison: Comparison | None = None
    edited: tuple[FaceToEdit, Edits] | None = None
    edited_on: str = ""
    mixed: Mixed = field(default_factory=Mixed)
    apart: dict[object, Any] = field(default_factory=dict)
    book: LabBook = field(init=False)

    def __post_init__(self) -> None:
        self.book = LabBook(self.budget // 8)

    @property
    def busy(self) -> bool:
        """Whether a run of the visitor's is queued or going, in any cell."""
        return self.running or any(isinstance(thing, JobSlot) and thing.running for thing in self.apart.values())

    def own(self, owner: object, make: Callable[[], Kind]) -> Kind:
        """What a part of the page keeps for this visitor, made when first asked for."""
        if owner not in self.apart:
            self.apart[owner] = make()
        return cast(Kind, self.apart[owner])

    def move(self) -> None:
        """Note that the picture being edited changed."""
        self.moves += 1
        self.moved_at = time.monotonic()

    def rested(self, seconds: float) -> bool:
        """Whether the last move is that long ago and its full picture still to be drawn."""
        return self.drawn != self.moves and time.monotonic() - self.moved_at >= seconds

    def put(self, title: str, picture: Pil.Image, inversion: Inversion, photo: Pil.Image | None = None) -> Item:
        """Place an inversion on the shelf, with the aligned photo it redraws if any; what draws the same is placed once, under its name.

        Raises:
            StudioError: The shelf is full.
        """
        inversion = inversion.to("cpu")
        thumbnail = picture.copy()
        thumbnail.thumbnail((THUMBNAIL, THUMBNAIL))
        item = Item(_key(inversion), title, thumbnail, inversion, inversion, 1.0, photo)
        if (there := self.shelf.get(item.key)) is not None and (photo is None or there.photo is not None):
            return there
        self._check({**self.shelf, item.key: item})
        self.shelf[item.key] = item
        return item

    def find(self, key: str) -> Item | None:
        """The item of a key, or of one that it had before: a page may still say that."""
        passed = set[str]()
        while key not in self.shelf and key in self.former and key not in passed:
            passed.add(key)
            key = self.former[key]
        return self.shelf.get(key)

    def present(self, key: str) -> Item:
        """The same, where it has to be there.

        Raises:
            StudioError: It is no longer there.
        """
        item = self.find(key)
        if item is None:
            raise StudioError("That picture is no longer on the shelf. Choose another.")
        return item

    def weaken(self, key: str, strength: float) -> Item:
        """Let so much of an item's weight change count, 0 to 1; it stays in its place under a new key.

        Raises:
            StudioError: It is no longer there, or the strength is none.
        """
        item = self.present(key)
        if not 0 <= strength <= 1:
            raise StudioError("The tuning strength is a number from 0 to 1.")
        inversion = item.whole.at_strength(strength)
        weaker = replace(item, key=_key(inversion), inversion=inversion, strength=strength)
        changed = OrderedDict((weaker.key, weaker) if name == item.key else (name, other) for name, other in self.shelf.items())
        self._check(changed)
        self.shelf, self.former[item.key] = changed, weaker.key
        return weaker

    def rename(self, key: str, title: str) -> Item:
        """Give an item another name.

        Raises:
            StudioError: It is no longer there, or the name is empty.
        """
        item = self.present(key)
        if not title:
            raise StudioError("The name is empty. Write a word or two.")
        self.shelf[item.key] = replace(item, title=title)
        return self.shelf[item.key]

    def others(self, photo: Pil.Image) -> list[Item]:
        """Items that redraw another photo than this one, the newest of each."""
        by_photo = {item.photo.tobytes(): item for item in self.shelf.values() if item.photo is not None}
        by_photo.pop(photo.tobytes(), None)
        return list(by_photo.values())[-MOST_BESIDE:]

    def take_off(self, key: str) -> None:
        """Remove an item; one that is not there is no fault."""
        self.shelf.pop(key, None)

    def used(self) -> int:
        """Bytes on the shelf."""
        return _used(self.shelf.values())

    def _check(self, items: Mapping[str, Item]) -> None:
        if _used(items.values()) > self.budget:
            raise StudioError(f"The shelf is full ({self.budget / 2**20:.0f} MB). Take something off it first.")


def _used(items: Iterable[Item]) -> int:
    """Memory of items together; what they share, such as one weight change for several photos, counts once."""
    listed = list(items)
    tensors = {tensor.data_ptr(): tensor.numel() * tensor.element_size() for item in listed for tensor in item.tensors}
    return sum(tensors.values()) + sum(item.picture_bytes for item in listed)


def _key(inversion: Inversion) -> str:
    """A hash of the codes, the weight change and the features."""
    digest = hashlib.sha256(inversion.latent.codes.contiguous().numpy().tobytes())
    for kind in (inversion.tuning, inversion.features):
        for name in sorted(kind):
            digest.update(name.encode() + kind[name].contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
