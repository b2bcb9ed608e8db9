"""How well a part of one face goes into another: what is kept, what arrives, whether the border shows, and how long it takes.

Pairs of generated faces (seeds no training here has seen, truncation 0.7), each with one ready-made mask in turn: the union of that part in
both pictures. What the page does, styles by pixel with the coarsest features brought along, is compared with styles alone, with features up
to 64 px, with pasted pixels and with one vector mixed for the whole picture, by engines/metrics/mixing.py. Times are medians at full size,
each way beside a plain face in the same loop. StyleMapGAN's own networks take the same pairs and masks, at their 64 px, in each of their
ways of mixing.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from benchmarks.machine import facts
from engines import Inversion, Latent, Part, load_generator
from engines.core.images import area
from engines.core.seeds import normal
from engines.core.weights import is_bundled
from engines.faces.parts import PARTS, parts
from engines.generators.base import Generator
from engines.generators.incremental import draw_inversion
from engines.generators.stylemapgan import StyleMapGAN, bundled_stylemapgan
from engines.metrics.mixing import mixing_figures
from engines.mix.baselines import pasted, vector_mixed
from engines.mix.composite import Composite
from engines.mix.spatial import COARSE
from engines.mix.stylemapgan import EDGE as OWN_EDGE
from engines.mix.stylemapgan import NETWORKS, StyleMapMixKnobs, mixed
from engines.spaces.statistics import random_w

PAIRS, QUICK_PAIRS = 100, 3
FIRST_SEED = 920_000
EDGE = 0.03
REPEATS, QUICK_REPEATS = 25, 2
TIMED = ("mouth", "left half", "background")

Way = Callable[[Generator, Inversion, Part], Tensor]
WAYS: dict[str, Way] = {
    "coarsest features too": lambda generator, source, part: Composite(generator, source, [part], EDGE, still=COARSE).draw(),
    "styles by pixel": lambda generator, source, part: Composite(generator, source, [part], EDGE).draw(),
    "styles and features": lambda generator, source, part: Composite(generator, source, [part], EDGE, still=64).draw(),
    "pasted pixels": lambda generator, source, part: pasted(generator, source, [part], EDGE),
    "one vector": lambda generator, source, part: draw_inversion(generator, vector_mixed(generator, source, [part])),
}
OWN_REACH = 1.5 * OWN_EDGE
"""How far beyond a mask the own networks' soft edge ends."""

OWN_WAYS = {
    "in W+, soft edge": StyleMapMixKnobs(),
    "in W+, whole cells": StyleMapMixKnobs(edge=0.0),
    "in the map": StyleMapMixKnobs(space="w"),
}
"""Ways in which StyleMapGAN's own networks mix: the page's, the authors', and theirs for halves of a picture."""


def measure(quick: bool) -> dict[str, Any]:
    """All ways on all pairs, then the times; quick runs take three pairs and mean nothing."""
    machine = facts()
    generator = load_generator("ffhq")
    count = QUICK_PAIRS if quick else PAIRS
    own = {cells: bundled_stylemapgan(name) for cells, name in NETWORKS.items() if is_bundled(name)}
    rows = [row for number in range(count) for row in _pair(generator, own, number)]
    return {
        "machine": machine,
        "pairs": count,
        "edge": EDGE,
        "parts": {name: _summary([row for row in rows if row["part"] == name]) for name in dict.fromkeys(row["part"] for row in rows)},
        "all": _summary(rows),
        "own": {"edge": OWN_REACH, "ways": _summary(rows, [_own_way(cells, words) for cells in own for words in OWN_WAYS])},
        "seconds": _times(generator, QUICK_REPEATS if quick else REPEATS),
    }


def _face(generator: Generator, seed: int) -> Inversion:
    return Inversion(Latent("w", random_w(generator, seed)))


@torch.no_grad()
def _pair(generator: Generator, own: Mapping[str, StyleMapGAN], number: int) -> list[dict[str, Any]]:
    """One row a way for one pair and its part; ways of StyleMapGAN's own networks by their cells along a side."""
    source, reference = (_face(generator, FIRST_SEED + 2 * number + one) for one in range(2))
    images = [draw_inversion(generator, face) for face in (source, reference)]
    name = PARTS[number % len(PARTS)]
    mask = torch.maximum(*(parts(image)[name] for image in images))
    part = Part(reference, mask)
    made = {way: mixing_figures(draws(generator, source, part), *images, mask, EDGE) for way, draws in WAYS.items()}
    for cells, model in own.items():
        small = [area(image, model.form.size).clamp(-1, 1) for image in images]
        maps = [model.encode(image) for image in small]
        for words, knobs in OWN_WAYS.items():
            picture = model.draw(mixed(model, maps, [part], knobs))
            made[_own_way(cells, words)] = mixing_figures(picture, *small, mask, OWN_REACH)
    return [{"pair": number, "part": name, "way": way} | figures for way, figures in made.items()]


def _own_way(cells: str, words: str) -> str:
    return f"{cells} cells, {words}"


def _summary(rows: list[dict[str, Any]], ways: Iterable[str] = WAYS) -> dict[str, dict[str, float | None]]:
    """Means of each figure by way, over the rows that have it."""
    summary: dict[str, dict[str, float | None]] = {}
    for way in ways:
        own = [row for row in rows if row["way"] == way]
        means = {name: _mean([row[name] for row in own]) for name in ("mse_src", "mse_ref", "seam", "seam_source", "seam_reference")}
        summary[way] = means | {"pairs": len(own)}
    return summary


def _mean(values: list[float]) -> float | None:
    known = [value for value in values if value == value]
    return round(statistics.fmean(known), 5) if known else None


@torch.no_grad()
def _times(generator: Generator, repeats: int) -> dict[str, Any]:
    """Seconds at full size, plain and mixed turn by turn, and the preview's; with two weight changes on one mask."""
    source, reference = _face(generator, FIRST_SEED), _face(generator, FIRST_SEED + 1)
    found = parts(draw_inversion(generator, source))
    tuned = Inversion(
        reference.latent,
        {name: 1e-3 * normal(tuple(value.shape), index) for index, (name, value) in enumerate(generator.tunable().items())},
    )
    preview = generator.nearest_exit(256)
    calls: dict[str, Callable[[], object]] = {"plain": lambda: generator.synthesize(source.latent)}
    for name in TIMED:
        calls[name] = lambda mask=found[name]: Composite(generator, source, [Part(reference, mask)], EDGE, still=COARSE).draw()  # type: ignore[misc]
    calls["two weight changes"] = lambda: Composite(generator, source, [Part(tuned, found["left half"])], EDGE, still=COARSE).draw()
    calls["preview"] = lambda: Composite(generator, source, [Part(reference, found["left half"])], EDGE, still=COARSE).draw(preview)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            if turn:  # the first turn warms up
                times[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {name: {"median": value, "over_plain": value / medians["plain"]} for name, value in medians.items()}
