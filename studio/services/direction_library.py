"""Every direction on offer, by key: those that the methods find, found at the first look and shared, and a visitor's own."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from threading import Lock
from typing import cast

from engines import Bank, BankRequest, Direction, FitRequest, Request
from engines.core.errors import StudioError
from engines.data.changes import delta_space
from engines.data.faces import attributes, face_bank
from engines.edit.delta import Delta, learnt_change
from engines.edit.interfacegan import InterFaceGAN, InterFaceGANKnobs
from engines.edit.locality import local_directions, shipped_local
from engines.edit.stylespace import SEVERAL, localised
from engines.faces.attributes import Attribute
from studio.state.edits import USUAL, Reach, reach
from studio.state.session import Session
from studio.state.visitor import Visitor

LAYERS = ("coarse", "middle", "fine", "all")
MINE, REGION, CHANGE = "mine", "region", "delta"
METHODS = {
    "interfacegan": "InterFaceGAN",
    "interfacegan-z": "InterFaceGAN in Z",
    "ganspace": "GANSpace",
    "sefa": "SeFa",
    "stylespace": "StyleSpace",
    REGION: "StyleSpace",
    CHANGE: "Learnt change (Δ)",
    MINE: "mine",
}
"""What the page calls the methods, by the first word of their shelves."""
_BOUNDARIES = {"interfacegan": "w", "interfacegan-z": "z"}
_SEFA_COUNT, _CHANNELS = 6, 5
Keyed = dict[str, Direction]
"""Directions by key, such as "sefa/coarse 1" or "interfacegan/smile": what sliders, undo and links remember."""


class Library:
    """Directions by method and key.

    Args:
        session: Whose engines find them.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._found: dict[str, Keyed] = {}
        self._offsets: dict[str, float] = {}
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)

    @cached_property
    def bank(self) -> Bank:
        """The measured faces that methods learn from."""
        return face_bank(self.session.generator)

    @property
    def shelves(self) -> tuple[str, ...]:
        """Names of what `directions` can list, in the order that a beginner should meet them."""
        channels = tuple(f"stylespace/{name}" for name in self.titles)
        regions = tuple(f"{REGION}/{name}" for name in self.local)
        learnt = (CHANGE,) if Delta.card.needs <= self.session.generator.capabilities else ()
        return ("interfacegan", *learnt, "interfacegan-z", "ganspace", *(f"sefa/{group}" for group in LAYERS), *channels, *regions, MINE)

    @cached_property
    def local(self) -> dict[str, float]:
        """Regions of the face that channels were measured in, each with the share of its most local channel's change outside it."""
        return {region: min(share for _, share in found) for region, found in shipped_local(self.session.generator).items() if found}

    @property
    def named_shelves(self) -> list[tuple[str, str]]:
        """What menus call each shelf, and its name."""
        found = []
        for shelf in self.shelves:
            method, _, part = shelf.partition("/")
            title = METHODS.get(method, method)
            found.append((f"{title}: {self.titles.get(part, part)}" if part else title, shelf))
        return found

    def directions(self, shelf: str, visitor: Visitor) -> Keyed:
        """All directions of a shelf; the methods' own are found at the first call, which may take some seconds.

        Raises:
            StudioError: No such shelf.
        """
        if shelf == MINE:
            return dict(visitor.directions)
        if shelf in _BOUNDARIES:
            return {key: self._boundary(key) for key in self.keys(shelf, visitor)}
        if shelf not in self.shelves:
            raise StudioError(f"There are no directions called {shelf!r}. Choose one of {', '.join(self.shelves)}.")
        with self._locks[shelf]:  # one for each shelf: a slider must not wait while another method searches
            if shelf not in self._found:
                self._found[shelf] = {f"{shelf}/{name}": direction for name, direction in self._find(shelf)}
            return self._found[shelf]

    def keys(self, shelf: str, visitor: Visitor) -> tuple[str, ...]:
        """Keys of a shelf; those of InterFaceGAN are known before anything is fitted.

        Raises:
            StudioError: No such shelf.
        """
        return tuple(f"{shelf}/{name}" for name in self.titles) if shelf in _BOUNDARIES else tuple(self.directions(shelf, visitor))

    def get(self, key: str, visitor: Visitor) -> Direction:
        """One direction.

        Raises:
            StudioError: No such key.
        """
        shelf, _, name = key.rpartition("/")
        if shelf in _BOUNDARIES and name in self.titles:
            return self._boundary(key)
        found = self.directions(shelf, visitor).get(key)
        if found is None:
            raise StudioError(f"There is no direction {key!r} any more. Choose another one.")
        return found

    def title(self, key: str, visitor: Visitor) -> str:
        """What a slider says: the direction's name and its method.

        Raises:
            StudioError: No such key.
        """
        shelf, _, name = key.rpartition("/")
        method = METHODS.get(shelf.partition("/")[0], shelf)
        if shelf.startswith("interfacegan"):  # known before anything is fitted
            return f"{self.titles.get(name, name)} · {method}"
        return f"{self._spoken(shelf, self.get(key, visitor))} · {method}"

    def reach(self, key: str, visitor: Visitor) -> Reach:
        """How far its slider goes.

        Raises:
            StudioError: No such key.
        """
        if key.startswith("interfacegan"):  # known before anything is fitted
            return USUAL
        return reach(self.get(key, visitor))

    def _spoken(self, shelf: str, direction: Direction) -> str:
        """A direction's name in people's words."""
        method, _, part = shelf.partition("/")
        if method == CHANGE:
            return self.titles.get(direction.name, direction.name.replace("_", " ").capitalize())
        if method == "stylespace":
            return f"{self.titles.get(part, part)} · {self._where(direction)}"
        if method == REGION:
            return f"{part.capitalize()} · {self._where(direction).partition(' (')[0]} ({direction.name.partition(': ')[2]})"
        number, _, attribute = direction.name.partition(": ")
        named = self.titles.get(attribute.replace(" ", "_"), attribute)
        return f"{number} · {named[:1].lower()}{named[1:]}" if method == "ganspace" and named else direction.name

    def _where(self, direction: Direction) -> str:
        """Which channels a direction of S moves, and where in the picture they act."""
        moved = direction.vector.nonzero().flatten().tolist()
        layout = self.session.generator.layout("s").items()
        if len(moved) != 1:
            return f"{len(moved)} channels at once"
        layer, start = next((layer, span.start) for layer, span in layout if span.start <= moved[0] < span.stop)
        region = self._regions[moved[0]] if self._regions else ""
        acts = {"": "", SEVERAL: " (acts in several places)"}.get(region, f" (acts in: {region})")
        return f"channel {moved[0] - start} of {layer}{acts}"

    @cached_property
    def _regions(self) -> list[str]:
        return localised(self.session.generator)

    @cached_property
    def factors(self) -> list[str]:
        """What learnt changes are of: measured attributes first."""
        return sorted(delta_space(self.session.generator).factors, key=lambda factor: factor not in self.titles)

    @cached_property
    def titles(self) -> dict[str, str]:
        """What the page calls the measured attributes in brief, by name."""
        return {name: attribute.title.partition(" (")[0] for name, attribute in self.attributes.items()}

    @cached_property
    def attributes(self) -> dict[str, Attribute]:
        """What can be measured on this generator's pictures, by name."""
        return {attribute.name: attribute for attribute in attributes(self.session.generator)}

    def ends(self, key: str) -> str:
        """What a slider leads from and to, where the direction is for a measured attribute; otherwise nothing."""
        attribute = self.attributes.get(own_attribute(key) or "")
        return f"{attribute.low} ↔ {attribute.high}" if attribute else ""

    def offset(self, key: str, visitor: Visitor) -> float:
        """Signed distance of the average face from a direction's boundary in sigma; 0 where the method knows no boundary.

        Raises:
            StudioError: No such key.
        """
        self.get(key, visitor)
        return self._offsets.get(key, 0.0)

    def boundary(self, attribute: str, space: str, visitor: Visitor) -> Direction:
        """The normal that separates an attribute's two ends, in "w" or "z": what a "keep this" box holds fast."""
        return self.get(f"interfacegan{'-z' if space == 'z' else ''}/{attribute}", visitor)

    def add(self, direction: Direction, visitor: Visitor) -> str:
        """Keep a direction among the visitor's own and return its key; the same vector of the same space and layers is kept once."""
        told = f"{direction.space} {direction.slots}".encode()
        key = f"{MINE}/{hashlib.sha256(told + direction.vector.cpu().numpy().tobytes()).hexdigest()[:12]}"
        visitor.directions[key] = direction
        return key

    def gone(self, keys: Iterable[str], visitor: Visitor) -> list[str]:
        """Those of the visitor's own that are there no more."""
        return [key for key in keys if key.startswith(f"{MINE}/") and key not in visitor.directions]

    def _find(self, shelf: str) -> list[tuple[str, Direction]]:
        method, _, rest = shelf.partition("/")
        generator = self.session.generator
        finders: dict[str, Callable[[str], list[tuple[str, Direction]]]] = {
            "ganspace": lambda _: _numbered(self.session.engine("ganspace")(BankRequest(bank=self.bank)).directions),
            "sefa": lambda group: _numbered(self.session.engine("sefa")(Request(), layers=group, count=_SEFA_COUNT).directions),
            "stylespace": self._channels,
            CHANGE: lambda _: [(factor, learnt_change(generator, factor)) for factor in self.factors],
            REGION: lambda region: _numbered(local_directions(generator, region)),
        }
        return finders[method](rest)

    def _boundary(self, key: str) -> Direction:
        """One attribute's normal, fitted alone: a slider does not wait for the others."""
        shelf, _, name = key.rpartition("/")
        with self._locks[shelf]:
            found = self._found.setdefault(shelf, {})
            if key not in found:
                engine = cast(InterFaceGAN, self.session.engine("interfacegan"))
                knobs = InterFaceGANKnobs.of({"space": _BOUNDARIES[shelf]})
                boundary = engine.fit(FitRequest(bank=self.bank, attribute=name), knobs)
                found[key], self._offsets[key] = boundary.direction, boundary.offset
            return found[key]

    def _channels(self, attribute: str) -> list[tuple[str, Direction]]:
        request = FitRequest(bank=self.bank, attribute=attribute)
        return _numbered(self.session.engine("stylespace")(request, count=_CHANNELS).directions)


def own_attribute(key: str) -> str | None:
    """The attribute that a direction is for: what "keep these" cannot hold fast in it."""
    shelf, _, name = key.rpartition("/")
    return name if shelf in (*_BOUNDARIES, CHANGE) else shelf.partition("/")[2] if shelf.startswith("stylespace/") else None


def _numbered(directions: tuple[Direction, ...]) -> list[tuple[str, Direction]]:
    return [(str(index + 1), direction) for index, direction in enumerate(directions)]
