"""Maps of spaces: what the explorer plots, which face lies behind a point, and the same as CSV."""

import base64
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pil

from engines import Direction, ExploreRequest, Inversion, Latent, Result
from engines.contract import Run, Table, finish
from engines.core.errors import StudioError
from engines.data import attributes, thumbnail
from engines.explore.changes import DELTA_SPACES, ChangesRequest, matched
from engines.explore.projections import face_w
from engines.spaces.directions import apply
from engines.spaces.statistics import statistics
from studio.library import Library
from studio.session import Session
from studio.shelf import Desk

SEED = 0
REACH = 3.0
"""Sigma that an arrow reaches from the origin."""

_EXTREMES, _SHELVED = 0.15, 8
_PEEK = 96
_UNKNOWN = 2**16 - 1
Values = NDArray[np.float64]


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
    """

    space: str = "w"
    shown: int = 1500
    truncation: float = 0.7
    samples: int = 10_000
    attributes: tuple[str, ...] = ()
    pairs: int = 100
    arrows: tuple[str, ...] = ()

    @property
    def of_changes(self) -> bool:
        """Whether points are differences between faces."""
        return self.space in DELTA_SPACES


class Maps:
    """Maps of the session's generator; shared by all visitors, whose own codes come from their desks.

    Args:
        session: Whose engines compute.
        library: Where directions and the measured faces come from.
    """

    def __init__(self, session: Session, library: Library) -> None:
        self.session, self.library = session, library
        self.generator = session.generator
        self._pairs = lru_cache(16)(self._find_pairs)
        self.peek = lru_cache(8192)(self._peek)

    def run(self, plan: Plan, desk: Desk, own: Sequence[Inversion] | None = None) -> Run:
        """The engine's run for a plan, with the shelf's codes or others among the faces."""
        codes = self.shelved(desk) if own is None else tuple(own)
        if plan.of_changes:
            changes = {name: (before, after) for name, before, after in self._own_changes(desk)}
            request = ChangesRequest(seed=SEED, bank=self.library.bank, attributes=plan.attributes, changes=changes, space=plan.space)
            engine = self.session.engine("changes")
            return engine.run(request, engine.knob_set.of({"pairs": plan.pairs, "extremes": _EXTREMES}))
        settings = {"space": plan.space, "shown": plan.shown, "truncation": plan.truncation, "samples": plan.samples}
        engine = self.session.engine("pca")
        return engine.run(ExploreRequest(seed=SEED, own=codes, bank=self.library.bank), engine.knob_set.of(settings))

    def shelved(self, desk: Desk) -> tuple[Inversion, ...]:
        """The visitor's inversions where the generator computes."""
        return tuple(item.inversion.to(self.generator.device) for item in desk.shelf.values())

    def place(self, plan: Plan, desk: Desk, inversions: Sequence[Inversion]) -> list[list[float]]:
        """Coordinates on the map of a plan; on one of changes, of what separates each from the middle one for a path."""
        if not plan.of_changes:
            return _rows(finish(self.run(replace(plan, shown=50), desk, inversions)).tables["codes"])
        axes = finish(self.run(plan, desk)).directions
        return [] if not axes else self._placed_changes(plan, axes, [self._codes(inversion) for inversion in inversions])

    def _placed_changes(self, plan: Plan, axes: Sequence[Direction], codes: list[torch.Tensor]) -> list[list[float]]:
        before = codes[0].expand(len(codes), -1, -1)
        change = DELTA_SPACES[plan.space](self.generator, before, torch.cat(codes))
        points = change @ torch.stack([axis.vector for axis in axes[:10]]).T
        return [[float(value) for value in row] for row in points]

    def _codes(self, inversion: Inversion) -> torch.Tensor:
        return self.generator.slots.spread(inversion.latent.codes)

    def _own_changes(self, desk: Desk) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
        """What separates each two of the first faces on the shelf."""
        items = list(desk.shelf.values())[:_SHELVED]
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

    def faces(self, plan: Plan, desk: Desk, name: str) -> list[tuple[str, Inversion]]:
        """The face behind a point by its name, such as "Face 12" or "Shelf 1: me"; before and after for "Change 7".

        Raises:
            StudioError: Nothing of that name lies on the map.
        """
        read = re.fullmatch(r"(Face|Shelf|Change) (\d{1,6})(?::.*)?", (name or "").strip(), re.DOTALL)
        if read is None or (read[1] == "Change" and not plan.of_changes):
            raise StudioError("Choose a point of the map, or write the number of one, such as Face 12.")
        kind, number = read[1], int(read[2]) - 1
        if kind == "Shelf":
            return [self._shelf_face(desk, number)]
        if kind == "Face":
            return [self._face(plan, number)]
        pairs = self._pairs(plan.attributes, plan.pairs)
        if not 0 <= number < len(pairs):
            return self._shelf_change(desk, number - len(pairs))
        return [self._face(plan, row) for row in pairs[number][1:]]

    def _shelf_face(self, desk: Desk, number: int) -> tuple[str, Inversion]:
        items = list(desk.shelf.values())
        if not 0 <= number < len(items):
            raise StudioError("That picture is no longer on the shelf. Draw the map again.")
        return items[number].title, items[number].inversion.to(self.generator.device)

    def _face(self, plan: Plan, number: int) -> tuple[str, Inversion]:
        if not 0 <= number < max(plan.shown, len(self.library.bank)):
            raise StudioError(f"There is no face {number + 1}: this map has {max(plan.shown, len(self.library.bank))}.")
        count = max(plan.shown, plan.samples, number + 1)
        w = face_w(self.generator, self.library.bank, SEED, number, count, plan.truncation)
        return f"Face {number + 1}", Inversion(Latent("w", w))

    def _shelf_change(self, desk: Desk, number: int) -> list[tuple[str, Inversion]]:
        count = min(len(desk.shelf), _SHELVED)
        pairs = [(early, late) for late in range(count) for early in range(late)]
        if not 0 <= number < len(pairs):
            raise StudioError("There is no such change on this map. Draw it again.")
        return [self._shelf_face(desk, index) for index in pairs[number]]

    def _peek(self, number: int) -> str:
        """A small picture of a face of the bank for the pointer, as a data URL; nothing for faces that were not drawn before."""
        if not 0 <= number < len(self.library.bank):
            return ""
        return data_url(thumbnail(self.generator, number))

    def figure(self, plan: Plan, desk: Desk, result: Result) -> dict[str, Any]:
        """All that the page's plot needs to draw any view of the map without asking again."""
        points = np.array([row[1:] for row in result.tables["points"].rows], dtype=float)
        shares = [float(row[1]) for row in result.tables["variance"].rows[: points.shape[1]]]
        axes = [packed(f"pc_{index + 1}", f"PC {index + 1} ({share:.1%})", points[:, index]) for index, share in enumerate(shares)]
        if plan.space == "w_plus":
            axes.append(packed("off_w", "Distance from W", np.zeros(len(points))))
        scores = self.scores(plan, len(points))
        columns = [
            packed(attribute.name, f"{attribute.title} ({attribute.unit})", scores[:, index])
            for index, attribute in enumerate(attributes(self.generator))
        ]
        pairs = result.tables["pairs"].rows if plan.of_changes else ()
        return {
            "noun": "Change" if plan.of_changes else "Face",
            "count": len(points),
            "axes": axes,
            "columns": columns,
            "groups": [self.library.titles.get(str(row[0]), "your shelf") for row in pairs],
            "faces": [[int(row[1]), int(row[2])] for row in pairs],
            "own": [] if plan.of_changes else self._own(desk, result),
            "arrows": self._arrows(plan, desk, result),
        }

    def scores(self, plan: Plan, count: int | None = None) -> Values:
        """Attributes of each point, not a number where nothing was measured; of a change, how much it changes them."""
        known = self.library.bank.scores.double().cpu().numpy()
        if count is None:
            count = len(self._pairs(plan.attributes, plan.pairs)) if plan.of_changes else plan.shown
        scores = np.full((count, known.shape[1]), np.nan)
        if plan.of_changes:
            rows = np.array([pair[1:] for pair in self._pairs(plan.attributes, plan.pairs)], dtype=int).reshape(-1, 2)[:count]
            scores[: len(rows)] = known[rows[:, 1]] - known[rows[:, 0]]
        else:
            scores[: len(known)] = known[:count]
        return scores

    def unusual(self, titles: Sequence[str]) -> str:
        """In what a measured face differs most from others, or the second of two from the first."""
        bank = self.library.bank
        numbers = [int(title[5:]) - 1 for title in titles if re.fullmatch(r"Face \d+", title)]
        if len(numbers) < len(titles) or not all(0 <= number < len(bank) for number in numbers):
            return ""
        before = bank.scores[numbers[0]] if len(numbers) == 2 else bank.scores.nanmean(dim=0)
        differs = ((bank.scores[numbers[-1]] - before) / bank.spread()).nan_to_num()
        most = differs.abs().argsort(descending=True)[:3].tolist()
        listed = ", ".join(f"{self.library.titles[bank.names[index]].lower()} {float(differs[index]):+.1f} sigma" for index in most)
        return f"{'Changes most' if len(numbers) == 2 else 'Most unusual'}: {listed}."

    def _own(self, desk: Desk, result: Result) -> list[dict[str, Any]]:
        slots: dict[int, list[list[float]]] = {}
        for code, _, _, *place in result.tables["slots"].rows:
            slots.setdefault(int(code), []).append([float(value) for value in place])
        return [
            {"name": f"Shelf {index + 1}: {item.title}", "at": at, "slots": slots.get(index, []), "image": data_url(item.thumbnail)}
            for index, (item, at) in enumerate(zip(desk.shelf.values(), _rows(result.tables["codes"]), strict=False))
        ]

    def _arrows(self, plan: Plan, desk: Desk, result: Result) -> list[dict[str, Any]]:
        """Directions from the average face outwards; one of Z has no place of its own, one of S none among differences of W."""
        keys = [
            key
            for key in plan.arrows
            if self.library.get(key, desk).space in (("w", "w_plus") if plan.of_changes else ("w", "w_plus", "s"))
        ]
        mean = Inversion(Latent("w_plus", self.generator.slots.spread(statistics(self.generator).mean)))
        tips = [apply(mean, [(self.library.get(key, desk), REACH)], self.generator) for key in keys]
        if not tips or (plan.of_changes and not result.directions):
            return []
        if plan.of_changes:
            root, *ends = self._placed_changes(plan, result.directions, [self._codes(code) for code in (mean, *tips)])
        else:
            root, *ends = self.place(plan, desk, [mean, *tips])
        return [{"name": self.library.title(key, desk), "from": root, "at": end} for key, end in zip(keys, ends, strict=True)]

    def csv(self, plan: Plan, figure: dict[str, Any], result: Result) -> bytes:
        """Points with their attributes, the visitor's own and the arrows, one a row."""
        points = result.tables["points"]
        names = [attribute.name for attribute in attributes(self.generator)]
        scores = self.scores(plan, len(points.rows))
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(["name", "group", *points.columns[1:], *names])
        groups = figure["groups"] or [""] * len(points.rows)
        for row, group, score in zip(points.rows, groups, scores, strict=True):
            measured = ["" if np.isnan(value) else f"{value:.6g}" for value in score]
            writer.writerow([f"{figure['noun']} {int(row[0]) + 1}", safe(group), *(f"{value:.6g}" for value in row[1:]), *measured])
        width = len(points.columns) - 1
        for group in ("own", "arrows"):
            for item in figure[group]:
                writer.writerow([safe(item["name"]), group, *(f"{value:.6g}" for value in item["at"][:width]), *[""] * len(names)])
        return out.getvalue().encode()


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def packed(key: str, title: str, values: Values) -> dict[str, Any]:
    """A column in sixteen bits a value, as the page unpacks it; the largest number stands for "not measured"."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    steps = np.full(len(values), _UNKNOWN, dtype="<u2")
    steps[np.isfinite(values)] = np.round((known - low) / ((high - low) or 1.0) * (_UNKNOWN - 1))
    return {"key": key, "title": title, "low": low, "high": high, "data": base64.b64encode(steps.tobytes()).decode()}


def data_url(picture: Pil.Image) -> str:
    """A small picture for the page."""
    small = picture.convert("RGB")
    small.thumbnail((_PEEK, _PEEK))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _rows(table: Table) -> list[list[float]]:
    return [[float(value) for value in row[1:]] for row in table.rows]
