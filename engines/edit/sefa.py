"""SeFa: read edit directions straight off the generator's weights, with no samples and in under a second.

Paper: Shen and Zhou, "Closed-Form Factorization of Latent Semantics in GANs", arXiv:2007.06600, Eq. 4 to 8: the unit vectors n
that move the styles A n furthest are the eigenvectors of A^T A with the largest eigenvalues. A stacks the affine maps from w of
the chosen layers, each row scaled to unit length as the authors' code does. Sign: the largest entry is positive.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor

from engines.contract import Card, Engine, Progress, Request, Result, Run, Table
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Image
from engines.generators.base import Generator
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w, statistics


@dataclass(frozen=True, kw_only=True)
class SeFaKnobs(Knobs):
    """Which layers are factorised, and how many directions are kept."""

    layers: Annotated[
        Literal["all", "coarse", "middle", "fine"],
        Knob("Layers that are factorised and edited: pose and shape are coarse, features middle, colours fine."),
    ] = "coarse"
    count: Annotated[int, Knob("Directions to keep, strongest first.", lo=1, hi=20)] = 6
    rows: Annotated[
        Literal["unit length", "as they are"], Knob("Scale each affine row to unit length (the authors' code) or not.", advanced=True)
    ] = "unit length"
    strength: Annotated[float, Knob("Strength of the strip's pictures, in sigma.", lo=0.5, hi=5, advanced=True)] = 3.0


class SeFa(Engine[Request, SeFaKnobs]):
    """Eigenvectors of the affine maps as directions (arXiv:2007.06600)."""

    card = Card(
        name="sefa",
        title="SeFa (closed form)",
        paper="arXiv:2007.06600",
        needs=frozenset({"w_plus", "affine"}),
    )
    accepts, knob_set = Request, SeFaKnobs

    def run(self, request: Request, knobs: SeFaKnobs) -> Run:
        """Factorise, then draw each direction at minus and plus `strength` on the seed's face."""
        directions, eigenvalues = self._factorise(knobs)
        yield Progress(1, 1 + len(directions))
        rows = tuple((direction.name, value, direction.sigma) for direction, value in zip(directions, eigenvalues, strict=True))
        tables = {"directions": Table(("direction", "eigenvalue", "sigma"), rows)}
        pictures: list[Image] = []
        for step, direction in enumerate(directions, start=2):
            pictures.append(self._pair(request.seed, direction, knobs.strength))
            result = Result(torch.cat(pictures), directions=directions, tables=tables)
            yield Progress(step, 1 + len(directions), pictures[-1][1:], best=result)
        return result

    def _factorise(self, knobs: SeFaKnobs) -> tuple[tuple[Direction, ...], list[float]]:
        slots = self.generator.slots.groups[knobs.layers]
        vectors, values = factorise(stacked(self.generator, knobs.layers), unit_rows=knobs.rows == "unit length")
        spread = statistics(self.generator)
        directions = tuple(
            Direction(
                f"{knobs.layers} {index + 1}", "w", vector, slots, spread.sigma(vector), f"SeFa, {knobs.layers} layers, rows {knobs.rows}"
            )
            for index, vector in enumerate(vectors[: knobs.count])
        )
        return directions, values[: knobs.count].tolist()

    @torch.no_grad()
    def _pair(self, seed: int, direction: Direction, strength: float) -> Image:
        w = random_w(self.generator, seed)
        codes = [apply_directions(Latent("w", w), [(direction, sign * strength)], self.generator).latent.codes for sign in (-1, 1)]
        return self.generator.synthesize(torch.cat(codes), size=self.generator.exits[0])


def stacked(generator: Generator, group: str) -> Tensor:
    """A, the affine maps from w to the styles of all layers that read a group's slots, (values,width)."""
    slots = generator.slots.groups[group]
    return generator.affine(tuple(layer for layer in generator.layout("s") if generator.slots.of_layer(layer) in slots))


def factorise(affine: Tensor, *, unit_rows: bool = True) -> tuple[Tensor, Tensor]:
    """Eigenvectors of A^T A as rows (width,width), and their eigenvalues (width,), largest first.

    Args:
        affine: A, the stacked affine maps from w to styles, (values,width).
        unit_rows: Scale each row of A to unit length first.
    """
    matrix = affine.detach().double().cpu()
    if unit_rows:
        matrix = matrix / matrix.norm(dim=1, keepdim=True).clamp_min(1e-12)
    values, vectors = torch.linalg.eigh(matrix.T @ matrix)
    rows = vectors.T.flip(0)
    largest = rows.gather(1, rows.abs().argmax(dim=1, keepdim=True))
    return (rows * largest.sign()).to(affine), values.flip(0).to(affine)
