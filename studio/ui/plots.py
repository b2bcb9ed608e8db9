"""Drawings: the loss curve, the error map, and the data of the map of faces."""

import csv
import html
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import gradio as gr
import numpy as np
import plotly
from numpy.typing import NDArray
from PIL import Image as Pil
from plotly.colors import sample_colorscale

from engines.contract import Table
from engines.core.shapes import Image
from studio.serving.disk import disk

_PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a67c00", "#56b4e9", "#888888", "#8a5fc9")
"""Okabe and Ito's, which every eye tells apart, where needed shifted to be seen on a white page and on a dark one alike."""
_DASHES = ("none", "7 4", "2 3")
_WIDTH, _HEIGHT = 480, 120
_LEAST, _DECADES = 1e-6, 3
"""The smallest loss that a logarithmic scale shows, and how many powers of ten: a term that begins at 0 must not flatten the others."""


def loss_curve(history: Mapping[str, Sequence[float]]) -> str:
    """Each term of the objective over the steps, on one logarithmic scale, as a figure that follows the page's colours."""
    logs = {name: np.log10(np.maximum(np.asarray(values, dtype=float), _LEAST)) for name, values in history.items() if len(values)}
    steps = max((len(values) for values in logs.values()), default=0)
    if not steps:
        return ""
    most = max(float(line.max()) for line in logs.values())
    logs = {name: np.maximum(line, most - _DECADES) for name, line in logs.items()}
    ticks = _log_ticks(min(float(line.min()) for line in logs.values()), most)
    low, high = ticks[0], ticks[-1]
    lines, legend = [], []
    for index, (name, line) in enumerate(logs.items()):
        colour, dash = _COLOURS[index % len(_COLOURS)], _DASHES[index // len(_COLOURS) % len(_DASHES)]
        points, said = _points(line, low, high), html.escape(name)
        lines.append(f'<polyline stroke="{colour}" stroke-dasharray="{dash}" points="{points}"><title>{said}</title></polyline>')
        legend.append(f'<span><i style="background:{colour}"></i>{said} <b>{history[name][-1]:.4f}</b></span>')
    up = [((tick - low) / (high - low), f"{10**tick:.3g}") for tick in ticks]
    across = [((step - 1) / max(steps - 1, 1), str(step)) for step in _whole_ticks(steps)]
    words = f"Losses over {steps} steps, on a logarithmic scale"
    return (
        f'<figure class="curve" role="img" aria-label="{words}">{_framed("".join(lines), _HEIGHT, up, across)}'
        f"<figcaption><em>Loss (logarithmic) over steps.</em> {''.join(legend)}</figcaption></figure>"
    )


def _points(logs: NDArray[np.float64], low: float, high: float) -> str:
    """From the first step to the last, also for a term that is looked at now and then."""
    x = np.linspace(0, _WIDTH, len(logs))
    y = _HEIGHT * (1 - (logs - low) / (high - low))
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten around all values, thinned to five or so; within a power or two, also twice and five times as much."""
    bottom, top = math.floor(low + 1e-9), math.ceil(high - 1e-9)
    top = max(top, bottom + 1)
    if top - bottom > 2:
        step = -(-(top - bottom) // 5)
        return [float(bottom + step * index) for index in range(-(-(top - bottom) // step) + 1)]
    fine = sorted(power + math.log10(share) for power in range(bottom, top + 1) for share in (1, 2, 5))
    first = max(index for index, tick in enumerate(fine) if tick <= low + 1e-9)
    last = next(index for index, tick in enumerate(fine) if tick >= high - 1e-9 and index > first)
    return fine[first : last + 1]


def _whole_ticks(steps: int) -> list[int]:
    """The first step, the last, and round ones between that leave room for both."""
    size = next(size for size in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000) if steps / size <= 6)
    return sorted({1, steps, *(step for step in range(size, steps, size) if 1 + size / 2 < step < steps - size / 2)})


def _framed(drawn: str, height: int, up: Sequence[tuple[float, str]], across: Sequence[tuple[float, str]]) -> str:
    """A drawing with its scales: places as shares of the axis, from below and from the left, each with what stands there.

    The words stand beside the drawing, which is stretched to the room there is; words in it would be stretched, too.
    """
    grid = "".join(f'<line x1="0" x2="{_WIDTH}" y1="{height * (1 - at):.1f}" y2="{height * (1 - at):.1f}"/>' for at, _ in up)
    left = "".join(f'<span style="bottom:{at:.1%}">{text}</span>' for at, text in up)
    below = "".join(f'<span style="left:{at:.1%}">{text}</span>' for at, text in across)
    return (
        f'<div class="scaled"><div class="up">{left}</div><svg viewBox="0 0 {_WIDTH} {height}" preserveAspectRatio="none">'
        f'<g class="grid">{grid}</g>{drawn}</svg><div class="across">{below}</div></div>'
    )


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
    up = [(0.92 * share, f"{share * top:.1%}") for share in (0.0, 0.5, 1.0)]
    marked = [index for index in range(len(rows)) if index in (0, len(rows) - 1) or (index % 5 == 4 and index < len(rows) - 2)]
    across = [((index + 0.5) / len(rows), f"PC {rows[index][0]}") for index in marked]
    caption = f"The first {len(rows)} of the components explain {float(rows[-1][2]):.0%} of the variance; the tallest bar is {top:.1%}."
    drawn = _framed(bars, 100, up, across)
    return f'<figure class="bars" role="img" aria-label="{caption}">{drawn}<figcaption>{caption}</figcaption></figure>'


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


def plotly_address() -> str:
    """Where a page loads Plotly from; it may be served from then on."""
    path = disk.shown_to_all(_PLOTLY)
    gr.set_static_paths([path])
    return f"/gradio_api/file={path}"
