"""Principal components of the bundled generator's W, exact, from 1 000 000 samples: assets/models/ganspace_ffhq.safetensors.

    python -m engines.training.tables.ganspace

About a minute on 2 cores. GANSpace computes the same on the page when `recompute` is ticked.
"""

import argparse
import logging
import resource
import time
from pathlib import Path

import torch

from engines import load_generator
from engines.core.seeds import rng
from engines.edit.ganspace import BATCH, Components, Covariance, GANSpaceKnobs, packed
from engines.generators.base import Generator
from engines.training.manifest import add_option, chosen

log = logging.getLogger(__name__)


@torch.no_grad()
def components(generator: Generator, samples: int, count: int, seed: int) -> Components:
    """The first `count` components of `samples` mapped codes."""
    gathered, random = Covariance(generator.width), rng(seed)
    for start in range(0, samples, BATCH):
        gathered.add(generator.map(torch.randn(min(BATCH, samples - start), generator.width, generator=random)))
    return gathered.components(count)


def main() -> None:
    """Compute, compare with another seed, and pack."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_option(parser, "put the result into")
    records = chosen(parser.parse_args().record, Path("build/training/ganspace_ffhq"))
    generator, knobs = load_generator("ffhq"), GANSpaceKnobs()
    start = time.perf_counter()
    found = components(generator, knobs.samples, knobs.components, seed=0)
    seconds = time.perf_counter() - start
    other = components(generator, knobs.samples, 10, seed=1)
    agreement = float((found.vectors[:10] * other.vectors).sum(dim=1).abs().mean())
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spreads = [round(value, 3) for value in found.std.tolist()]
    log.info("%.0f s, peak %.0f MB, agreement of ten components %.4f, spreads %s", seconds, megabytes, agreement, spreads[:10])
    records.log(
        "ganspace_ffhq", [{"seconds": round(seconds), "peak_megabytes": round(megabytes), "agreement": agreement, "spreads": spreads}]
    )
    records.record(
        "ganspace_ffhq",
        packed(found),
        licence="Apache-2.0",
        origin=f"engines/training/tables/ganspace.py, seed 0, {knobs.samples} samples, {seconds:.0f} s on cpu",
        metrics={"agreement_of_ten_with_seed_1": round(agreement, 5)},
    )


if __name__ == "__main__":
    main()
