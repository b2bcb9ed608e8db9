"""Maps of spaces: what the explorer plots, and which face lies behind a point."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from engines import Direction, ExploreRequest, Inversion, Latent, Result
from engines.contract import Run, Table, finish
from engines.core.errors import StudioError
from engines.data import attributes, thumbnail
from engines.explore.changes import DELTA_SPACES, ChangesRequest, matched
from engines.explore.projections import face_w, face_z
from engines.spaces.statistics import statistics
from studio.media.export import Values, data_url, packed
from studio.services.direction_library import Library
from studio.state.session import Session
from studio.state.visitor import Item, Visitor
from studio.tabs.explore.extra_samples import SEED, Newcomers
from studio.tabs.explore.map_directions import arrows

_EXTREMES, _SHELVED = 0.15, 8


@dataclass(frozen=True)
class Plan:
    """What a map shows: small, and enough to find the face behind any of its points again.

    Attributes:
        space: "w", "w_plus", "s", or a key of `DELTA_SPACES` for a map of changes.
        shown: Faces drawn.
        truncation: Psi of the drawn faces.
        samples: Faces analysed.
        attributes: On a map of changes, the attributes that pairs of faces stand for.
        pairs: How many pairs for each.
        arrows: Keys of directions drawn as arrows.
        fresh: How many measured new faces, beyond those of the bank, lie among the others.
        shelf: Keys of what lay on the visitor's shelf when it was drawn; none are known before, and then what lies there now counts.
    """

    space: str = "w"
    shown: int = 1500
    truncation: float = 0.7
    samples: int = 10_000
    attributes: tuple[str, ...] = ()
    pairs: int = 100
    arrows: tuple[str, ...] = ()
    fresh: int = 0
    shelf: tuple[str, ...] | None = None

    @property
    def of_changes(self) -> bool:
        """Whether points are differences between faces."""
        return self.space in DELTA_SPACES


class Maps:
    """Maps of the session's generator; shared by all visitors, whose own codes come from their states.

    Args:
        session: Whose engines compute.
        library: Where directions and the measured faces come from.
    """

    def __init__(self, session: Session, library: Library) -> None:
        self.session, self.library = session, library
        self.generator = session.generator
        self.newcomers = Newcomers(session.generator, library)
        self._pairs = lru_cache(16)(self._find_pairs)
        self._picture = lru_cache(8192)(self._draw_picture)

    def run(self, plan: Plan, visitor: Visitor, own: Sequence[Inversion] | None = None) -> Run:
        """The engine's run for a plan, with the shelf's codes or others among the faces."""
        codes = self.shelved(visitor) if own is None else tuple(own)
        if plan.of_changes:
            changes = {name: (before, after) for name, before, after in self._own_changes(visitor)}
            request = ChangesRequest(seed=SEED, bank=self.library.bank, attributes=plan.attributes, changes=changes, space=plan.space)
            engine = self.session.engine("changes")
            return engine.run(request, engine.knob_set.of({"pairs": plan.pairs, "extremes": _EXTREMES}))
        settings = {"space": plan.space, "shown": plan.shown, "truncation": plan.truncation, "samples": plan.samples}
        engine = self.session.engine("pca")
        faces = ExploreRequest(seed=SEED, codes=self._fresh(plan), own=codes, bank=self.library.bank)
        return engine.run(faces, engine.knob_set.of(settings))

    @torch.no_grad()
    def _fresh(self, plan: Plan) -> torch.Tensor | None:
        """The w of the new faces among the points."""
        z = [face_z(self.generator, self.library.bank, SEED, number) for number in self.numbers(plan)[plan.shown :]]
        return statistics(self.generator).truncate(self.generator.map(torch.cat(z)), plan.truncation) if z else None

    def numbers(self, plan: Plan) -> list[int]:
        """Which face each point of a map of faces is: the first of the bank, then the measured new ones."""
        known = len(self.library.bank)
        return [*range(plan.shown), *range(max(plan.shown, known), known + plan.fresh)]

    def shelved(self, visitor: Visitor) -> tuple[Inversion, ...]:
        """The visitor's inversions where the generator computes."""
        return tuple(item.inversion.to(self.generator.device) for item in visitor.shelf.values())

    def place(self, plan: Plan, visitor: Visitor, inversions: Sequence[Inversion]) -> list[list[float]]:
        """Coordinates on the map of a plan; on one of changes, of what separates each from the middle one for a path."""
        if not plan.of_changes:
            return _rows(finish(self.run(replace(plan, shown=50, fresh=0), visitor, inversions)).tables["codes"])
        axes = finish(self.run(plan, visitor)).directions
        return [] if not axes else self._placed_changes(plan, axes, [self._codes(inversion) for inversion in inversions])

    def _placed_changes(self, plan: Plan, axes: Sequence[Direction], codes: list[torch.Tensor]) -> list[list[float]]:
        before = codes[0].expand(len(codes), -1, -1)
        change = DELTA_SPACES[plan.space](self.generator, before, torch.cat(codes))
        points = change @ torch.stack([axis.vector for axis in axes[:10]]).T
        return [[float(value) for value in row] for row in points]

    def _codes(self, inversion: Inversion) -> torch.Tensor:
        return self.generator.slots.spread(inversion.latent.codes)

    def _own_changes(self, visitor: Visitor) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
        """What separates each two of the first faces on the shelf."""
        items = list(visitor.shelf.values())[:_SHELVED]
        codes = [self._codes(item.inversion.to(self.generator.device)) for item in items]
        return [
            (f"{items[late].title} minus {items[early].title} ({early + 1}, {late + 1})", codes[early], codes[late])
            for late in range(len(items))
            for early in range(late)
        ]

    def _find_pairs(self, names: tuple[str, ...], pairs: int) -> tuple[tuple[str, int, int], ...]:
        found: list[tuple[str, int, int]] = []
        for name in names:
            low, high = matched(self.library.bank, name, pairs, _EXTREMES, SEED)
            found += [(name, one, other) for one, other in zip(low.tolist(), high.tolist(), strict=True)]
        return tuple(found)

    def faces(self, plan: Plan, visitor: Visitor, name: str) -> list[tuple[str, Inversion]]:
        """The face behind a point by its name, such as "Face 12" or "Shelf 1: me"; before and after for "Change 7".

        Raises:
            StudioError: Nothing of that name lies on the map.
        """
        read = re.fullmatch(r"(Face|Shelf|Change) (\d{1,6})(?::.*)?", (name or "").strip(), re.DOTALL)
        if read is None or (read[1] == "Change" and not plan.of_changes):
            raise StudioError("Choose a point of the map, or write the number of one, such as Face 12.")
        kind, number = read[1], int(read[2]) - 1
        if kind == "Shelf":
            return [self._shelf_face(plan, visitor, number)]
        if kind == "Face":
            return [self._face(plan, number)]
        pairs = self._pairs(plan.attributes, plan.pairs)
        if not 0 <= number < len(pairs):
            return self._shelf_change(plan, visitor, number - len(pairs))
        return [self._face(plan, row) for row in pairs[number][1:]]

    def own_names(self, plan: Plan, visitor: Visitor) -> list[str]:
        """What the points of the visitor's own are called, as far as they still lie on the shelf."""
        items = [visitor.shelf.get(key) for key in _shelf(plan, visitor)]
        return [_own_name(number, item) for number, item in enumerate(items) if item is not None]

    def _shelf_face(self, plan: Plan, visitor: Visitor, number: int) -> tuple[str, Inversion]:
        keys = _shelf(plan, visitor)
        item = visitor.shelf.get(keys[number]) if 0 <= number < len(keys) else None
        if item is None:
            raise StudioError("That picture is no longer on the shelf as the map has it. Draw the map again.")
        return item.title, item.inversion.to(self.generator.device)

    def _face(self, plan: Plan, number: int) -> tuple[str, Inversion]:
        last = max(plan.shown, len(self.library.bank) + plan.fresh)
        if not 0 <= number < last:
            raise StudioError(f"There is no face {number + 1}: this map has {last}.")
        count = max(plan.shown, plan.samples, number + 1)
        w = face_w(self.generator, self.library.bank, SEED, number, count, plan.truncation)
        return f"Face {number + 1}", Inversion(Latent("w", w))

    def z(self, plan: Plan, name: str) -> torch.Tensor | None:
        """The z (1,width) behind "Face 12"; of what lies on the shelf, or is a change, none is known."""
        read = re.fullmatch(r"Face (\d{1,6})", name.strip())
        return face_z(self.generator, self.library.bank, SEED, int(read[1]) - 1) if read else None

    def _shelf_change(self, plan: Plan, visitor: Visitor, number: int) -> list[tuple[str, Inversion]]:
        count = min(len(_shelf(plan, visitor)), _SHELVED)
        pairs = [(early, late) for late in range(count) for early in range(late)]
        if not 0 <= number < len(pairs):
            raise StudioError("There is no such change on this map. Draw it again.")
        return [self._shelf_face(plan, visitor, index) for index in pairs[number]]

    def peek(self, number: int) -> str:
        """A small picture of a face for the pointer; nothing for faces that were not drawn before."""
        known = 0 <= number < len(self.library.bank)
        return self._picture(number) if known else self.newcomers.pictures.get(number, "")

    def _draw_picture(self, number: int) -> str:
        """A small picture of a face of the bank for the pointer, as a data URL."""
        return data_url(thumbnail(self.generator, number))

    def points(self, plan: Plan, result: Result) -> Values:
        """Coordinates of all points, in the order of `numbers`."""
        points = np.array([row[1:] for row in result.tables["points"].rows], dtype=float)
        fresh = 0 if plan.of_changes else len(self.numbers(plan)) - plan.shown
        new = [row[: points.shape[1]] for row in _rows(result.tables["codes"])[:fresh]] if fresh else []
        return np.vstack([points, *new])

    def figure(self, plan: Plan, visitor: Visitor, result: Result) -> dict[str, Any]:
        """All that the page's plot needs to draw any view of the map without asking again."""
        points = self.points(plan, result)
        pairs = result.tables["pairs"].rows if plan.of_changes else ()
        drawn, left_out = arrows(self.library, plan.arrows, plan.space, visitor, result, self.generator)
        return {
            "noun": "Change" if plan.of_changes else "Face",
            "basis": repr((plan.space, plan.attributes, plan.pairs, list(visitor.shelf)) if plan.of_changes else plan.space),
            "count": len(points),
            "kept": len(points) if plan.of_changes else plan.shown,
            "skipped": 0 if plan.of_changes else max(0, len(self.library.bank) - plan.shown),
            "axes": self._axes(plan, points, result),
            "columns": self._columns(plan, len(points)),
            "groups": [self.library.titles.get(str(row[0]), "your shelf") for row in pairs],
            "faces": [[int(row[1]), int(row[2])] for row in pairs],
            "own": [] if plan.of_changes else self._own(plan, visitor, result),
            "arrows": drawn,
            "leftOut": left_out,
        }

    def _axes(self, plan: Plan, points: Values, result: Result) -> list[dict[str, Any]]:
        shares = [float(row[1]) for row in result.tables["variance"].rows[: points.shape[1]]]
        axes = [packed(f"pc_{index + 1}", f"PC {index + 1} ({share:.1%})", points[:, index]) for index, share in enumerate(shares)]
        return [*axes, packed("off_w", "Distance from W", np.zeros(len(points)))] if plan.space == "w_plus" else axes

    def _columns(self, plan: Plan, count: int) -> list[dict[str, Any]]:
        scores = self.scores(plan, count)
        return [
            packed(attribute.name, f"{attribute.title} ({attribute.unit})", scores[:, index])
            for index, attribute in enumerate(attributes(self.generator))
        ]

    def scores(self, plan: Plan, count: int | None = None) -> Values:
        """Attributes of each point, not a number where nothing was measured; of a change, how much it changes them."""
        known = self.library.bank.scores.double().cpu().numpy()
        if not plan.of_changes:
            unknown = np.full(known.shape[1], np.nan)
            new = self.newcomers.scores
            return np.array([known[row] if row < len(known) else new.get(row, unknown) for row in self.numbers(plan)])
        pairs = self._pairs(plan.attributes, plan.pairs)
        scores = np.full((len(pairs) if count is None else count, known.shape[1]), np.nan)
        rows = np.array([pair[1:] for pair in pairs], dtype=int).reshape(-1, 2)[: len(scores)]
        scores[: len(rows)] = known[rows[:, 1]] - known[rows[:, 0]]
        return scores

    def unusual(self, titles: Sequence[str]) -> str:
        """In what a measured face differs most from others, or the second of two from the first."""
        bank = self.library.bank
        numbers = [int(title[5:]) - 1 for title in titles if re.fullmatch(r"Face \d+", title)]
        measured = [self._measured(number) for number in numbers]
        found = [scores for scores in measured if scores is not None]
        if not found or len(found) < len(titles):
            return ""
        before = found[0] if len(found) == 2 else bank.scores.nanmean(dim=0)
        differs = ((found[-1] - before) / bank.deviation()).nan_to_num()
        most = differs.abs().argsort(descending=True)[:3].tolist()
        listed = ", ".join(f"{self.library.titles[bank.names[index]].lower()} {float(differs[index]):+.1f} sigma" for index in most)
        return f"{'Changes most' if len(numbers) == 2 else 'Most unusual'}: {listed}."

    def _measured(self, number: int) -> torch.Tensor | None:
        bank = self.library.bank
        if 0 <= number < len(bank):
            return bank.scores[number]
        new = self.newcomers.scores.get(number)
        return None if new is None else torch.from_numpy(new).to(bank.scores)

    def _own(self, plan: Plan, visitor: Visitor, result: Result) -> list[dict[str, Any]]:
        slots: dict[int, list[list[float]]] = {}
        places = _rows(result.tables["codes"])[len(self.numbers(plan)) - plan.shown :]
        for code, _, _, *place in result.tables["slots"].rows:
            slots.setdefault(int(code), []).append([float(value) for value in place])
        return [
            {"name": _own_name(index, item), "at": at, "slots": slots.get(index, []), "image": data_url(item.thumbnail)}
            for index, (item, at) in enumerate(zip(visitor.shelf.values(), places, strict=False))
        ]


def _shelf(plan: Plan, visitor: Visitor) -> tuple[str, ...]:
    return tuple(visitor.shelf) if plan.shelf is None else plan.shelf


def _own_name(number: int, item: Item) -> str:
    return f"Shelf {number + 1}: {item.title}"


def _rows(table: Table) -> list[list[float]]:
    return [[float(value) for value in row[1:]] for row in table.rows]
