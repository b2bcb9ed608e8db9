"""How well directions do one thing: accuracy of boundaries, what else moves, and the four methods side by side at equal target change.

Directions are learnt from the labelled bank and judged on faces of another seed, drawn at 256 px, psi 0.7. Changes are in each
attribute's own spread over the bank (engines/metrics/disentanglement.py). The real photo is the bundled portrait of an astronaut.
"""

import statistics
import time
from collections.abc import Sequence
from typing import Any

import torch

from benchmarks.machine import facts
from engines import BankRequest, Direction, FitRequest, InvertRequest, create, load_generator
from engines.contract import finish
from engines.core.images import read_image, to_tensor
from engines.core.weights import assets, load_weights
from engines.data import face_bank
from engines.edit.ganspace import correlations, shipped
from engines.edit.locality import Locality, shipped_local
from engines.edit.sefa import factorise, stacked
from engines.edit.stylespace import localised
from engines.faces import align, find_faces, pick_face
from engines.faces.regions import REGIONS
from engines.generators.base import Generator
from engines.generators.incremental import draw_inversion
from engines.losses.perceptual import Perceptual
from engines.metrics.disentanglement import (
    SideEffects,
    consistency,
    dci,
    dependency,
    dependency_at,
    faces_of,
    identity_curve,
    leakage,
    rescore_directions,
    sweep,
    unedited,
)
from engines.spaces.bank import Bank
from engines.spaces.directions import apply_directions, project_out
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import random_w
from engines.spaces.statistics import statistics as spread_of
from engines.training.tables.ganspace import components

FIVE = ("yaw", "smile", "gender", "age", "eyeglasses")
"""The paper's table, pose to glasses."""

OWN = {"smile": ("mouth_open", "eyes_open"), "mouth_open": ("smile",)}
"""Attributes that belong to another and are not counted as its side effects."""

COMPARED = (
    "smile",
    "mouth_open",
    "eyes_open",
    "age",
    "gender",
    "eyeglasses",
    "hair_darkness",
    "skin_lightness",
    "background_lightness",
    "beard",
)
LEVELS = (0.5, 1.0)
W_STRENGTHS, S_STRENGTHS = (0.5, 1.0, 1.5, 2.0, 3.0), (2.0, 5.0, 10.0, 15.0, 20.0)
DCI_FACES, LOCAL_SEED = 6_000, 930_000
PHOTO_STRENGTHS = (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0)


def measure(quick: bool) -> dict[str, Any]:
    """All of it; quick runs use few faces and mean nothing."""
    machine, generator = facts(), load_generator("ffhq")
    bank, faces = face_bank(generator), 3 if quick else 16
    boundaries = {name: _boundary(generator, bank, name) for name in bank.names}
    directions = [found["direction"] for found in boundaries.values()]
    table = finish(rescore_directions(generator, directions, 2.0, faces)).tables["rescoring"]
    rows = {str(row[0]): [float(value) for value in row[1:-1]] for row in table.rows}
    return {
        "machine": machine,
        "faces": faces,
        "bank": len(bank),
        "interfacegan": {name: _accuracies(found) for name, found in boundaries.items()},
        "interfacegan_z": {name: _accuracies(_boundary(generator, bank, name, space="z")) for name in FIVE},
        "rescoring": {"columns": list(table.columns), "rows": [list(row) for row in table.rows]},
        "own_over_others": {name: round(leakage(row, bank.names.index(name), _excepted(bank, name)), 2) for name, row in rows.items()},
        "conditional": _conditional(generator, bank, boundaries, rows, faces),
        "ganspace": _ganspace(generator, 50_000 if quick else 1_000_000),
        "sefa": _sefa(generator, 2 if quick else 6),
        "dependency": _dependency(generator, bank, boundaries, 2 if quick else 10, COMPARED[:2] if quick else COMPARED),
        "dci": _dci(generator, bank, 600 if quick else DCI_FACES),
        "locality": _locality(generator, 1 if quick else 6),
        "photo": _photo(generator, boundaries, quick),
    }


def _boundary(generator: Generator, bank: Bank, name: str, **settings: Any) -> dict[str, Any]:
    start = time.perf_counter()
    result = create("interfacegan", generator)(FitRequest(bank=bank, attribute=name), **settings)
    return {"direction": result.directions[0], "seconds": time.perf_counter() - start} | dict(result.metrics)


def _accuracies(found: dict[str, Any]) -> dict[str, float]:
    return {key: round(found[key], 4) for key in ("accuracy", "balanced_accuracy")} | {"seconds": round(found["seconds"], 2)}


def _excepted(bank: Bank, name: str) -> list[int]:
    return [bank.names.index(other) for other in OWN.get(name, ())]


def _conditional(
    generator: Generator, bank: Bank, boundaries: dict[str, Any], rows: dict[str, list[float]], faces: int
) -> list[dict[str, Any]]:
    """The largest leaks, each before and after the leaking attribute is kept."""
    leaks = [
        (abs(value) / max(abs(row[bank.names.index(name)]), 1e-6), name, bank.names[index])
        for name, row in rows.items()
        for index, value in enumerate(row)
        if index != bank.names.index(name) and index not in _excepted(bank, name)
    ]
    pairs = [("age", "eyeglasses"), *[(name, other) for _, name, other in sorted(leaks, reverse=True)[:3]]]
    found = []
    for name, other in dict.fromkeys(pairs):
        request = FitRequest(bank=bank, attribute=name, keep=(other,))
        kept = create("interfacegan", generator)(request).directions[0]
        plain = project_out(boundaries[name]["direction"], [boundaries[other]["direction"]])
        own, leak = bank.names.index(name), bank.names.index(other)
        before, after = rows[name], _as_long(generator, kept, boundaries[name]["direction"], faces)
        entry = {"attribute": name, "kept": other, "leak_before": before[leak], "leak_after": after[leak]}
        entry |= {"own_before": before[own], "own_after": after[own], "leak_ratio_cut": _cut(before, after, own, leak)}
        entry["cut_by_boundary_alone"] = _cut(before, _as_long(generator, plain, boundaries[name]["direction"], faces), own, leak)
        found.append({key: round(value, 3) if isinstance(value, float) else value for key, value in entry.items()})
    return found


def _as_long(generator: Generator, kept: Direction, whole: Direction, faces: int) -> list[float]:
    """Re-scoring of a conditional direction by a step of the same length as two sigma of the whole one."""
    row = finish(rescore_directions(generator, [kept], 2.0 * whole.sigma / kept.sigma, faces)).tables["rescoring"].rows[0]
    return [float(value) for value in row[1:-1]]


def _cut(before: list[float], after: list[float], own: int, leak: int) -> float:
    """By which part the leak per own change falls."""
    return 1 - abs(after[leak] / after[own]) / max(abs(before[leak] / before[own]), 1e-9)


def _ganspace(generator: Generator, samples: int) -> dict[str, Any]:
    start = time.perf_counter()
    found = components(generator, samples, 80, seed=0)
    seconds = time.perf_counter() - start
    other = components(generator, samples, 10, seed=1)
    agreement = (found.vectors[:10] * other.vectors).sum(dim=1).abs()
    return {
        "samples": samples,
        "seconds": round(seconds, 1),
        "agreement_of_ten": round(float(agreement.mean()), 4),
        "spreads": [round(value, 3) for value in found.std[:10].tolist()],
        "explained_by_20": round(float(found.std[:20].double().square().sum()) / found.variance, 3),
    }


def _sefa(generator: Generator, faces: int) -> list[dict[str, Any]]:
    """How far the first ten directions of each group move a picture, over ten random ones; steps: two mean sigma of the former."""
    rows = []
    for layers in ("all", "coarse", "middle", "fine"):
        start = time.perf_counter()
        vectors = factorise(stacked(generator, layers))[0][:10]
        seconds = time.perf_counter() - start
        random = torch.nn.functional.normalize(torch.randn(10, generator.width, generator=torch.Generator().manual_seed(2)), dim=1)
        step = 2.0 * statistics.mean(spread_of(generator).sigma(vector) for vector in vectors)
        ours, theirs = (_movement(generator, found, layers, faces, step) for found in (vectors, random))
        row = {"layers": layers, "seconds": round(seconds, 3), "lpips": round(ours, 4), "random": round(theirs, 4)}
        error = float((vectors @ vectors.T - torch.eye(10)).abs().max())
        rows.append(row | {"ratio": round(ours / theirs, 2), "orthonormal_to": error})
    return rows


@torch.no_grad()
def _movement(generator: Generator, vectors: torch.Tensor, layers: str, faces: int, step: float) -> float:
    """Mean LPIPS between faces and what a step along each vector makes of them, at 256 px."""
    distance, found = Perceptual(generator.device), []
    size = generator.nearest_exit(256)
    for seed in range(920_000, 920_000 + faces):
        face = Latent("w", random_w(generator, seed))
        before = draw_inversion(generator, Inversion(face), size)
        for vector in vectors:
            direction = Direction("", "w", vector, generator.slots.groups[layers], step, "")
            found.append(float(distance(before, draw_inversion(generator, apply_directions(face, [(direction, 1.0)], generator), size))))
    return statistics.mean(found)


def _dependency(generator: Generator, bank: Bank, boundaries: dict[str, Any], faces: int, compared: Sequence[str]) -> list[dict[str, Any]]:
    """Attribute Dependency of the three methods for each attribute, at equal change of the target."""
    instrument, codes = SideEffects(generator), faces_of(generator, faces)
    base, pictures = unedited(instrument, codes)
    found = shipped(generator)
    table = correlations(found.vectors, bank)
    ganspace = create("ganspace", generator)(BankRequest(bank=bank)).directions
    rows = []
    for name in compared:
        column = bank.names.index(name)
        best = int(table[:, column].abs().argmax())
        sign = 1.0 if float(table[best, column]) * float(ganspace[best].vector @ found.vectors[best].to(bank.w)) > 0 else -1.0
        channel = create("stylespace", generator)(FitRequest(bank=bank, attribute=name), count=1).directions[0]
        methods = {
            "InterFaceGAN": (boundaries[name]["direction"], W_STRENGTHS),
            "GANSpace": (ganspace[best], tuple(sign * strength for strength in W_STRENGTHS)),
            "StyleSpace": (channel, S_STRENGTHS),
        }
        for method, (direction, strengths) in methods.items():
            moved = sweep(instrument, direction, strengths, codes, pictures)
            curve = dependency(moved, base, column, _excepted(bank, name))
            entry = {"attribute": name, "method": method, "direction": direction.name, "consistency": round(consistency(moved, column), 3)}
            entry |= {f"mean_ad_at_{level:g}": _rounded(dependency_at(curve, level)) for level in LEVELS}
            entry["curve"] = [[round(value, 3) for value in point] for point in curve]
            rows.append(entry)
    return rows


def _rounded(value: float) -> float | None:
    """To three places; nothing where there is no number."""
    return None if value != value else round(value, 3)


def _dci(generator: Generator, bank: Bank, faces: int) -> dict[str, dict[str, float]]:
    w, scores = bank.w[:faces], bank.scores[:faces]
    spaces = {"z": bank.z[:faces], "w": w, "s": torch.cat([generator.styles(part).codes for part in w.split(500)])}
    return {space: {key: round(value, 3) for key, value in dci(codes, scores).items()} for space, codes in spaces.items()}


def _locality(generator: Generator, faces: int) -> list[dict[str, Any]]:
    """Share of the squared change outside their region when channels are turned by ten sigma both ways, on full pictures of faces that they
    were not chosen on: the shipped ones, and the one that gradients alone would choose."""
    instrument = Locality(generator, range(LOCAL_SEED, LOCAL_SEED + faces))
    where, shares = localised(generator), load_weights(f"style_regions_{generator.name}")["shares"]
    rows = []
    for region, measured in shipped_local(generator).items():
        voted = [index for index, name in enumerate(where) if name == region]
        first = max(voted, key=lambda index: float(shares[index, REGIONS.index(region)]), default=None)
        found = [instrument(channel).outside[region] for channel, _ in measured[: 1 if faces == 1 else None]]
        row = {"region": region, "local_channels": len(voted), "shipped": len(measured), "outside": [round(share, 3) for share in found]}
        rows.append(row | {"outside_by_gradients": None if first is None else round(instrument(first).outside[region], 3)})
    return rows


def _photo(generator: Generator, boundaries: dict[str, Any], quick: bool) -> dict[str, Any]:
    """The inverted astronaut, edited: identity distance to her inversion at each strength, and the target's obedience."""
    photo = read_image(assets() / "examples" / "astronaut.jpg")
    target = to_tensor(align(photo, pick_face(find_faces(photo)).alignment, generator.resolution))
    settings = {"steps": 2, "quick_steps": 2} if quick else {}
    inversion = create("image2stylegan", generator)(InvertRequest(image=target), **settings).inversions[0]
    instrument = SideEffects(generator)
    before = draw_inversion(generator, inversion)
    base, found = instrument.scores(before), {}
    for name in ("yaw", "smile", "age"):
        direction = boundaries[name]["direction"]
        moved = sweep(instrument, direction, PHOTO_STRENGTHS, [inversion], [before], generator.resolution)
        identity = [round(distance, 3) for _, distance in identity_curve(moved)]
        change = [round(float(value), 2) for value in moved.changes(base)[:, 0, instrument.names.index(name)]]
        found[name] = {"strengths": list(PHOTO_STRENGTHS), "identity_distance": identity, "change": change}
    return found
