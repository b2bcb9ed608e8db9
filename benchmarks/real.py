"""Inversion methods on thirty real portraits that nothing was trained or chosen on, beside the figures that papers report.

    python -m benchmarks real                                    # the one-pass encoders, a few minutes on two CPU cores
    python -m benchmarks real --only recommended                 # one method of the table again or anew, the others as they were

The portraits are public domain, 512 px, enlarged to the generator's side before they are given to a method; figures are the project's
protocol (`engines.metrics.reconstruction`, 256 px). Papers measure on CelebA-HQ with generators of their own: their rows stand beside
ours, not in competition to a digit. Groups are what the bundled networks read off each photo, which is a guess and no fact about anybody.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.grid import grid, where
from benchmarks.machine import facts
from benchmarks.papers import PUBLISHED
from engines import InvertRequest, create, load_generator
from engines.core.errors import StudioError
from engines.core.images import read_image, to_tensor
from engines.core.shapes import Image
from engines.faces.attributes import ATTRIBUTES, attribute_scorer
from engines.generators.base import Generator
from engines.metrics.reconstruction import Reconstruction
from engines.spaces.statistics import statistics as spread_of

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "golden" / "official"
METHODS = ("psp", "e4e", "restyle", "in_domain", "stylemap_encoder")
AVERAGE, FIGURES = "average", ("lpips", "mse", "identity_distance")
SAME_PERSON = 0.55
MOST_APART = 1.15
"""How much worse than the mean a group may be."""

_SOURCE = "arXiv:2111.15666, Table 2"


def portraits(generator: Generator, folder: Path = FOLDER) -> dict[str, Image]:
    """The portraits by name, (1,3,R,R) at the generator's side.

    Raises:
        StudioError: An installed package, which does not hold them.
    """
    files = sorted(folder.glob("*.jpg"))
    if not files:
        raise StudioError("The thirty portraits are in the source tree alone: run this in a checkout.")
    side = generator.resolution
    enlarged = (F.interpolate(to_tensor(read_image(file)), (side, side), mode="bicubic", align_corners=False) for file in files)
    return {file.stem: image.clamp(-1, 1) for file, image in zip(files, enlarged, strict=True)}


def groups(photos: Mapping[str, Image]) -> dict[str, list[str]]:
    """Names by group: two of sex as a network guesses it, thirds of skin's lightness and of guessed age."""
    scores = torch.cat([attribute_scorer()(photo) for photo in photos.values()])
    columns = {attribute.name: scores[:, place] for place, attribute in enumerate(ATTRIBUTES)}
    names = list(photos)
    found = {
        "women": [name for name, value in zip(names, columns["gender"], strict=True) if value < 0],
        "men": [name for name, value in zip(names, columns["gender"], strict=True) if value >= 0],
    }
    for column, titles in (("skin_lightness", ("darkest third", "middle third", "lightest third")), ("age", ("young", "middle", "old"))):
        order = [names[place] for place in columns[column].argsort()]
        third = len(order) / 3
        found |= {title: order[round(place * third) : round((place + 1) * third)] for place, title in enumerate(titles)}
    return found


def measure(only: str | None = None, before: Mapping[str, Any] | None = None, quick: bool = False) -> dict[str, Any]:
    """Figures of every method on every portrait; of `only` one, the others as they were `before`."""
    generator = load_generator("ffhq")
    photos, protocol = portraits(generator), Reconstruction(generator.device)
    photos = dict(list(photos.items())[:3]) if quick else photos
    found = dict((before or {}).get("methods", {})) if only else {}
    for name in (only,) if only else (AVERAGE, *METHODS):
        draw = _average(generator) if name == AVERAGE else _inverted(name, generator)
        rows = {}
        for title, photo in photos.items():
            start = time.perf_counter()
            image = draw(photo)
            seconds = time.perf_counter() - start
            rows[title] = {key: round(float(value), 5) for key, value in protocol(image, photo).items()} | {"seconds": round(seconds, 3)}
        found[name] = {"machine": facts(), "portraits": rows}
    return {"machine": facts(), "groups": groups(photos), "methods": found}


def _average(generator: Generator) -> Callable[[Image], Image]:
    with torch.no_grad():
        image = generator.synthesize(spread_of(generator).mean)
    return lambda photo: image


def _inverted(name: str, generator: Generator) -> Callable[[Image], Image]:
    engine = create(name, generator)
    return lambda photo: engine(InvertRequest(image=photo)).images[:1]


def rendered(results: dict[str, Any]) -> str:
    """The table of methods beside the papers', the encoder pSp held against each, and pSp by group."""
    methods = results["methods"]
    order = sorted(methods, key=lambda name: _mean(methods[name], "lpips"))
    head = ["method", "LPIPS", "published", "MSE", "published", "identity distance", "published", "same person", "s", "LPIPS less pSp's"]
    count = len(next(iter(methods.values()))["portraits"])
    lines = [
        f"**{count} real portraits** that nothing was trained or chosen on: means with standard errors ({where(results['machine'])}); "
        f"published figures: {_SOURCE}, CelebA-HQ, another generator. Same person: identity distance under {SAME_PERSON}.",
        "",
        grid(head, [_row(name, methods) for name in order]),
    ]
    if "psp" in methods:
        lines += ["", f"pSp by group, as the bundled networks guess them (asked: no group worse than {MOST_APART} times the mean):", ""]
        lines += [_by_group(methods["psp"]["portraits"], results["groups"])]
    return "\n".join(lines)


def _values(method: Mapping[str, Any], figure: str) -> list[float]:
    return [row[figure] for row in method["portraits"].values()]


def _mean(method: Mapping[str, Any], figure: str) -> float:
    return statistics.fmean(_values(method, figure))


def _with_error(values: list[float], form: str = "{:.3f}") -> str:
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{form.format(statistics.fmean(values))} ± {form.format(error)}"


def _row(name: str, methods: Mapping[str, Any]) -> list[str]:
    method, published = methods[name], PUBLISHED[_SOURCE].get(name, {})
    distances = _values(method, "identity_distance")
    similar = published.get("identity_similarity")
    return [
        "the average face" if name == AVERAGE else name,
        _with_error(_values(method, "lpips")),
        f"{published['lpips']:.2f}" if "lpips" in published else "-",
        _with_error(_values(method, "mse")),
        f"{published['mse']:.3f}" if "mse" in published else "-",
        _with_error(distances, "{:.2f}"),
        "-" if similar is None else f"{1 - similar:.2f} of another network",
        f"{sum(distance < SAME_PERSON for distance in distances)} of {len(distances)}",
        f"{statistics.median(_values(method, 'seconds')):.2f}",
        _less(name, methods),
    ]


def _less(name: str, methods: Mapping[str, Any]) -> str:
    """The paired difference to pSp."""
    if name in ("psp", AVERAGE) or "psp" not in methods:
        return "-"
    ours, theirs = methods[name]["portraits"], methods["psp"]["portraits"]
    apart = [row["lpips"] - theirs[title]["lpips"] for title, row in ours.items() if title in theirs]
    return _with_error(apart, "{:+.3f}").replace("± +", "± ")


def _by_group(rows: Mapping[str, Mapping[str, float]], known: Mapping[str, list[str]]) -> str:
    head = ["group", "portraits", *(f"{figure.replace('_', ' ')} (over the mean)" for figure in FIGURES)]
    means = {figure: statistics.fmean(row[figure] for row in rows.values()) for figure in FIGURES}
    cells = []
    for group, names in known.items():
        within = [rows[name] for name in names if name in rows]
        if within:
            found = {figure: statistics.fmean(row[figure] for row in within) for figure in FIGURES}
            cells.append([group, len(within), *(f"{value:.3f} ({value / means[figure]:.2f})" for figure, value in found.items())])
    return grid(head, cells)
