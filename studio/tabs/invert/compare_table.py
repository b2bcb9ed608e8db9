"""The table of a comparison, the points of its plot and its strip of edited pictures."""

import base64
import html
import io
from collections.abc import Mapping
from typing import Any

from PIL import Image as Pil

from studio.state.comparison import Comparison, Row, opened
from studio.tabs.invert.result import METRICS

COLUMNS: Mapping[str, tuple[str, str, str]] = {
    **{name: METRICS[name] for name in ("lpips", "mse", "psnr", "ms_ssim", "identity_distance")},
    "identity_after": ("… after the edit", "{:.2f}", "identity distance from the photo to the edited picture"),
    "consistency": ("LEC", "{:.1f}", "latent editing consistency, in standard deviations of W; lower is better"),
    "seconds": ("Seconds", "{:.1f}", "time that the method took"),
}
"""Columns of numbers: title, form, reading."""

_HIGHER = ("psnr", "ms_ssim")
_SMALL = 112
READING = (
    "<p class='reading'>The best of each column is set in colour. {consistency} Values: how many numbers the inversion consists of. "
    "All methods run at their defaults, on the full picture averaged to 256 px; the times are this machine's.</p>"
)
_READ = (
    "Latent editing consistency (LEC): {name} re-encodes each picture before and after the edit, and what the two codes differ by, beside "
    "the edit itself, is counted."
)
_UNREAD = "No encoder is here that could re-encode the edited pictures, so LEC is left out and identity alone is shown."


def table_html(comparison: Comparison, reader: str | None) -> str:
    """The comparison as a table; every text is escaped.

    Args:
        comparison: What is shown.
        reader: Title of the encoder that read the edited pictures, if there is one.
    """
    if not comparison.rows:
        return ""
    shown = [name for name in COLUMNS if name != "consistency" or reader]
    best = _best(comparison)
    head = "".join(f"<th scope='col' title='{html.escape(COLUMNS[name][2])}'>{COLUMNS[name][0]}</th>" for name in shown)
    body = "".join(_line(row, shown, best) for row in comparison.rows.values())
    words = _READ.format(name=html.escape(reader)) if reader else _UNREAD
    return (
        f"<div class='table' tabindex='0' role='region' aria-label='Methods compared'><table><thead><tr><th></th>{head}"
        f"<th scope='col' class='space'>Space</th><th scope='col'>Values</th><th></th></tr></thead><tbody>{body}</tbody></table></div>"
        + READING.format(consistency=words)
    )


def _line(row: Row, shown: list[str], best: Mapping[str, float]) -> str:
    title, figures = html.escape(row.title), {**row.figures, **row.changed}
    cells = "".join(f"<td>{_cell(name, figures.get(name), best)}</td>" for name in shown)
    put = (
        f"<button type='button' data-row='{html.escape(row.name)}' aria-label='Put {title} on the shelf'>To the shelf</button>"
        if row.inversion is not None
        else "<button type='button' disabled title='Its code was too large to be kept'>Not kept</button>"
    )
    return (
        f"<tr><th scope='row'><img src='{_small(row.picture)}' alt='Inversion by {title}'>{title}</th>{cells}"
        f"<td class='space'>{html.escape(row.space)}</td><td>{row.figures['values']:,.0f}</td><td>{put}</td></tr>"
    )


def _cell(name: str, value: float | None, best: Mapping[str, float]) -> str:
    if value is None:
        return "-"
    text = COLUMNS[name][1].format(value)
    return f"<b>{text}</b>" if value == best.get(name) else text


def _best(comparison: Comparison) -> dict[str, float]:
    """The best value of each column, where there is anything to compare."""
    rows = [{**row.figures, **row.changed} for row in comparison.rows.values()]
    found = {name: [row[name] for row in rows if name in row] for name in COLUMNS}
    return {name: (max if name in _HIGHER else min)(values) for name, values in found.items() if len(values) > 1}


def _small(picture: bytes) -> str:
    small, buffer = opened(picture), io.BytesIO()
    small.thumbnail((_SMALL * 2, _SMALL * 2))
    small.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def points(comparison: Comparison, reader: str | None) -> dict[str, Any]:
    """What the plot draws: a point for each method that was edited."""
    names = ("lpips", "mse", "identity_distance", "identity_after", "consistency", "change", "seconds")
    rows = [
        {"title": row.title, **{name: _known({**row.figures, **row.changed}.get(name)) for name in names}}
        for row in comparison.rows.values()
        if row.changed
    ]
    return {"edit": comparison.edit, "reader": reader, "points": rows}


def _known(value: float | None) -> float | None:
    """A number, or nothing where no face was found to measure: JSON has no other word for it."""
    return None if value is None or value != value else value


def strip(comparison: Comparison) -> list[tuple[Pil.Image, str]]:
    """The edited pictures side by side."""
    return [
        (opened(row.edited), f"{row.title} · identity {row.changed['identity_after']:.2f}")
        for row in comparison.rows.values()
        if row.edited is not None
    ]
