"""Photos of the shelf that one weight change is tuned to along with the photo on the desk."""

from collections.abc import Sequence

from engines import Inversion
from engines.core.images import to_picture, to_tensor
from engines.core.shapes import Image
from engines.generators.sketch import draw
from studio.session import Session
from studio.shelf import Desk, Item, Kept

HINT = "One weight change for this photo and for those that pictures on the shelf were inverted from; each takes as long as the first."


def pairs(session: Session, items: Sequence[Item]) -> tuple[tuple[Image, Inversion], ...]:
    """Photos of the shelf with their inversions, as `InvertRequest.beside` takes them."""
    return tuple(
        (to_tensor(item.photo, session.generator.resolution), item.whole.to(session.generator.device))
        for item in items
        if item.photo is not None
    )


def shelve(session: Session, desk: Desk, kept: Kept) -> Item:
    """Put a result on the shelf with its photo, and behind it what was tuned along; returns the first."""
    first, *others = kept.result.inversions
    item = desk.put(kept.method, to_picture(kept.result.images), first, to_picture(kept.target))
    for (title, photo), inversion in zip(kept.beside, others, strict=False):  # variants of one photo are no others
        desk.put(f"{title}, tuned along", to_picture(draw(session.generator, inversion, session.live_size)), inversion, photo)
    return item
