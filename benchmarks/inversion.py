"""How well each inversion redraws a face, over the seconds it has had.

Faces are fixed: one real photo (the bundled portrait of an astronaut, FFHQ-aligned) and generated ones by seed. Each method runs at
its defaults. At set moments the clock stops, the full picture is drawn from what Stop would have kept, and measured by the protocol of
engines/metrics/reconstruction.py. Real and generated faces are never averaged together. Pivotal tuning is run once more without its
locality term, and what either run does to other faces is measured.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.machine import facts
from engines import InvertRequest, Result, create, load_generator
from engines.comparison import values_of
from engines.contract import Run
from engines.core.images import PROTOCOL_SIDE, area, read_image, to_tensor
from engines.core.weights import assets
from engines.faces import align, find_faces, pick_face
from engines.generators.base import Generator
from engines.metrics import Reconstruction
from engines.spaces.latent import Tuning
from engines.spaces.statistics import random_w
from engines.spaces.statistics import statistics as spread_of

METHODS = ("projector", "image2stylegan", "stylemap_inversion", "pti", "recommended")
SEEDS = (910_001, 910_002, 910_003)
"""Generated faces: seeds that no training here has seen, truncation 0.7."""

BYSTANDERS = tuple(range(930_001, 930_011))
"""Faces that a tuning should leave alone: further seeds, truncation 0.7."""

MOMENTS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0)
QUICK_MOMENTS = (1.0, 3.0)
QUICK = {"steps": 4, "quick_steps": 1, "preview_every": 1}


@dataclass(frozen=True, eq=False)
class Face:
    """One picture to invert."""

    name: str
    kind: str
    image: Tensor


def measure(quick: bool) -> dict[str, Any]:
    """Every method on every face; quick runs take few steps on two faces and mean nothing."""
    machine = facts()
    generator = load_generator("ffhq")
    judge = Reconstruction(generator.device)
    faces = list(_faces(generator, SEEDS[:1] if quick else SEEDS))
    spread_of(generator)  # half a second that is spent once, not by the first run
    curves = []
    for method in METHODS:
        engine = create(method, generator)
        knobs = engine.knob_set.of(QUICK if quick else {})
        for face in faces:
            run = engine.run(InvertRequest(image=face.image), knobs)
            points = list(_watch(run, face, generator, judge, QUICK_MOMENTS if quick else MOMENTS))
            curves.append({"method": method, "title": engine.card.title, "face": face.name, "kind": face.kind, "points": points})
    return {
        "machine": machine,
        "moments": list(QUICK_MOMENTS if quick else MOMENTS),
        "curves": curves,
        "medians": _medians(curves),
        "locality": _locality(generator, faces[0], judge, QUICK if quick else {}),
    }


def _locality(generator: Generator, face: Face, judge: Reconstruction, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Pivotal tuning with its locality term and without: the photo, and the mean squared change of other faces at 256 px."""
    engine, rows = create("pti", generator), []
    for weight in (engine.knob_set().locality_weight, 0.0):  # type: ignore[attr-defined]
        result = engine(InvertRequest(image=face.image), **settings | {"locality_weight": weight})
        tuning = result.inversions[0].tuning
        changes = [_change(generator, random_w(generator, seed), tuning) for seed in BYSTANDERS[: 2 if settings else None]]
        figures = {name: round(value, 5) for name, value in judge(result.images, face.image).items()}
        rows.append({"face": face.name, "locality_weight": weight, "faces": len(changes), "change": statistics.mean(changes)} | figures)
    return rows


@torch.no_grad()
def _change(generator: Generator, w: Tensor, tuning: Tuning) -> float:
    before, after = (area(generator.synthesize(w, tuning=change).clamp(-1, 1), PROTOCOL_SIDE) for change in ({}, tuning))
    return float((after - before).square().mean())


def _faces(generator: Generator, seeds: tuple[int, ...]) -> Iterator[Face]:
    photo = read_image(assets() / "examples" / "astronaut.jpg")
    yield Face("astronaut", "real", to_tensor(align(photo, pick_face(find_faces(photo)).alignment, generator.resolution)))
    for seed in seeds:
        with torch.no_grad():
            yield Face(f"seed {seed}", "generated", generator.synthesize(random_w(generator, seed)).clamp(-1, 1))


def _watch(run: Run, face: Face, generator: Generator, judge: Reconstruction, moments: tuple[float, ...]) -> Iterator[dict[str, Any]]:
    """Figures at each moment that the run lives to see, and at its end; drawing and measuring are off the clock."""
    clock, left = 0.0, list(moments)
    while True:
        start = time.perf_counter()
        try:
            progress = next(run)
        except StopIteration as stop:
            clock += time.perf_counter() - start
            yield {"moment": "end", "seconds": round(clock, 2)} | _figures(stop.value, face, generator, judge)
            return
        clock += time.perf_counter() - start
        if progress.best is not None and left and clock >= left[0]:
            moment = max(second for second in left if second <= clock)
            left = [second for second in left if second > clock]
            yield {"moment": moment, "seconds": round(clock, 2), "step": progress.step} | _figures(progress.best, face, generator, judge)


@torch.no_grad()
def _figures(result: Result, face: Face, generator: Generator, judge: Reconstruction) -> dict[str, Any]:
    inversion = result.inversions[0]
    picture = generator.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features)
    figures = {name: round(value, 5) for name, value in judge(picture, face.image).items()}
    drift = round(spread_of(generator).w_plus_spread(inversion.latent.codes), 3)
    return figures | {"space": inversion.latent.space, "values": values_of(inversion, generator), "drift": drift}


def _medians(curves: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Median figures of each method at each moment, real and generated faces apart."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for curve in curves:
        for point in curve["points"]:
            groups.setdefault((curve["kind"], curve["title"], str(point["moment"])), []).append(point)
    names = ("seconds", "lpips", "mse", "psnr", "ms_ssim", "identity_distance", "drift")
    return [
        {"kind": kind, "method": title, "moment": moment, "faces": len(points)}
        | {name: round(statistics.median(point[name] for point in points), 5) for name in names}
        for (kind, title, moment), points in groups.items()
    ]
