"""Photos of the shelf that one weight change is tuned to along with the visitor's own photo."""

from collections.abc import Sequence

from engines import Inversion
from engines.core.images import to_picture, to_tensor
from engines.core.shapes import Image
from engines.generators.incremental import draw_inversion
from studio.state.results import Kept
from studio.state.session import Session
from studio.state.visitor import Item, Visitor

HINT = "One weight change for this photo and for those that pictures on the shelf were inverted from; each takes as long as the first."


def pairs(session: Session, items: Sequence[Item]) -> tuple[tuple[Image, Inversion], ...]:
    """Photos of the shelf with their inversions, as `InvertRequest.beside` takes them."""
    return tuple(
        (to_tensor(item.photo, session.generator.resolution), item.whole.to(session.generator.device))
        for item in items
        if item.photo is not None
    )


def shelve(session: Session, visitor: Visitor, kept: Kept) -> Item:
    """Put a result on the shelf with its photo, and behind it what was tuned along; returns the first."""
    first, *others = kept.result.inversions
    item = visitor.put(kept.method, to_picture(kept.images), first, to_picture(kept.target))
    for (title, photo), inversion in zip(kept.beside, others, strict=False):  # variants of one photo are no others
        visitor.put(f"{title}, tuned along", to_picture(draw_inversion(session.generator, inversion, session.live_size)), inversion, photo)
    return item
