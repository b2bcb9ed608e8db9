"""Baselines without spatial styles: pasted pixels, and mixed latents of the whole picture."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from engines.contract import Part
from engines.core.errors import SpaceError
from engines.core.images import area
from engines.core.shapes import Image
from engines.generators.base import Generator
from engines.generators.incremental import draw_inversion
from engines.mix.masks import checked, moved, soft
from engines.spaces.latent import Inversion, Latent


@torch.no_grad()
def pasted(generator: Generator, source: Inversion, parts: Sequence[Part], edge: float = 0.03, size: int | None = None) -> Image:
    """The references' pixels laid over the source's by the same soft masks, (1,3,size,size)."""
    image = draw_inversion(generator, source, size)
    for part in parts:
        side = image.shape[-1]
        mask = part.strength * soft(checked(part.mask).to(image), side, edge, part.shift)
        image = torch.lerp(image, moved(draw_inversion(generator, part.reference, size), part.shift), mask)
    return image


@torch.no_grad()
def vector_mixed(generator: Generator, source: Inversion, parts: Sequence[Part]) -> Inversion:
    """One vector a layer for the whole picture: each mask counts by its area alone, as a stylemap of one cell would have it.

    Raises:
        SpaceError: A code of S, which has no vector of W.
    """
    if any(face.latent.space == "s" for face in (source, *(part.reference for part in parts))):
        raise SpaceError("Codes of S cannot be mixed as vectors of W: choose faces of W or W+.")
    codes = _w_plus(generator, source)
    for part in parts:
        slots = list(generator.slots.active if part.layers is None else part.layers)
        share = part.strength * float(area(checked(part.mask), 1))
        codes[:, slots] = torch.lerp(codes[:, slots], _w_plus(generator, part.reference)[:, slots], share)
    return replace(source, latent=Latent("w_plus", codes))


def _w_plus(generator: Generator, face: Inversion) -> torch.Tensor:
    codes = generator.map(face.latent.codes) if face.latent.space == "z" else face.latent.codes
    return generator.slots.spread(codes).clone()
