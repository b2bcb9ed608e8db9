"""What a map sends to the page and to a spreadsheet: packed columns, small pictures, safe text."""

import base64
import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

_PEEK = 96
_UNKNOWN = 2**16 - 1
Values = NDArray[np.float64]


def csv_of(names: Sequence[str], figure: dict[str, Any], points: Values, scores: Values, columns: Sequence[str]) -> bytes:
    """Points with their attributes, the visitor's own and the arrows, one a row.

    Args:
        names: Of the points, such as "Face 12".
        figure: As `Maps.figure` made it.
        points: Coordinates, (points,axes).
        scores: Attributes, (points,attributes), not a number where nothing was measured.
        columns: Names of the attributes.
    """
    out = io.StringIO(newline="")
    writer, width = csv.writer(out), points.shape[1]
    writer.writerow(["name", "group", *(f"pc_{index + 1}" for index in range(width)), *columns])
    for name, group, place, score in zip(names, figure["groups"] or [""] * len(names), points, scores, strict=True):
        writer.writerow([name, safe(group), *_plain(place), *_plain(score)])
    for group in ("own", "arrows"):
        for item in figure[group]:
            writer.writerow([safe(item["name"]), group, *_plain(item["at"][:width]), *[""] * len(columns)])
    return out.getvalue().encode()


def _plain(values: Iterable[float]) -> list[str]:
    return ["" if np.isnan(value) else f"{value:.6g}" for value in values]


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


def data_url(picture: Pil.Image, side: int = _PEEK) -> str:
    """A small picture for the page, its longer side at most so many pixels."""
    small = picture.convert("RGB")
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
