"""Where each channel of S acts: votes of faces for face regions, assets/models/style_regions_ffhq.safetensors.

    python -m engines.training.tables.style_regions

After Wu et al., "StyleSpace Analysis", arXiv:2011.12799, section 4.1. Their Jacobian of every pixel by every channel is out of reach on
a CPU, so its energy inside a region is estimated: the gradient of a sum of the region's pixels with random signs, squared and averaged
over signs, has the region's summed squared Jacobian as its mean. A face votes, for each channel, for the region with most energy a
cell. About six minutes for 20 faces of seed 11, psi 0.7, 8 signs, on 2 cores.
"""

import argparse
import logging
import time
from pathlib import Path

import torch
from torch import Tensor

from engines import load_generator
from engines.core.images import area
from engines.core.seeds import rng
from engines.core.shapes import Code
from engines.data.faces import codes
from engines.edit.stylespace import SEVERAL, localised_by
from engines.faces.regions import REGIONS, regions
from engines.generators.base import Generator
from engines.training.manifest import add_option, chosen

SEED, GRID, SIGNS, FACES = 11, 64, 8, 20
log = logging.getLogger(__name__)


def energy(generator: Generator, w: Code, signs: int, seed: int) -> tuple[Tensor, Tensor]:
    """Gradient energy of every channel in every region (values,regions) for one face, and the cells of each region (regions,)."""
    layout = generator.layout("s")
    shifts = {f"shift/{layer}": torch.zeros(1, part.stop - part.start, requires_grad=True) for layer, part in layout.items()}
    with torch.enable_grad():
        picture = generator.synthesize(w, features=shifts)
        small = area(picture, GRID)
    masks = regions(picture.detach(), GRID)
    random, found = rng(seed), []
    for mask in masks:
        squares = torch.zeros(max(part.stop for part in layout.values()))
        for _ in range(signs):
            probe = torch.randint(0, 2, small.shape, generator=random) * 2.0 - 1
            gradients = torch.autograd.grad((small * probe * mask).sum(), list(shifts.values()), retain_graph=True)
            squares += torch.cat(gradients, dim=1)[0].square()
        found.append(squares / signs)
    return torch.stack(found, dim=1), masks.sum(dim=(1, 2, 3))


def votes(energies: list[Tensor], cells: list[Tensor]) -> Tensor:
    """Share of the faces showing a region in which a channel's energy a cell is largest there, (values,regions)."""
    won = torch.zeros_like(energies[0])
    shown = torch.zeros(len(REGIONS))
    for energy_of, size in zip(energies, cells, strict=True):
        density = energy_of / size.clamp_min(1) * (size > 0)
        won.scatter_add_(1, density.argmax(dim=1, keepdim=True), torch.ones(len(density), 1))
        shown += size > 0
    return won / shown.clamp_min(1)


def main() -> None:
    """Estimate, vote, pack."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=FACES)
    add_option(parser, "put the result into")
    arguments = parser.parse_args()
    records = chosen(arguments.record, Path("build/training/style_regions_ffhq"))
    generator = load_generator("ffhq")
    start, energies, cells = time.perf_counter(), [], []
    for index, w in enumerate(codes(generator, arguments.faces, SEED)[1].split(1)):
        found, size = energy(generator, w, SIGNS, index)
        energies.append(found)
        cells.append(size)
        log.info("face %d of %d, %.0f s", index + 1, arguments.faces, time.perf_counter() - start)
    shares = torch.stack([found / found.sum(dim=1, keepdim=True).clamp_min(1e-12) for found in energies]).mean(dim=0)
    won = votes(energies, cells)
    local = localised_by(won)
    rows = [{"region": name, "local_channels": local.count(name)} for name in (*REGIONS, SEVERAL)]
    records.log("style_regions_ffhq", rows)
    records.record(
        "style_regions_ffhq",
        {"votes": won, "shares": shares},
        licence="Apache-2.0",
        origin=f"engines/training/tables/style_regions.py, seed {SEED}, {arguments.faces} faces, {SIGNS} signs, cpu",
        metrics={"local_channels": sum(name != SEVERAL for name in local)},
    )


if __name__ == "__main__":
    main()
