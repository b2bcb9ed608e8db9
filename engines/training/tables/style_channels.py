"""Which single channels of S change each attribute best: assets/models/style_channels_ffhq.safetensors.

    python -m engines.training.tables.style_channels --work build/style_channels

The paper ranks channels and then looks at the best by eye (Wu et al., arXiv:2011.12799, section 4.2). Looking is done here by the
instruments: the 48 best ranked of each attribute are tried on two faces, the ten best of those on six faces at four strengths, and they
are ordered by what else changes where their attribute has moved by half its spread. About twelve minutes on 2 cores; an attribute that
is done is kept in the work folder. Faces are of other seeds than the bank's and the benchmark's.
"""

import argparse
import json
import logging
from pathlib import Path

import numpy as np
import torch

from engines import FitRequest, load_generator
from engines.data import face_bank
from engines.edit.stylespace import StyleSpace, StyleSpaceKnobs, Trial, examples, rank, specificity
from engines.training.manifest import add_option, chosen

RANKED, FINALISTS, KEPT = 48, 10, 6
FIRST, SECOND = (10.0,), (4.0, 8.0, 12.0, 16.0)
FIRST_FACES, SECOND_FACES, SECOND_SEED = 2, 6, 7_000
LEVEL, UNREACHED = 0.5, 10.0
"""Change of the attribute, in its spread, at which finalists are compared, and the cost of never getting there."""

log = logging.getLogger(__name__)
Curve = list[tuple[float, float]]


def cost(curve: Curve) -> float:
    """What else changes where the attribute reaches `LEVEL`; channels that never do come last, the strongest of them first."""
    own = np.maximum.accumulate([0.0, *(change for change, _ in curve)])
    if own[-1] < LEVEL:
        return UNREACHED - float(own[-1])
    return float(np.interp(LEVEL, own, [0.0, *(other for _, other in curve)]))


def best_channels(engine: StyleSpace, request: FitRequest) -> list[dict[str, object]]:
    """The channels of one attribute, best first, with what they changed on the way."""
    channels = rank(engine.generator, request.bank, examples(request, StyleSpaceKnobs().share))
    order = channels.theta.argsort(descending=True)[:RANKED].tolist()
    trial = Trial(engine.generator, request, FIRST_FACES)
    first = {channel: trial(engine.direction(request, channels, channel), FIRST)[0] for channel in order}
    finalists = sorted(first, key=lambda channel: specificity(*first[channel]), reverse=True)[:FINALISTS]
    again = FitRequest(bank=request.bank, attribute=request.attribute, seed=SECOND_SEED)
    trial = Trial(engine.generator, again, SECOND_FACES)
    curves = {channel: trial(engine.direction(request, channels, channel), SECOND) for channel in finalists}
    best = sorted(curves, key=lambda channel: cost(curves[channel]))[:KEPT]
    return [
        {"attribute": request.attribute, "channel": channel, "cost": cost(curves[channel]), "curve": curves[channel]} for channel in best
    ]


def main() -> None:
    """Try, keep, pack."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for attributes that are done")
    add_option(parser, "put the result into")
    arguments = parser.parse_args()
    records = chosen(arguments.record, arguments.work)
    arguments.work.mkdir(parents=True, exist_ok=True)
    generator = load_generator("ffhq")
    bank, engine, rows = face_bank(generator), StyleSpace(generator), []
    for name in bank.names:
        path = arguments.work / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps(best_channels(engine, FitRequest(bank=bank, attribute=name))), encoding="utf-8")
        rows += json.loads(path.read_text(encoding="utf-8"))
        log.info("%s: %s", name, [(row["channel"], round(row["cost"], 3)) for row in rows if row["attribute"] == name])
    tensors = {}
    for name in bank.names:
        own = [row for row in rows if row["attribute"] == name]
        tensors[f"{name}.channels"] = torch.tensor([row["channel"] for row in own])
        tensors[f"{name}.changes"] = torch.tensor([row["curve"][1] for row in own])
    records.log("style_channels_ffhq", rows)
    reached = sum(row["cost"] < UNREACHED - LEVEL for row in rows)
    records.record(
        "style_channels_ffhq",
        tensors,
        licence="Apache-2.0",
        origin="engines/training/tables/style_channels.py, cpu",
        metrics={"channels": len(rows), "reaching_half_a_spread": reached},
    )


if __name__ == "__main__":
    main()
