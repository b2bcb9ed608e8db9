"""GANSpace: the directions in which faces differ most, found without a single label.

Paper: Härkönen et al., "GANSpace: Discovering Interpretable GAN Controls", arXiv:2004.02546, section 2.1 and 2.2: principal components v_k
of W; an edit E(v_k, first-last layer) adds multiples of v_k to a range of layers. The covariance of all samples is summed up exactly
instead of by incremental PCA. Names come from the measured faces of a bank: the attribute that a component goes with most.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor

from engines.contract import BankRequest, Card, Engine, Progress, Result, Run, Table
from engines.core.errors import WeightsError
from engines.core.knobs import Knob, Knobs
from engines.core.seeds import rng
from engines.core.shapes import Image
from engines.core.weights import load_weights, manifest
from engines.generators.base import Generator
from engines.generators.incremental import draw_inversion
from engines.spaces.bank import Bank
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w

BATCH = 10_000
NAMED_FROM = 0.25
"""Least correlation with an attribute that gives a component its name."""

_DRAWN, _STRENGTH = 5, 2.0


@dataclass(frozen=True, kw_only=True)
class GANSpaceKnobs(Knobs):
    """How many samples are analysed and which layers are moved."""

    samples: Annotated[int, Knob("Codes that are mapped and analysed.", lo=100, hi=2_000_000, log=True)] = 1_000_000
    components: Annotated[int, Knob("Principal components to keep.", lo=1, hi=512)] = 80
    layers: Annotated[Literal["all", "coarse", "middle", "fine"], Knob("Layers that an edit moves.")] = "all"
    recompute: Annotated[bool, Knob("Compute anew what is shipped for the bundled generator.", advanced=True)] = False


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of W.

    Attributes:
        vectors: Unit rows, (components,width), largest spread first; the largest entry of each is positive.
        std: Standard deviation along each, (components,).
        mean: Mean of W, (width,).
        variance: Sum of all variances, those of components not kept included.
    """

    vectors: Tensor
    std: Tensor
    mean: Tensor
    variance: float


class Covariance:
    """Mean and covariance of codes that come in batches, exact to double precision whatever their number."""

    def __init__(self, width: int) -> None:
        self.count = 0
        self._sum = torch.zeros(width, dtype=torch.float64)
        self._products = torch.zeros(width, width, dtype=torch.float64)

    def add(self, codes: Tensor) -> None:
        """Take in codes (batch,width); products are summed in single precision within a batch, in double between batches."""
        codes = codes.float().cpu()
        self.count += len(codes)
        self._sum += codes.double().sum(dim=0)
        self._products += (codes.T @ codes).double()

    def components(self, count: int) -> Components:
        """The first `count` principal components of all codes so far."""
        mean = self._sum / self.count
        covariance = (self._products - self.count * torch.outer(mean, mean)) / (self.count - 1)
        values, vectors = torch.linalg.eigh(covariance)
        rows = vectors.T.flip(0)[:count]
        signs = rows.gather(1, rows.abs().argmax(dim=1, keepdim=True)).sign()
        std = values.flip(0)[:count].clamp_min(0).sqrt()
        return Components((rows * signs).float(), std.float(), mean.float(), float(values.sum()))


class GANSpace(Engine[BankRequest, GANSpaceKnobs]):
    """Principal components of W as directions (arXiv:2004.02546)."""

    card = Card(
        name="ganspace",
        title="GANSpace (unsupervised)",
        paper="arXiv:2004.02546",
        needs=frozenset({"z", "w_plus"}),
    )
    accepts, knob_set = BankRequest, GANSpaceKnobs

    def run(self, request: BankRequest, knobs: GANSpaceKnobs) -> Run:
        """Map, sum up, factorise, name; then draw the first components at two sigma on the seed's face."""
        count = min(knobs.components, self.generator.width)
        batches = 1 if self._is_shipped(request, knobs) else -(-knobs.samples // BATCH)
        total = batches + min(_DRAWN, count)
        if self._is_shipped(request, knobs):
            found = shipped(self.generator, count)
            yield Progress(1, total)
        else:
            gathered = Covariance(self.generator.width)
            random = rng(request.seed)
            for step in range(1, batches + 1):
                size = min(BATCH, knobs.samples - (step - 1) * BATCH)
                gathered.add(self._mapped(torch.randn(size, self.generator.width, generator=random)))
                yield Progress(step, total)
            found = gathered.components(count)
        directions = self._directions(found, request.bank, knobs)
        tables = {"components": _table(found, directions)}
        pictures: list[Image] = []
        for step, direction in enumerate(directions[:_DRAWN], start=batches + 1):
            pictures.append(self._picture(request.seed, direction))
            result = Result(torch.cat(pictures), directions=directions, tables=tables)
            yield Progress(step, total, pictures[-1], best=result)
        return result

    def _is_shipped(self, request: BankRequest, knobs: GANSpaceKnobs) -> bool:
        default = request.seed == 0 and knobs.samples == GANSpaceKnobs().samples and knobs.components <= GANSpaceKnobs().components
        return default and not knobs.recompute and _entry(self.generator) in manifest()

    @torch.no_grad()
    def _mapped(self, z: Tensor) -> Tensor:
        return self.generator.map(z.to(self.generator.device))

    def _directions(self, found: Components, bank: Bank | None, knobs: GANSpaceKnobs) -> tuple[Direction, ...]:
        names = [f"PC {index + 1}" for index in range(len(found.vectors))]
        signs = torch.ones(len(names))
        if bank is not None:
            names, signs = _named(found, bank)
        slots, device = self.generator.slots.groups[knobs.layers], self.generator.device
        source = f"GANSpace, PCA of {knobs.samples} samples of W"
        rows = zip(names, found.vectors * signs[:, None], found.std, strict=True)
        return tuple(Direction(name, "w", vector.to(device), slots, float(std), source) for name, vector, std in rows)

    @torch.no_grad()
    def _picture(self, seed: int, direction: Direction) -> Image:
        face = Latent("w", random_w(self.generator, seed))
        return draw_inversion(self.generator, apply_directions(face, [(direction, _STRENGTH)], self.generator), self.generator.exits[0])


def shipped(generator: Generator, count: int = 80) -> Components:
    """The components of a bundled generator, as the recipe `ganspace` found them in 1 000 000 samples.

    Raises:
        WeightsError: None are shipped for this generator.
    """
    if _entry(generator) not in manifest():
        raise WeightsError(f"No components are shipped for the generator {generator.name}: let GANSpace compute them.")
    stored = load_weights(_entry(generator))
    values = {name: value.view(torch.float32) for name, value in stored.items()}
    vectors = values["vectors"].reshape(-1, generator.width)
    return Components(vectors[:count], values["std"][:count], values["mean"], float(values["variance"]))


def packed(found: Components) -> dict[str, Tensor]:
    """Components as bytes of float32, so that storing in half precision cannot touch them."""
    values = {"vectors": found.vectors, "std": found.std, "mean": found.mean, "variance": torch.tensor([found.variance])}
    return {name: value.float().contiguous().flatten().view(torch.uint8) for name, value in values.items()}


def correlations(vectors: Tensor, bank: Bank) -> Tensor:
    """Correlation of n.w with every attribute over a bank, (directions,attributes)."""
    places = (bank.w @ vectors.to(bank.w).T).double()
    places = (places - places.mean(dim=0)) / places.std(dim=0).clamp_min(1e-12)
    scores = bank.scores.double()
    scores = (scores - scores.mean(dim=0)) / scores.std(dim=0).clamp_min(1e-12)
    return places.T @ scores / (len(bank) - 1)


def _entry(generator: Generator) -> str:
    return f"ganspace_{generator.name}"


def _named(found: Components, bank: Bank) -> tuple[list[str], Tensor]:
    """A name for each component, and the sign that makes its attribute rise."""
    table = correlations(found.vectors, bank).cpu()
    best = table.abs().argmax(dim=1)
    strongest = table.gather(1, best[:, None]).flatten()
    names = [
        f"PC {index + 1}: {bank.names[int(attribute)].replace('_', ' ')}" if abs(value) >= NAMED_FROM else f"PC {index + 1}"
        for index, (attribute, value) in enumerate(zip(best, strongest.tolist(), strict=True))
    ]
    return names, torch.where(strongest.abs() >= NAMED_FROM, strongest.sign(), 1.0).float()


def _table(found: Components, directions: tuple[Direction, ...]) -> Table:
    shares = found.std.double().square() / found.variance
    rows = zip((direction.name for direction in directions), found.std.tolist(), shares.tolist(), shares.cumsum(0).tolist(), strict=True)
    return Table(("component", "sigma", "explained", "cumulative"), tuple(rows))
