"""What Image2StyleGAN++ is worth: noise after W+ beside W+ alone, holes that are filled, and borders of crossovers.

    python -m benchmarks image2stylegan_pp             # under an hour on two CPU cores; leave the machine alone
    python -m benchmarks image2stylegan_pp --only masks  # holes and crossovers again, reconstruction as it was
    python -m benchmarks image2stylegan_pp --quick     # does it run? its figures mean nothing and go to build/benchmarks

Ten faces, three real and seven generated (seeds no training here has seen, truncation 0.7), kept apart. Reconstruction: as many steps in
all for either way, figures by the protocol, and what the head's turn by two sigma of either inversion shows. Filling: a hole of 128 px of
1024 at an eye or the mouth; the known pixels' error, whether a face is still found, and how far its person is from the true one's.
Crossover: eyes, nose and mouth of one generated face in another; the gradient along the border over its mean in the picture, beside the
plain copy's and the source's own.
"""

import statistics
from collections.abc import Callable, Mapping
from typing import Any

import torch

from benchmarks.inversion import Face
from benchmarks.machine import facts
from benchmarks.portraits import portraits
from engines import FitRequest, InvertRequest, create, load_generator
from engines.comparison import InversionEvaluator
from engines.contract import Engine
from engines.core.images import PROTOCOL_SIDE, area, to_picture
from engines.core.shapes import Image, Mask
from engines.data import face_bank
from engines.faces import find_faces, identity_distance
from engines.faces.parts import part_mask, rectangle_mask
from engines.generators.base import Generator
from engines.invert.optimize import LocalRequest
from engines.metrics.mixing import border_gradient, border_of
from engines.spaces.directions import Edit
from engines.spaces.statistics import random_w

SEEDS = tuple(range(910_001, 910_008))
PAIRS = tuple((920_001 + 2 * pair, 920_002 + 2 * pair) for pair in range(5))
"""Seeds of the face that stays and of the one that comes in."""

HOLES = {"left eye": (0.385, 0.47), "mouth": (0.5, 0.72)}
"""Middles of the holes in an aligned face, from the left and from the top."""

HOLE = 0.125
TURNED, STRENGTH = "yaw", 2.0
PART = "eyes, nose and mouth"
WAYS = {"W+": "image2stylegan", "W+, then noise": "image2stylegan_pp"}
QUICK = {"quick_steps": 1, "steps": 1, "noise_steps": 1}


def measure(quick: bool, only: str | None = None, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Both parts on the bundled generator, or one, the other as it was; quick runs take one step on two faces and mean nothing."""
    if only not in (None, *PARTS):
        raise ValueError(f"There is no part {only!r}; there are: {', '.join(PARTS)}.")
    generator = load_generator("ffhq")
    faces = [*_real(generator), *_generated(generator, SEEDS)]
    faces = [faces[0], faces[-1]] if quick else faces
    kept = {name: part for name, part in (before or {}).items() if name in PARTS and only not in (None, name)}
    return kept | {name: part(generator, faces, quick) for name, part in PARTS.items() if only in (None, name)}


def reconstruction(generator: Generator, faces: list[Face], quick: bool) -> dict[str, Any]:
    """Both ways on all faces."""
    machine, evaluator = facts(), InversionEvaluator(generator)
    learnt = create("interfacegan", generator)(FitRequest(bank=face_bank(generator), attribute=TURNED)).directions[0]
    runs = [row for face in faces for row in redrawn(generator, evaluator, face, (learnt, STRENGTH), QUICK if quick else {})]
    return {"machine": machine, "runs": runs, "medians": medians(runs)}


def masks(generator: Generator, faces: list[Face], quick: bool) -> dict[str, Any]:
    """Holes in all faces, and crossovers."""
    machine, settings, evaluator = facts(), QUICK if quick else {}, InversionEvaluator(generator)
    local = create("image2stylegan_pp_mix", generator)
    filled = [filling(local, evaluator, face, tuple(HOLES)[index % 2], settings) for index, face in enumerate(faces)]
    crossed = [crossover(local, pair, settings) for pair in (PAIRS[:1] if quick else PAIRS)]
    return {"machine": machine, "filling": filled, "crossover": crossed}


PARTS: Mapping[str, Callable[[Generator, list[Face], bool], dict[str, Any]]] = {"reconstruction": reconstruction, "masks": masks}
"""What may be measured alone."""


def _real(generator: Generator) -> list[Face]:
    return [Face(name, "real", photo) for name, photo in portraits(generator).items()]


@torch.no_grad()
def _generated(generator: Generator, seeds: tuple[int, ...]) -> list[Face]:
    return [Face(f"seed {seed}", "generated", generator.synthesize(random_w(generator, seed)).clamp(-1, 1)) for seed in seeds]


def redrawn(generator: Generator, evaluator: InversionEvaluator, face: Face, edit: Edit, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a way: figures of the redrawn face, and of the same with the edit."""
    rows = []
    for way, name in WAYS.items():
        engine = create(name, generator)
        known = {declared.name for declared in engine.knob_set.declared()}
        knobs = engine.knob_set.of({key: value for key, value in settings.items() if key in known})
        result = engine(InvertRequest(image=face.image), **vars(knobs))
        edited = evaluator.edited(result.inversions[0], result.images, face.image, edit)
        steps = sum(getattr(knobs, key) for key in ("quick_steps", "steps", "noise_steps") if key in known)
        row = {"face": face.name, "kind": face.kind, "way": way, "steps": steps}
        figures = evaluator.figures(result.images, face.image) | edited.figures
        rows.append(row | {key: round(float(value), 5) for key, value in figures.items()})
    return rows


def medians(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Median figures by kind and way, and on how many faces noise beats W+ alone in PSNR."""
    found = []
    for kind in dict.fromkeys(row["kind"] for row in runs):
        psnr = {way: {row["face"]: row["psnr"] for row in runs if row["kind"] == kind and row["way"] == way} for way in WAYS}
        alone, with_noise = psnr.values()
        for way in WAYS:
            rows = [row for row in runs if row["kind"] == kind and row["way"] == way]
            names = [name for name in rows[0] if name not in ("face", "kind", "way", "steps")]
            middle = {name: round(statistics.median(row[name] for row in rows), 5) for name in names}
            found.append({"kind": kind, "way": way, "faces": len(rows), "steps": rows[0]["steps"]} | middle)
        found[-1]["better_on"] = sum(with_noise[face] > alone[face] for face in alone)
    return found


def filling(engine: Engine[Any, Any], evaluator: InversionEvaluator, face: Face, where: str, settings: dict[str, Any]) -> dict[str, Any]:
    """A hole that is filled in one face."""
    hole = rectangle_mask(face.image.shape[-1], *HOLES[where], HOLE, HOLE)
    result = engine(LocalRequest(image=face.image * (1 - hole), mask=hole), use="inpaint", **settings)
    embed = evaluator.distortion.identity.embed
    figures = {
        "mse_known": mse_within(result.images, face.image, 1 - hole),
        "mse_hole": mse_within(result.images, face.image, hole),
        "border": result.metrics["border"],
        "border_true": _border(face.image, hole),
        "identity_distance": float(identity_distance(embed(result.images.clamp(-1, 1)), embed(face.image))),
    }
    found = len(find_faces(to_picture(result.images)))
    return {"face": face.name, "kind": face.kind, "hole": where, "found": found} | _rounded(figures)


def crossover(engine: Engine[Any, Any], pair: tuple[int, int], settings: dict[str, Any]) -> dict[str, Any]:
    """A part of one generated face in another."""
    source, other = (face.image for face in _generated(engine.generator, pair))
    mask = part_mask(PART, source, other)
    result = engine(LocalRequest(image=source, other=other, mask=mask), use="crossover", **settings)
    figures = {
        "mse_outside": result.metrics["mse_outside"],
        "mse_inside": mse_within(result.images, other, mask),
        "border": result.metrics["border"],
        "border_pasted": _border(result.stages["asked"], mask),
        "border_source": _border(source, mask),
        "border_other": _border(other, mask),
    }
    return {"source": pair[0], "other": pair[1]} | _rounded(figures)


def mse_within(image: Image, target: Image, mask: Mask) -> float:
    """Mean squared error at 256 px over the cells that lie wholly within a mask."""
    image, target = (area(picture.clamp(-1, 1), PROTOCOL_SIDE) for picture in (image, target))
    inside = (area(mask, PROTOCOL_SIDE) == 1).expand_as(image)
    return float((image - target).square()[inside].mean())


def _border(image: Image, mask: Mask) -> float:
    return border_gradient(area(image.clamp(-1, 1), PROTOCOL_SIDE), border_of(mask))


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 5) for name, value in figures.items()}


def rendered(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = ["| faces | way | steps | PSNR | LPIPS | identity distance | turned: change, identity distance |", "|" + " --- |" * 7]
    for row in results["reconstruction"]["medians"]:
        better = f" (better on {row['better_on']})" if "better_on" in row else ""
        turned = f"{row['change']:+.2f}, {row['identity_after']:.2f}" if "change" in row else f"{row['identity_after']:.2f}"
        figures = f"{row['psnr']:.1f}{better} | {row['lpips']:.3f} | {row['identity_distance']:.2f} | {turned}"
        lines.append(f"| {row['faces']} {row['kind']} | {row['way']} | {row['steps']} | {figures} |")
    holes, crossed = results["masks"]["filling"], results["masks"]["crossover"]
    known = [row["mse_known"] for row in holes]
    found = sum(row["found"] > 0 for row in holes)
    borders = [statistics.median(row[name] for row in crossed) for name in ("border", "border_pasted", "border_source")]
    words = (
        f"Holes of 128 px in {len(holes)} faces: the known pixels' MSE at most 0.005 in {sum(one <= 0.005 for one in known)}, "
        f"{max(known):.4f} in the worst; a face found in {found}. "
        f"Crossover of {len(crossed)} pairs ({PART}): gradient on the border over the picture's {borders[0]:.2f}, "
        f"in the plain copy {borders[1]:.2f}, in the source {borders[2]:.2f} "
        f"(medians; the largest {max(row['border'] for row in crossed):.2f})."
    )
    return "\n".join(["**Image2StyleGAN++** (medians)", "", *lines, "", words])
