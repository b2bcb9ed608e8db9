"""What one visitor made: their photo, their running result, and the shelf of inversions that every tab can use.

Nothing here is shared between visitors or written to disk. A desk goes when its visitor leaves, and the least recently used
one goes when there are too many.
"""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from PIL import Image as Pil

from engines import Direction, Inversion, Result
from engines.core.errors import StudioError
from engines.core.shapes import Image
from engines.faces import Alignment, Face

MAX_DESKS = 200
THUMBNAIL = 160


@dataclass(frozen=True, eq=False)
class Item:
    """One inversion on the shelf.

    Attributes:
        key: Hash of its tensors.
        title: What the strip says under it.
        thumbnail: Small picture.
        inversion: All it takes to draw it, on the CPU.
    """

    key: str
    title: str
    thumbnail: Pil.Image
    inversion: Inversion

    @property
    def nbytes(self) -> int:
        """Memory it holds."""
        return self.inversion.nbytes() + 3 * self.thumbnail.width * self.thumbnail.height


@dataclass(frozen=True, eq=False)
class Kept:
    """A result with what it was made from.

    Attributes:
        result: The best so far of a run that goes on, or the last of one that ended.
        target: The aligned photo it redraws.
        alignment: Where that lay in the photo.
        photo: The whole photo.
        method: Title of the method.
        seconds: How long it took.
    """

    result: Result
    target: Image
    alignment: Alignment
    photo: Pil.Image
    method: str
    seconds: float


@dataclass(eq=False)
class Desk:
    """One visitor's things.

    Attributes:
        budget: Bytes that the shelf may hold.
        photo: The photo as it came, upright.
        faces: Faces found in it.
        alignment: The crop in use.
        target: The aligned photo, (1,3,R,R).
        kept: The best result of the run in progress, or the last result.
        running: Whether a run of this visitor is queued or going.
        moves: Counts what changed the picture being edited.
        moved_at: When it changed last, by `time.monotonic`: the full picture waits for a hand at rest.
        drawn: The move whose full picture was drawn last.
        shelf: Items by key, oldest first.
        directions: The visitor's own directions by key, oldest first.
    """

    budget: int
    photo: Pil.Image | None = None
    faces: tuple[Face, ...] = ()
    alignment: Alignment | None = None
    target: Image | None = None
    kept: Kept | None = None
    running: bool = False
    moves: int = 0
    moved_at: float = 0.0
    drawn: int = 0
    shelf: "OrderedDict[str, Item]" = field(default_factory=OrderedDict)
    directions: "OrderedDict[str, Direction]" = field(default_factory=OrderedDict)

    def move(self) -> None:
        """Note that the picture being edited changed."""
        self.moves += 1
        self.moved_at = time.monotonic()

    def rested(self, seconds: float) -> bool:
        """Whether the last move is that long ago and its full picture still to be drawn."""
        return self.drawn != self.moves and time.monotonic() - self.moved_at >= seconds

    def put(self, title: str, picture: Pil.Image, inversion: Inversion) -> Item:
        """Place an inversion on the shelf; the same one is placed once.

        Raises:
            StudioError: The shelf is full.
        """
        inversion = inversion.to("cpu")
        key = _key(inversion)
        thumbnail = picture.copy()
        thumbnail.thumbnail((THUMBNAIL, THUMBNAIL))
        item = Item(key, title, thumbnail, inversion)
        if self.used() + item.nbytes > self.budget:
            raise StudioError(f"The shelf is full ({self.budget / 2**20:.0f} MB). Take something off it first.")
        self.shelf[key] = item
        return item

    def take_off(self, key: str) -> None:
        """Remove an item; one that is not there is no fault."""
        self.shelf.pop(key, None)

    def used(self) -> int:
        """Bytes on the shelf."""
        return sum(item.nbytes for item in self.shelf.values())


def _key(inversion: Inversion) -> str:
    digest = hashlib.sha256(inversion.latent.codes.contiguous().numpy().tobytes())
    for name, value in sorted([*inversion.tuning.items(), *inversion.features.items()]):
        digest.update(name.encode() + value.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


class Visitors:
    """All desks, by session hash.

    Args:
        budget: Bytes that each visitor's shelf may hold.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._desks: OrderedDict[str, Desk] = OrderedDict()
        self._lock = Lock()

    def desk(self, session_hash: str | None) -> Desk:
        """The desk of a visitor, new at their first event."""
        name = session_hash or "nobody"
        with self._lock:
            desk = self._desks.setdefault(name, Desk(self.budget))
            self._desks.move_to_end(name)
            while len(self._desks) > MAX_DESKS:
                idle = next((key for key, other in self._desks.items() if not other.running), next(iter(self._desks)))
                del self._desks[idle]
            return desk

    def leave(self, session_hash: str | None) -> None:
        """Forget a visitor."""
        with self._lock:
            self._desks.pop(session_hash or "nobody", None)

    def __len__(self) -> int:
        return len(self._desks)
