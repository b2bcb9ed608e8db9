"""Drawings: the loss curve, the error map, and the data of the map of faces."""

import csv
import html
import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image as Pil
from plotly.colors import sample_colorscale

from engines.contract import Table
from engines.core.shapes import Image

_COLOURS = ("#2563eb", "#d97706", "#059669", "#9333ea")
_WIDTH, _HEIGHT = 480, 120


def loss_curve(history: Mapping[str, Sequence[float]]) -> str:
    """Each term of the objective over the steps, on a logarithmic scale of its own, as an SVG that follows the page's colours."""
    lines, legend = [], []
    for colour, (name, values) in zip(_COLOURS * 4, history.items(), strict=False):
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{_points(values)}"/>')
        legend.append(f'<span><i style="background:{colour}"></i>{html.escape(name)} <b>{values[-1]:.4f}</b></span>')
    steps = max((len(values) for values in history.values()), default=0)
    return (
        f'<figure class="curve" role="img" aria-label="Loss over {steps} steps">'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none">'
        f"{''.join(lines)}</svg><figcaption>{''.join(legend)}</figcaption></figure>"
    )


def _points(values: Sequence[float]) -> str:
    logs = np.log10(np.maximum(np.asarray(values, dtype=float), 1e-6))
    low, high = float(logs.min()), float(logs.max())
    x = np.linspace(4, _WIDTH - 4, len(logs)) if len(logs) > 1 else np.array([4.0])
    y = _HEIGHT - 8 - (logs - low) / max(high - low, 1e-6) * (_HEIGHT - 16)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def error_map(image: Image, target: Image) -> Pil.Image:
    """Where the redrawn picture differs: mean absolute error of each pixel, from black (equal) to yellow (half the range or more)."""
    error = (image.clamp(-1, 1) - target.clamp(-1, 1)).abs().mean(dim=1)[0].cpu().numpy()
    index = np.clip(error / 0.5 * 255, 0, 255).astype(np.uint8)
    colours = [
        tuple(int(part) for part in colour[4:-1].split(",")) for colour in sample_colorscale("Inferno", [step / 255 for step in range(256)])
    ]
    return Pil.fromarray(np.asarray(colours, dtype=np.uint8)[index])


def variance_bars(variance: Table) -> str:
    """Explained variance of each component as a small bar chart in SVG."""
    rows = variance.rows
    top = max(float(row[1]) for row in rows)
    width = _WIDTH / len(rows)
    heights = [92 * float(row[1]) / top for row in rows]
    bars = "".join(
        f'<rect x="{index * width + 1:.1f}" y="{100 - height:.1f}" width="{width - 2:.1f}" height="{height:.1f}">'
        f"<title>PC {row[0]}: {float(row[1]):.2%}, together {float(row[2]):.1%}</title></rect>"
        for index, (row, height) in enumerate(zip(rows, heights, strict=True))
    )
    caption = f"The first {len(rows)} of the components explain {float(rows[-1][2]):.0%} of the variance; the tallest bar is {top:.1%}."
    return (
        f'<figure class="bars" role="img" aria-label="{caption}"><svg viewBox="0 0 {_WIDTH} 100" preserveAspectRatio="none">{bars}</svg>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


TABLE_STYLE = """
.table { overflow-x: auto; }
.table table { border: 0 !important; border-collapse: separate; border-spacing: 2px; font-size: 0.85rem; }
.table tr { border: 0; background: none; }
.table th, .table td { padding: 0.3rem 0.6rem; border: 0 !important; border-radius: 4px; text-align: left; white-space: nowrap; }
.table thead th { vertical-align: bottom; opacity: 0.8; }
.heat table { font-variant-numeric: tabular-nums; }
.heat th, .heat td { padding: 0.3rem 0.35rem; }
.heat thead th { max-width: 5.2rem; white-space: normal; font-size: 0.78rem; text-align: right; }
.heat td { text-align: right; }
.heat tbody th { position: sticky; left: 0; min-width: 7rem; max-width: 13rem; white-space: normal; }
.heat tbody th { background: var(--background-fill-secondary); font-weight: 500; }
.reading { margin: 0.5rem 0 0; font-size: 0.85rem; opacity: 0.85; }
"""
"""How the tables of this module look, for the component that shows one."""


def heat_table(table: Table, titles: Mapping[str, str], limit: float, alone: str) -> str:
    """Numbers as a table with colours behind them: blue below zero, orange above, which every eye tells apart; all texts are escaped.

    Args:
        table: Names in the first column, numbers in the others.
        titles: What columns are called on the page, by name.
        limit: Where the colours end.
        alone: A column of another kind, which gets no colour.
    """
    head = "".join(f"<th scope='col'>{html.escape(titles.get(name, name))}</th>" for name in table.columns[1:])
    rows = []
    for name, *values in table.rows:
        cells = [_cell(float(value), limit, column == alone) for column, value in zip(table.columns[1:], values, strict=True)]
        rows.append(f"<tr><th scope='row'>{html.escape(str(name))}</th>{''.join(cells)}</tr>")
    return f"<div class='table heat'><table><thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"


def _cell(value: float, limit: float, plain: bool) -> str:
    if not np.isfinite(value):
        return "<td title='no face was found'>?</td>"
    if plain:
        return f"<td>{value:.2f}</td>"
    share = float(np.clip(value / limit, -1, 1))
    end = np.array((194, 88, 10) if share > 0 else (29, 78, 216))
    red, green, blue = (round(part) for part in 255 + abs(share) * (end - 255))
    ink = "white" if abs(share) > 0.6 else "#0f172a"
    return f"<td style='background:rgb({red},{green},{blue});color:{ink}'>{value:+.2f}</td>"


def csv_bytes(table: Table) -> bytes:
    """A table for spreadsheets; a text that they would take for a formula is quoted."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow(["'" + cell if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@") else cell for cell in row])
    return buffer.getvalue().encode()
