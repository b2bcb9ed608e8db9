"""Ablations of the encoders: the network and the one trained without a component, on the same held-out faces.

    studio train psp --steps 300 && studio train psp --steps 300 --without levels     # and so on, see COMPARED
    python -m benchmarks.ablations                       # those whose checkpoints are there
    python -m benchmarks.ablations --only cells          # one part again: the stylemap encoder's

Checkpoints are read from build/training, where `studio train` leaves them; short runs take minutes and differ in nothing but the component.
Faces are the test set's (engines/training/samples.py, TEST). A difference is the mean over faces of ablation less original, with its
standard error: paired, since both see the same faces. Errors and offsets are in standard deviations of W, lower is better.
"""

import argparse
import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.machine import OUTPUT, facts, write
from benchmarks.portraits import portraits
from engines import InvertRequest, load_generator
from engines.core.weights import manifest
from engines.invert.encode.e4e import E4e
from engines.invert.encode.psp import Psp
from engines.invert.encode.restyle import BASES, ReStyle
from engines.invert.encode.stylemap import NETWORKS, StylemapEncoder
from engines.losses.latent import code_errors
from engines.metrics import Reconstruction
from engines.training.catalogue import recipes
from engines.training.command import named, settings
from engines.training.recipes.restyle import STEPS
from engines.training.validation import Encode, HeldOut

TRAINING = Path("build/training")
SAMPLES = TRAINING / "samples"


@dataclass(frozen=True)
class Ablation:
    """Two runs that differ in one component.

    Attributes:
        recipe: Of both.
        component: That is ablated in the second, as `--without` names it.
        title: The component in words.
    """

    recipe: str
    component: str
    title: str


COMPARED = (
    Ablation("psp", "levels", "level-split heads"),
    Ablation("e4e", "progressive", "offsets switched on one by one"),
    Ablation("e4e", "critic", "latent discriminator"),
    Ablation("e4e", "delta", "penalty on offsets"),
    Ablation("e4e", "edits", "re-encoding of edited faces"),
    Ablation("in_domain", "domain", "image losses"),
    Ablation("in_domain", "critic", "image discriminator"),
    Ablation("restyle_psp", "attempt", "seeing one's own attempt"),
)


def measure(faces: int, only: str | None = None, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All parts on that many faces, or one of them beside what is known of the others; none tells times, so machines may differ."""
    machine, kept = facts(), {name: part for name, part in (before or {}).items() if name in PARTS and only not in (None, name)}
    return {"machine": machine} | kept | {name: part(faces) for name, part in PARTS.items() if only in (None, name)}


def ablated(faces: int) -> list[dict[str, Any]]:
    """All ablations whose checkpoints are there."""
    rows = list[dict[str, Any]]()
    for pair in COMPARED:
        both = ((), (pair.component,))
        if all((TRAINING / named(pair.recipe, without) / "checkpoint.pt").is_file() for without in both):
            found = [read(pair.recipe, without, faces) for without in both]
            rows.append({"recipe": pair.recipe, "without": pair.component, "idea": pair.title, "faces": faces} | compared(*found))
    return rows


@torch.no_grad()
def cells(_: int) -> list[dict[str, Any]]:
    """The stylemap encoder by resolution: on held-out composites, as its recipes recorded, and on the real portraits."""
    generator = load_generator("ffhq")
    encoder, measure, known = StylemapEncoder(generator), Reconstruction(generator.device), manifest()
    rows = []
    for side, network in NETWORKS.items():
        found = [measure(encoder(InvertRequest(image=photo), side=side).images, photo) for photo in portraits(generator).values()]
        real = {f"portraits_{name}": statistics.fmean(figures[name] for figures in found) for name in ("mse", "lpips")}
        mixes = {f"mixes_{name}": known[network]["metrics"][name] for name in ("mse", "mse_error", "lpips", "lpips_error")}
        rows.append({"side": int(side), "portraits": len(found)} | {name: round(value, 5) for name, value in (mixes | real).items()})
    return rows


@torch.no_grad()
def refinement(faces: int) -> list[dict[str, Any]]:
    """LPIPS and squared error of one pass and of each of ReStyle's steps over it on full pictures, and the gain of each, face by face."""
    generator = load_generator("ffhq")
    samples = HeldOut(generator, SAMPLES, kind="test", count=faces).samples
    measure, restyle = Reconstruction(generator.device), ReStyle(generator)
    every: dict[str, type[Psp] | type[E4e]] = {"psp": Psp, "e4e": E4e}
    bases = {base: every[base](generator) for base in BASES}
    found: dict[str, dict[str, list[tuple[float, float]]]] = {base: {} for base in bases}
    for row in range(faces):
        target = samples.pictures(torch.tensor([row]))
        for base, encoder in bases.items():
            answers, codes, photo = {"one pass": encoder.encode(target)}, restyle.average(), restyle.residual(base).told(target)
            for step in range(STEPS):
                codes = answers[f"look {step + 1}"] = restyle.corrected(codes, photo, base, step)
            for name, answer in answers.items():
                figures = measure(generator.synthesize(answer), target)
                found[base].setdefault(name, []).append((figures["lpips"], figures["mse"]))
    return [
        row for base, answers in found.items() for row in _refined(base, {name: torch.tensor(values) for name, values in answers.items()})
    ]


def _refined(base: str, answers: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """A row an answer, each held against the one pass and against the answer before it."""
    rows, first = list[dict[str, Any]](), next(iter(answers.values()))
    before = first
    for name, values in answers.items():
        figures = {"lpips": values[:, 0].mean(), "mse": values[:, 1].mean()}
        for over, other in (("base", first), ("last", before)):
            gained = (other - values)[:, 0]
            figures |= {f"won_over_{over}": gained.mean(), f"won_over_{over}_error": gained.std() / len(gained) ** 0.5}
        rows.append({"base": base, "answer": name, "faces": len(values)} | {key: round(float(value), 5) for key, value in figures.items()})
        before = values
    return rows


def read(name: str, without: tuple[str, ...], faces: int) -> dict[str, Tensor]:
    """Figures of every face, by name, of a run's averaged network."""
    recipe = recipes()[name]
    words = [word for component in without for word in ("--without", component)]
    setting, _ = settings(recipe, [*words, "--faces", str(faces)])
    trainer = recipe.trainer(setting)
    return each(recipe.encode(trainer, setting), setting.held_out("test", recipe.held_out))


@torch.no_grad()
def each(encode: Encode, held_out: HeldOut) -> dict[str, Tensor]:
    """Of every face: the codes' error in all slots and by group, and how far slots lie from the first."""
    codes, slots = held_out.predicted(encode), held_out.generator.slots
    errors = code_errors(codes, held_out.codes, held_out.deviation)
    places = {group: [slots.active.index(slot) for slot in slots.groups[group]] for group in ("coarse", "middle", "fine")}
    offsets = ((codes - codes[:, :1]) / held_out.deviation).norm(dim=2).mean(dim=1)
    return {"error": errors.mean(dim=1), "offsets": offsets} | {
        f"error_{group}": errors[:, where].mean(dim=1) for group, where in places.items()
    }


def compared(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> dict[str, Any]:
    """Means of both, and the paired difference with its standard error."""
    found = {}
    for name, values in ours.items():
        difference = theirs[name] - values
        found[name] = {
            "with": round(float(values.mean()), 4),
            "without": round(float(theirs[name].mean()), 4),
            "difference": round(float(difference.mean()), 4),
            "error": round(float(difference.std() / len(difference) ** 0.5), 4),
        }
    return found


def rendered(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    head = "| network | component | error of codes, without - with | in fine slots | offsets between slots |"
    lines = ["**Ablations**: the network without a component on the same held-out faces, in sigma of W", "", head, "|" + " --- |" * 5]
    for row in results["twins"]:
        cells = [f"{row[name]['difference']:+.4f} ± {row[name]['error']:.4f}" for name in ("error", "error_fine", "offsets")]
        lines.append(f"| {row['recipe']} | {row['idea']} | {' | '.join(cells)} |")
    if results.get("looks"):
        lines += ["", "ReStyle step by step, on full pictures of the same faces; what is won is LPIPS, face by face:", ""]
        lines += ["| over | answer | LPIPS | MSE | won over one pass | won over the answer before |", "|" + " --- |" * 6]
    for row in results.get("looks", []):
        gains = (f"{row[f'won_over_{over}']:.4f} ± {row[f'won_over_{over}_error']:.4f}" for over in ("base", "last"))
        lines.append(
            f"| {row['base']} | {row['answer'].replace('look', 'step')} | {row['lpips']:.4f} | {row['mse']:.4f} | {' | '.join(gains)} |"
        )
    if results.get("cells"):
        lines += [
            "",
            "The stylemap encoder by resolution (1 x 1 is a vector for the whole picture):",
            "",
        ]
        lines += ["| resolution | MSE on composites of two faces | LPIPS | MSE on real portraits | LPIPS |", "|" + " --- |" * 5]
    for row in results.get("cells", []):
        mixes = (f"{row[f'mixes_{name}']:.4f} ± {row[f'mixes_{name}_error']:.4f}" for name in ("mse", "lpips"))
        lines.append(f"| {row['side']} x {row['side']} | {' | '.join(mixes)} | {row['portraits_mse']:.4f} | {row['portraits_lpips']:.4f} |")
    return "\n".join(lines)


PARTS = {"twins": ablated, "looks": refinement, "cells": cells}
"""What is measured, by its name in the results."""


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ablations", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=256)
    parser.add_argument("--only", choices=tuple(PARTS), help="one part again, the others as they were")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    known = arguments.output / "ablations.json"
    before = json.loads(known.read_text(encoding="utf-8")) if known.is_file() else None
    results = measure(arguments.faces, arguments.only, before)
    write("ablations", results, arguments.output)
    print(rendered(results))


if __name__ == "__main__":
    main()
