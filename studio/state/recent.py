"""Pictures that are drawn again when they are asked for: kept in each visitor's state, and only for those who drew last."""

from collections.abc import Callable, Iterator
from threading import Lock
from typing import Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from studio.state.visitor import Visitor


class Roomy(Protocol):
    """Something that a visitor keeps, of which a part can be made again."""

    def make_room(self) -> None:
        """Drop that part."""
        ...


Kept = TypeVar("Kept", bound=Roomy)


class Recent(Generic[Kept]):
    """What a part of the page keeps for each visitor; whoever has not come for longest loses what can be made again.

    Args:
        make: For a visitor who comes first.
        most: Visitors who keep all.
    """

    def __init__(self, make: Callable[[], Kept], most: int) -> None:
        self._make, self._most = make, most
        self._order: WeakKeyDictionary[Visitor, Kept] = WeakKeyDictionary()
        self._lock = Lock()

    def of(self, visitor: Visitor) -> Kept:
        """What is kept for a visitor, who is now the last that came."""
        with self._lock:
            kept = self._order.pop(visitor, None) or visitor.own(self, self._make)
            self._order[visitor] = kept
            earlier = list(self._order.values())[: -self._most]
        if earlier:
            earlier[-1].make_room()
        return kept

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Kept]:
        return iter(list(self._order.values()))
