"""Boundaries between the stylemaps of faces that differ in one attribute: assets/models/stylemapgan_boundaries.safetensors.

    python -m engines.training.tables.stylemapgan_boundaries

Kim et al., "Exploiting Spatial Dimensions of Latent in GAN for Real-time Image Editing" (StyleMapGAN), arXiv:2104.14754, appendix: a linear
support vector machine on flattened stylemaps. The small networks' encoders read the small pictures of the bank's faces, which ship beside
their scores: what is lost by their compression moves a stylemap by .2, 1.3 and 3.4 % of faces' variance for 4, 8 and 16 cells. As in
`interfacegan`, the top and the bottom tenth of an attribute are its two sides. Run it again whenever an encoder was trained again.

Figures are of faces that no boundary was fitted to, by network and attribute: `accuracy`, of their extremes; `rise`, by how many sigma
the position along the normal is further, once a face that was pushed by two sigma is drawn and encoded again; `inside`, the share of the
picture's squared change that lies in the pushed cells and those next to them, where a random rectangle is pushed alone. The penalty is
small: a wide margin leaves a normal along which pictures change. With four times as much boundaries separate faces hardly better, but
the decoder hardly draws what they push: for four cells (of an earlier training) smiles rose by .38 sigma, not .82, at .805 and .785. With a
tenth of it, for eight cells, the accuracy for smiles fell from .98 to .88. Left out is the turn of the head: it is classified without
fault, but a push along its normal shades one half of the face instead of turning it. A minute on two cores, mostly of encoding.
"""

import argparse
import logging
import time
from pathlib import Path
from typing import get_args

import torch
import torch.nn.functional as F
from sklearn.svm import SVC
from torch import Tensor

from engines import load_generator
from engines.core.images import area, to_tensor
from engines.core.seeds import rng
from engines.core.shapes import Image
from engines.data.faces import face_bank, thumbnail
from engines.edit.interfacegan import extremes
from engines.generators.base import Generator
from engines.generators.stylemapgan import StyleMapGAN, bundled_stylemapgan
from engines.metrics.stylemaps import rectangles
from engines.mix.boundaries import FILE, Boundary, Pushed, packed
from engines.mix.stylemap import pushed
from engines.mix.stylemapgan import CELLS
from engines.spaces.bank import Bank
from engines.training.manifest import add_option, chosen

FACES, HELD_OUT = 4_000, 0.2
"""How many faces of the bank are read, and which share of them, the last ones, is held out."""

FRACTION, PENALTY, PUSH, PUSHED = 0.1, 0.7, 2.0, 32
"""Share of the faces at each end of an attribute; C of the machine for stylemaps of unit mean square length; sigma of the push that is
evaluated, and of how many faces."""

_AT_ONCE = 32
log = logging.getLogger(__name__)


def part(bank: Bank, rows: slice) -> Bank:
    """Some faces of a bank."""
    return Bank(bank.z[rows], bank.w[rows], bank.truncation, bank.names, bank.scores[rows])


def pictures(generator: Generator, count: int, size: int) -> Image:
    """The bank's first faces in a network's size, (count,3,size,size)."""
    return torch.cat([area(to_tensor(thumbnail(generator, number)), size) for number in range(count)])


@torch.no_grad()
def encoded(model: StyleMapGAN, faces: Image) -> Tensor:
    """Stylemaps (N,C,s,s) of pictures."""
    return torch.cat([model.encode(some) for some in faces.split(_AT_ONCE)])


def fitted(maps: Tensor, bank: Bank, attribute: str) -> tuple[Boundary, float]:
    """A boundary between the extremes of an attribute, and the position along its normal that is no side's.

    Args:
        maps: Stylemaps (N,C,s,s) of the bank's faces.
        bank: Their scores.
        attribute: As the bank calls it.

    Raises:
        SpaceError: Too few faces, or an attribute that the bank does not have.
    """
    yes, no = (side.to(maps.device) for side in extremes(bank, attribute, FRACTION))
    centre = maps.mean(dim=0, keepdim=True)
    known = (maps[yes | no] - centre).flatten(1)
    length = known.square().sum(dim=1).mean().sqrt()
    known = known / length
    machine = SVC(kernel="precomputed", C=PENALTY).fit((known @ known.T).double().cpu().numpy(), yes[yes | no].cpu().numpy())
    normal = torch.from_numpy(machine.dual_coef_[0]).to(known) @ known[torch.from_numpy(machine.support_).long()]
    unit = (normal / normal.norm()).view_as(centre)
    along = position(maps, unit)
    middle = position(centre, unit) - float(machine.intercept_[0]) * length / normal.norm()
    return Boundary(unit, float(along.std())), float(middle)


def position(maps: Tensor, normal: Tensor) -> Tensor:
    """How far stylemaps (N,C,s,s) lie along a normal (1,C,s,s), (N,)."""
    return (maps * normal).flatten(1).sum(dim=1)


def accuracy(maps: Tensor, bank: Bank, attribute: str, boundary: Boundary, middle: float) -> float:
    """Share of the extremes among other faces that lie on their side."""
    yes, no = (side.to(maps.device) for side in extremes(bank, attribute, FRACTION))
    said = position(maps, boundary.normal) > middle
    return float((said == yes)[yes | no].float().mean())


@torch.no_grad()
def pushes(model: StyleMapGAN, maps: Tensor, boundary: Boundary, seed: int = 0) -> dict[str, float]:
    """What a push does to the pictures of faces that no boundary was fitted to.

    Args:
        model: The networks.
        maps: Stylemaps (N,C,s,s).
        boundary: Along whose normal they are pushed.
        seed: Decides the rectangles, a third to two thirds of the map both ways.
    """
    side, distance = model.form.side, PUSH * boundary.sigma
    masks = rectangles(len(maps), side, rng(seed), max(1, side // 3), max(1, 2 * side // 3)).to(maps)
    plain, whole = drawn(model, maps), drawn(model, pushed(maps, boundary.normal, distance))
    rise = position(encoded(model, whole) - encoded(model, plain), boundary.normal).mean() / boundary.sigma
    change = (drawn(model, pushed(maps, boundary.normal, distance, masks)) - plain).square().mean(dim=1, keepdim=True)
    near = F.interpolate(F.max_pool2d(masks, 3, 1, 1), change.shape[-1], mode="nearest")
    inside = (change * near).sum(dim=(1, 2, 3)) / change.sum(dim=(1, 2, 3)).clamp(min=1e-12)
    return {"rise": float(rise), "inside": float(inside.mean()), "near": float(near.mean())}


@torch.no_grad()
def drawn(model: StyleMapGAN, maps: Tensor) -> Image:
    """Their pictures (N,3,size,size) in [-1, 1]."""
    return torch.cat([model.draw(some) for some in maps.split(_AT_ONCE)]).clamp(-1, 1)


def learnt(
    generator: Generator, model: StyleMapGAN, attributes: tuple[str, ...], count: int = FACES
) -> dict[str, tuple[Boundary, dict[str, float]]]:
    """Boundaries of one network by attribute, each with its figures on faces that it was not fitted to.

    Args:
        generator: Whose bank it is.
        model: Encoder and decoder.
        attributes: As the bank calls them.
        count: So many of the bank's faces, if it has them.
    """
    bank = face_bank(generator)
    count = min(count, len(bank))
    known, kept = slice(round(count * (1 - HELD_OUT))), slice(round(count * (1 - HELD_OUT)), count)
    maps = encoded(model, pictures(generator, count, model.form.size).to(model.device))
    found = dict[str, tuple[Boundary, dict[str, float]]]()
    for attribute in attributes:
        boundary, middle = fitted(maps[known], part(bank, known), attribute)
        figures = {"accuracy": accuracy(maps[kept], part(bank, kept), attribute, boundary, middle)}
        found[attribute] = boundary, figures | pushes(model, maps[kept][:PUSHED], boundary)
    return found


def main() -> None:
    """Encode, fit, evaluate, pack."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=FACES, help="how many of the bank's faces are read")
    add_option(parser, "put the result into")
    arguments = parser.parse_args()
    records = chosen(arguments.record, Path("build/training") / FILE)
    count, generator = arguments.faces, load_generator("ffhq")
    start, found, rows, metrics = time.perf_counter(), dict[tuple[str, str], Boundary](), list[dict[str, object]](), dict[str, float]()
    models = {cells: bundled_stylemapgan(f"stylemapgan_{cells}") for cells in CELLS}
    for cells, model in models.items():
        name = f"stylemapgan_{cells}"
        for attribute, (boundary, figures) in learnt(generator, model, get_args(Pushed), count).items():
            found[name, attribute] = boundary
            rows.append({"network": name, "attribute": attribute, "sigma": round(boundary.sigma, 4)} | _short(figures))
            log.info("%.0f s: %s", time.perf_counter() - start, rows[-1])
            metrics |= {f"{figure}_{attribute}_{cells}": value for figure, value in _short(figures).items() if figure != "near"}
    records.log(FILE, rows)
    records.record(
        FILE,
        packed(found),
        licence="MIT",
        origin=f"engines/training/tables/stylemapgan_boundaries.py, {count} faces, C of {PENALTY}, cpu",
        metrics=metrics,
    )


def _short(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in figures.items()}


if __name__ == "__main__":
    main()
