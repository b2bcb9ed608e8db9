"""Drawings: the loss curve, the error map, and the data of the map of faces."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

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


def map_of_faces(points: Table, codes: Table, titles: Sequence[str], variance: Table, dimensions: int) -> dict[str, Any]:
    """What the page's plot needs: coordinates to three digits, the visitor's own codes, the axes' names."""
    share = [row[1] for row in variance.rows[:3]]
    return {
        "points": [[round(float(value), 3) for value in row[1:]] for row in points.rows],
        "own": [[round(float(value), 3) for value in row[1:]] for row in codes.rows],
        "titles": [html.escape(title) for title in titles],
        "axes": [f"PC {index + 1} ({float(part):.1%})" for index, part in enumerate(share)],
        "dimensions": dimensions,
    }


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
    caption = f"The first {len(rows)} of the components explain {float(rows[-1][2]):.0%} of W's variance; the tallest bar is {top:.1%}."
    return (
        f'<figure class="bars" role="img" aria-label="{caption}"><svg viewBox="0 0 {_WIDTH} 100" preserveAspectRatio="none">{bars}</svg>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
