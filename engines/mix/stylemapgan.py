"""StyleMapGAN with networks of its own: a small generator that has a style per place from the ground up, and the encoder beside it.

Kim et al., "Exploiting Spatial Dimensions of Latent in GAN for Real-time Image Editing", arXiv:2104.14754: reconstruction by the encoder
in one pass, local editing in w and w+, unaligned transplantation, style mixing, interpolation, and random faces. The networks are the
bundled ones, which learnt here to reconstruct at 64 px; faces come from the studio's generator and are looked at in that size. Changed: the
bundled mapping networks were taught by the generator's own faces instead of a critic, so their random faces are soft.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import torch
from torch import Tensor

from engines.contract import Card, Engine, MixRequest, Part, Progress, Result, Run
from engines.core.images import area
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Image, Mask
from engines.generators.base import Generator
from engines.generators.sketch import draw
from engines.generators.stylemapgan import StyleMapGAN, bundled_stylemapgan
from engines.mix.masks import checked, moved
from engines.mix.stylemap import cells_of, interpolated, style_mixed
from engines.spaces.latent import Inversion

CELLS = ("4", "8", "16")
"""Cells along each side of the stylemap; each has networks of its own."""

WEIGHTS = tuple(f"stylemapgan_{cells}" for cells in CELLS)
SPACES: dict[Literal["w_plus", "w"], str] = {"w_plus": "mixed in W+", "w": "mixed in the map"}
"""Ways of mixing, and what their pictures are called."""

SHARES = (0.25, 0.5, 0.75)
"""Places on the way from one stylemap to the other that are shown."""

RANDOM = 3
"""Faces that are shown of nobody."""

_SEEN = 256
"""Side in pixels at which faces are drawn, before they are averaged down to the networks' own."""


@dataclass(frozen=True, kw_only=True)
class StyleMapMixKnobs(Knobs):
    """Where and at which levels a part is taken over."""

    space: Annotated[
        Literal["w_plus", "w"],
        Knob("Mix every level of W+, which keeps outlines, or the stylemap alone, good for halves."),
    ] = "w_plus"
    levels: Annotated[Literal["all", "coarse", "fine"], Knob("Which levels the parts reach: pose is coarse, colours fine.")] = "all"
    cells: Annotated[Literal["4", "8", "16"], Knob("Cells along each side of the map: few blend, many redraw more and show seams.")] = "8"


class StyleMapMix(Engine[MixRequest, StyleMapMixKnobs]):
    """Parts of faces mixed by StyleMapGAN's own small networks (arXiv:2104.14754)."""

    card = Card(
        name="stylemapgan",
        title="StyleMapGAN, small",
        paper="arXiv:2104.14754",
        needs=frozenset({"w_plus"}),
        weights=WEIGHTS,
    )
    accepts, knob_set = MixRequest, StyleMapMixKnobs

    def run(self, request: MixRequest, knobs: StyleMapMixKnobs) -> Run:
        """Encode all faces, mix both ways, and show the paper's other uses as stages; pictures are of the networks' own size.

        Raises:
            ImageError: A mask that is none.
        """
        model = bundled_stylemapgan(f"stylemapgan_{knobs.cells}", str(self.generator.device))
        faces = [request.source, *(part.reference for part in request.parts)]
        seen, maps = list[Image](), list[Tensor]()
        for number, face in enumerate(faces, start=1):
            seen.append(small(self.generator, face, model.form.size))
            maps.append(model.encode(seen[-1]))
            yield Progress(number, len(faces) + 1)
        both = {space: model.draw(mixed(model, maps, request.parts, replace(knobs, space=space))) for space in SPACES}
        yield Progress(len(faces) + 1, len(faces) + 1)
        pictures = {SPACES[space]: drawn for space, drawn in both.items()} if request.parts else {}
        pictures |= {"source": seen[0], "source again": model.draw(maps[0])}
        if request.parts:
            pictures |= {"reference": seen[-1], "reference again": model.draw(maps[-1])} | uses(model, maps[0], maps[-1])
        pictures |= {
            f"random face {place}": image for place, image in enumerate(model.draw(model.sample(request.seed, RANDOM)).split(1), 1)
        }
        image = both[knobs.space]
        return Result(image, stages=pictures, metrics={"mse": float((pictures["source again"] - seen[0]).square().mean())})


def small(generator: Generator, face: Inversion, size: int) -> Image:
    """A face in another network's size, (1,3,size,size) in [-1, 1]."""
    return area(draw(generator, face, min(_SEEN, generator.resolution)), size).clamp(-1, 1)


@torch.no_grad()
def mixed(model: StyleMapGAN, maps: Sequence[Tensor], parts: Sequence[Part], knobs: StyleMapMixKnobs) -> list[Tensor]:
    """W+ of the first stylemap with parts of the others; parts that move do so by whole cells.

    Raises:
        ImageError: A mask that is none.
    """
    plain = model.resized(maps[0])
    if knobs.space == "w":
        source = maps[0]
        for part, reference in zip(parts, maps[1:], strict=True):
            source = placed(source, reference, part, model.form.side)
        whole = model.resized(source)
    else:
        whole = list(plain)
        for part, reference in zip(parts, maps[1:], strict=True):
            levels = zip(whole, model.resized(reference), strict=True)
            whole = [placed(ours, theirs, part, model.form.side) for ours, theirs in levels]
    return whole if knobs.levels == "all" else style_mixed(plain, whole, knobs.levels)


def placed(source: Tensor, reference: Tensor, part: Part, side: int) -> Tensor:
    """A map (1,C,s,s) with a part of another one in the cells that its mask touches, moved by whole cells of the stylemap.

    Raises:
        ImageError: A mask that is none.
    """
    shift = (round(part.shift[0] * side) / side, round(part.shift[1] * side) / side)
    mask: Mask = cells_of(moved(checked(part.mask).to(source), shift, fill="zeros"), source.shape[-1])
    return torch.lerp(source, moved(reference, shift), part.strength * (mask > 0.5).to(source))


@torch.no_grad()
def uses(model: StyleMapGAN, source: Tensor, reference: Tensor) -> dict[str, Image]:
    """What two whole stylemaps allow: the reference's coarse or fine levels, and faces between both."""
    ours, theirs = model.resized(source), model.resized(reference)
    pictures = {
        "coarse levels": model.draw(style_mixed(ours, theirs, "coarse")),
        "fine levels": model.draw(style_mixed(ours, theirs, "fine")),
    }
    return pictures | {f"{share:.0%} of the way": model.draw(interpolated(source, reference, share)) for share in SHARES}
