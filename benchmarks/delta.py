"""Learnt changes against differences, directions and parabolas, on identities that no one was fitted on.

    python -m engines.training.tables.delta_sequences
    python -m benchmarks.delta

Errors of codes are root mean squares over the root mean square of the changes. Errors of attributes are what is read in the picture of the
edited code against what is read in that of the face's own frame. Intervals are 95 % of a bootstrap: over pairs of faces for codes,
over frames for pictures, over faces for curvature. Pairs share faces and frames share pairs, so the first two are too narrow.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from benchmarks.delta_baselines import Method, Paths, Transfer, plain
from benchmarks.delta_data import about_sequences, interval
from benchmarks.delta_table import rendered
from benchmarks.machine import OUTPUT, facts, write
from engines import load_generator
from engines.data.changes import FRAMES, NEUTRAL, DeltaSpace, delta_space, sequence_faces
from engines.faces.identity import identity_distance
from engines.generators.base import Generator
from engines.training.changes.dataset import Sequences, read_sequences
from engines.training.changes.reading import Reader
from engines.training.changes.sequences import FOLDER, Role
from engines.training.recipes.delta import Delta, DeltaSetting, space_of

DIMS = (2, 4, 8, 16, 32)
SWEEP_STEPS = 300
"""About where the recipe's best checkpoint lies."""

ENDS = (0, 2, 6, 8)
"""Frames that faces are taken to from the neutral one, where pictures are measured."""

STRENGTHS = {-1.0: 2, 0.5: 5, 1.5: 7}
"""Strengths of the change from the neutral frame to the sixth, and the frame that each stands for."""


def methods(space: DeltaSpace, sequences: Sequences) -> dict[str, Method]:
    """Everything that transfers a change."""
    paths, net = Paths(sequences), space.net

    def learnt(transfer: Transfer) -> Tensor:
        return net.decode(transfer.b[0], net.encode(*transfer.a))

    def learnt_mean(transfer: Transfer) -> Tensor:
        table = space.deltas[sequences.factors[transfer.factor].name]
        return net.decode(transfer.b[0], table[transfer.before, transfer.after])

    made = {"delta": learnt, "delta_mean": learnt_mean, "plain": plain}
    return made | {"mean": paths.mean, "direction": paths.direction, "quadratic": paths.quadratic}


def transfers(sequences: Sequences, factor: int, wanted: Role, before: int | None = None) -> dict[tuple[int, int], Transfer]:
    """All changes of a factor between two faces of a role, by the rows of both; those from one frame alone if it is given."""
    places, found = sequences.places(wanted), {}
    values, kept = sequences.values[factor], sequences.kept[factor]
    for a in places:
        for b in places:
            there = kept[a] & kept[b]
            frames = [(i, j) for i in range(FRAMES) for j in range(FRAMES) if i != j and there[i] and there[j] and before in (None, i)]
            if a != b and frames:
                first, last = torch.tensor(frames).T
                found[a, b] = Transfer(
                    factor, first, last, torch.stack([values[a, first], values[a, last]]), torch.stack([values[b, first], values[b, last]])
                )
    return found


@torch.no_grad()
def code_errors(sequences: Sequences, ways: Mapping[str, Method], wanted: Role) -> dict[str, Any]:
    """Relative error of transferred codes by factor and method, and of learnt ones against the best baseline."""
    found = {}
    for place, factor in enumerate(sequences.factors):
        pairs = list(transfers(sequences, place, wanted).values())
        if not pairs:
            continue
        size = np.array([float(pair.wanted.square().sum()) for pair in pairs])
        squares = {name: np.array([float((way(pair) - pair.wanted).square().sum()) for pair in pairs]) for name, way in ways.items()}
        row = {name: {key: round(value**0.5, 4) for key, value in interval(one, size).items()} for name, one in squares.items()}
        found[factor.name] = {"pairs": len(pairs), "methods": row, "winner": min(row, key=lambda name: row[name]["mean"])}
    return found


@torch.no_grad()
def picture_errors(sequences: Sequences, ways: Mapping[str, Method], reader: Reader) -> dict[str, Any]:
    """Error of the measured factor after a transfer, over the mean size of its change, with identity kept, on the faces of the test."""
    faces, found = sequence_faces(reader.generator), {}
    for place, factor in enumerate(sequences.factors):
        errors: dict[str, list[float]] = {name: [] for name in ways}
        moved: dict[str, list[float]] = {name: [] for name in ways}
        sizes = list[float]()
        for b, transfer in _one_for_each(transfers(sequences, place, "test", NEUTRAL)).items():
            rows = _ends(transfer)
            own = sequences.column(place)[b]
            face, neutral = faces[sequences.identities[b]][None], sequences.neutral[b].flatten()
            base = reader.embedded(reader.pictures(face, torch.zeros(1, *sequences.neutral[b].shape)))
            sizes += [float((own[transfer.after[n]] - own[NEUTRAL]).abs()) for n in rows]
            for name, way in ways.items():
                offsets = (transfer.b[0] + way(transfer) - neutral)[rows].unflatten(1, sequences.neutral[b].shape)
                pictures = reader.pictures(face, offsets)
                read = reader.factor(pictures, factor.name).cpu()
                errors[name] += (read - own[transfer.after[rows]]).abs().tolist()
                embedded = reader.embedded(pictures)
                moved[name] += identity_distance(embedded, base.expand_as(embedded)).tolist()
        size = float(np.mean(sizes))
        row = {name: {"error": interval(np.array(errors[name]) / size), "identity": round(float(np.mean(moved[name])), 4)} for name in ways}
        winner = min(row, key=lambda name: row[name]["error"]["mean"])
        found[factor.name] = {"frames": len(sizes), "size": round(size, 3), "methods": row, "winner": winner}
    return found


def _one_for_each(pairs: Mapping[tuple[int, int], Transfer]) -> dict[int, Transfer]:
    """For each face the transfer from another one that has most of the frames at `ENDS`; those without any are left out."""
    found = dict[int, Transfer]()
    for (_, b), transfer in pairs.items():
        if _ends(transfer) and (b not in found or len(_ends(transfer)) > len(_ends(found[b]))):
            found[b] = transfer
    return found


def _ends(transfer: Transfer) -> list[int]:
    return [row for row, frame in enumerate(transfer.after.tolist()) if frame in ENDS]


@torch.no_grad()
def extrapolation(sequences: Sequences, space: DeltaSpace, wanted: Role) -> dict[str, Any]:
    """The change from the neutral frame to the sixth at other strengths, against the frames that these stand for; and there and back."""
    net, found = space.net, {}
    for place, factor in enumerate(sequences.factors):
        row: dict[str, Any] = {}
        for strength, frame in STRENGTHS.items():
            made, differences, wants = [], [], []
            for (a, b), _ in transfers(sequences, place, wanted, NEUTRAL).items():
                kept, values = sequences.kept[place], sequences.values[place]
                if kept[a, 6] and kept[b, frame]:
                    start = values[b, NEUTRAL][None]
                    made.append(net.decode(start, strength * net.encode(values[a, NEUTRAL][None], values[a, 6][None])))
                    differences.append(strength * (values[a, 6] - values[a, NEUTRAL])[None])
                    wants.append((values[b, frame] - values[b, NEUTRAL])[None])
            if wants:
                goal = torch.cat(wants)
                row[f"{strength:g}"] = {
                    name: round(float(((torch.cat(one) - goal).square().sum() / goal.square().sum()).sqrt()), 4)
                    for name, one in (("delta", made), ("plain", differences))
                }
        back = []
        for transfer in transfers(sequences, place, wanted).values():
            delta = net.encode(*transfer.a)
            there = net.decode(transfer.b[0], delta)
            left = there + net.decode(transfer.b[0] + there, -delta)
            back += (left.norm(dim=1) / there.norm(dim=1).clamp_min(1e-6)).tolist()
        row["there_and_back"] = round(float(np.mean(back)), 4) if back else None
        found[factor.name] = row
    return found


@torch.no_grad()
def separation(sequences: Sequences, space: DeltaSpace) -> dict[str, Any]:
    """How well a linear classifier tells the factor, and a linear regression the steps, of changes of unseen identities."""
    found = {}
    for name in ("delta", "plain"):
        (train, factors, steps), (test, wanted, asked) = (_changes(sequences, space, role, name == "delta") for role in ("train", "test"))
        machine = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(train, factors)
        ranks = []
        for factor in np.unique(wanted):
            line = make_pipeline(StandardScaler(), Ridge(1.0)).fit(train[factors == factor], steps[factors == factor])
            ranks.append(float(spearmanr(line.predict(test[wanted == factor]), asked[wanted == factor]).statistic))
        found[name] = {
            "accuracy": round(float(machine.score(test, wanted)), 4),
            "spearman": {sequences.factors[int(n)].name: round(rank, 4) for n, rank in zip(np.unique(wanted), ranks, strict=True)},
            "spearman_mean": round(float(np.mean(ranks)), 4),
            "changes": len(test),
        }
    return found


def _changes(sequences: Sequences, space: DeltaSpace, wanted: Role, learnt: bool) -> Any:
    """Changes from earlier to later frames, with their factor and steps."""
    points, factors, steps = [], [], []
    for place in range(len(sequences.factors)):
        for row in sequences.places(wanted):
            kept = sequences.kept[place, row].nonzero().flatten().tolist()
            pairs = [(i, j) for i in kept for j in kept if i < j]
            if pairs:
                first, last = torch.tensor(pairs).T
                values = sequences.values[place, row]
                change = space.net.encode(values[first], values[last]) if learnt else values[last] - values[first]
                points.append(change)
                factors += [place] * len(pairs)
                steps += (last - first).tolist()
    return torch.cat(points).numpy(), np.array(factors), np.array(steps)


def trained(generator: Generator, sequences: Sequences, dims: int, steps: int, factors: tuple[int, ...] | None = None) -> tuple[Any, float]:
    """A network of another size, or of some factors only, and the seconds of its training."""
    recipe = Delta()
    preset = recipe.presets["cpu"]
    with tempfile.TemporaryDirectory() as folder:
        setting = DeltaSetting(
            generator=generator,
            sequences=sequences,
            dims=dims,
            factors=factors,
            folder=Path(folder),
            preset=replace(preset, plan=replace(preset.plan, steps=steps)),
        )
        trainer, start = recipe.trainer(setting), time.perf_counter()
        for _ in trainer.steps():
            pass
        return space_of(trainer, sequences), time.perf_counter() - start


def sweep(generator: Generator, sequences: Sequences, steps: int) -> list[dict[str, Any]]:
    """Transfer errors on validation and test by dimension; and of one network a factor, at eight."""
    rows = []
    for dims in DIMS:
        space, seconds = trained(generator, sequences, dims, steps)
        rows.append({"dims": dims, "networks": 1, "seconds": round(seconds, 1)} | _errors(sequences, space))
    row: dict[str, Any] = {"dims": 8, "networks": len(sequences.factors), "seconds": 0.0, "validate": [], "test": []}
    for place, factor in enumerate(sequences.factors):
        space, seconds = trained(generator, sequences, 8, steps, (place,))
        row["seconds"] = round(row["seconds"] + seconds, 1)
        for role in ("validate", "test"):
            errors = code_errors(sequences, {"delta": methods(space, sequences)["delta"]}, role)  # type: ignore[arg-type]
            row[role].append(errors[factor.name]["methods"]["delta"]["mean"])
    return [*rows, row | {role: round(float(np.mean(row[role])), 4) for role in ("validate", "test")}]


def _errors(sequences: Sequences, space: DeltaSpace) -> dict[str, float]:
    found = {}
    roles: tuple[Role, ...] = ("validate", "test")
    for role in roles:
        rows = code_errors(sequences, {"delta": methods(space, sequences)["delta"]}, role).values()
        found[role] = round(float(np.mean([row["methods"]["delta"]["mean"] for row in rows])), 4)
    return found


def parts(folder: Path, steps: int) -> dict[str, Callable[[], Any]]:
    """What is measured, by name."""
    generator = load_generator("ffhq")
    sequences, space = read_sequences(generator, folder), delta_space(generator)
    ways, roles = methods(space, sequences), get_args(Role)
    return {
        "identities": lambda: {role: len(sequences.places(role)) for role in roles},
        "dims": lambda: space.dims,
        "sequences": lambda: about_sequences(sequences),
        "codes": lambda: code_errors(sequences, ways, "test"),
        "separation": lambda: separation(sequences, space),
        "extrapolation": lambda: extrapolation(sequences, space, "test"),
        "sweep": lambda: sweep(generator, sequences, steps),
        "pictures": lambda: picture_errors(sequences, ways, Reader(generator)),
    }


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.delta", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequences", type=Path, default=FOLDER)
    parser.add_argument("--steps", type=int, default=SWEEP_STEPS, help="of each network of the sweep")
    parser.add_argument("--only", nargs="*", help="measure these parts anew, and keep the others as they were")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    every, path = parts(arguments.sequences, arguments.steps), arguments.output / "delta.json"
    results = json.loads(path.read_text(encoding="utf-8")) if arguments.only and path.is_file() else {}
    results = {"machine": facts()} | results
    for name in arguments.only or every:
        results[name] = every[name]()
        write("delta", results, arguments.output)
    if not every.keys() - results.keys():
        print(rendered(results))


if __name__ == "__main__":
    main()
