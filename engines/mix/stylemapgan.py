"""StyleMapGAN with networks of its own: a small generator with a stylemap, and the encoder trained with it.

Kim et al., "Exploiting Spatial Dimensions of Latent in GAN for Real-time Image Editing", arXiv:2104.14754: reconstruction by the encoder
in one pass, local editing in w and w+, unaligned transplantation, style mixing, interpolation, local semantic manipulation (a push along
a boundary, in all cells or in painted ones), and random faces. The networks are the bundled ones, which learnt here to reconstruct at
64 px; faces come from the studio's generator, averaged to that size. Changed: the bundled mapping networks were trained by regression on
generated faces instead of adversarially, so their random faces are soft; and in W+ a part has a soft edge, unless that is 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal, TypeAlias

import torch
from torch import Tensor

from engines.contract import Card, Engine, MixRequest, Part, Progress, Result, Run
from engines.core.images import area
from engines.core.knobs import Knob, Knobs
from engines.core.masks import dilated
from engines.core.shapes import Image, Mask
from engines.generators.base import Generator
from engines.generators.incremental import draw_inversion
from engines.generators.stylemapgan import StyleMapGAN, bundled_stylemapgan
from engines.mix.boundaries import FILE, Boundary, Pushed, bundled_boundary
from engines.mix.masks import Shift, checked, moved, soft
from engines.mix.stylemap import cells_of, clipped, interpolated, pushed, rectangle, style_mixed, transplanted
from engines.spaces.latent import Inversion

CELLS = ("4", "8", "16")
"""Resolutions of the stylemap; each has networks of its own."""

NETWORKS = {cells: f"stylemapgan_{cells}" for cells in CELLS}
WEIGHTS = (*NETWORKS.values(), FILE)
SPACES: dict[Literal["w_plus", "w"], str] = {"w_plus": "mixed in W+", "w": "mixed in the map"}
"""Spaces in which stylemaps are blended, and what their pictures are called."""

EDGE = 0.06
"""Reach of the soft edge in W+ that hides borders: where levels change from one position to the next, small networks draw light dots."""

SHARES = (0.25, 0.5, 0.75)
"""Interpolations between both stylemaps that are shown besides the chosen one."""

LEVELS: tuple[Literal["coarse", "fine"], ...] = ("coarse", "fine")
"""Levels of W+ that style mixing exchanges."""

RANDOM = 3
"""Random faces that are shown."""

_SEEN = 256
"""Side in pixels at which faces are drawn, before they are averaged down to the networks' own."""

Code: TypeAlias = Tensor | list[Tensor]
"""A stylemap (1,C,s,s), or its W+."""


@dataclass(frozen=True, kw_only=True)
class StyleMapMixKnobs(Knobs):
    """Where and at which levels a part is exchanged, and the paper's other uses."""

    space: Annotated[
        Literal["w_plus", "w"],
        Knob("Blend in every level of W+, which keeps outlines, or in the stylemap w alone, good for halves."),
    ] = "w_plus"
    edge: Annotated[
        float,
        Knob(
            "How far the soft edge around a part reaches in W+, as a share of the picture's side; 0 is the authors' hard mask.",
            lo=0,
            hi=0.15,
        ),
    ] = EDGE
    levels: Annotated[
        Literal["all", "coarse", "fine"], Knob("Levels of W+ that are exchanged (style mixing): pose is coarse, colours fine.")
    ] = "all"
    cells: Annotated[
        Literal["4", "8", "16"],
        Knob(
            "Resolution of the stylemap: at a low one faces blend, at a high one reconstructions are sharper and edits local.",
            weights=NETWORKS,
        ),
    ] = "16"
    boundary: Annotated[Pushed, Knob("Attribute of the boundary for local semantic manipulation.")] = "smile"
    amount: Annotated[float, Knob("Step along the boundary's normal, in standard deviations of faces.", lo=-3, hi=3)] = 2.0
    copy_right: Annotated[
        int, Knob("Unaligned transplantation: positions to the right by which the rectangle around a part moves.", lo=-15, hi=15)
    ] = 0
    copy_down: Annotated[int, Knob("Positions down by which it moves; what leaves the picture is cut off.", lo=-15, hi=15)] = -2
    copy_in_place: Annotated[bool, Knob("Whether the rectangle is copied to its own position, too.")] = False
    share: Annotated[float, Knob("Interpolation between the source (0) and the last reference (1).", lo=0, hi=1)] = 0.5
    truncation: Annotated[float, Knob("Truncation psi of random faces: 0 is the average face, 1 none.", lo=0, hi=1)] = 0.7


class StyleMapMix(Engine[MixRequest, StyleMapMixKnobs]):
    """Parts of faces mixed by StyleMapGAN's own small networks (arXiv:2104.14754)."""

    card = Card(
        name="stylemapgan",
        title="StyleMapGAN (64 px)",
        paper="arXiv:2104.14754",
        needs=frozenset({"w_plus"}),
        weights=WEIGHTS,
    )
    accepts, knob_set = MixRequest, StyleMapMixKnobs

    def run(self, request: MixRequest, knobs: StyleMapMixKnobs) -> Run:
        """Encode all faces, mix both ways, and show the paper's other uses as stages; pictures are of the networks' own size.

        Where nothing is painted, nothing is mixed or copied, and the picture is the source as the networks redraw it.

        Raises:
            ImageError: A mask that is none.
        """
        name = NETWORKS[knobs.cells]
        model = bundled_stylemapgan(name, str(self.generator.device))
        masks = [touched(part, model.form.side) for part in request.parts]
        faces = [request.source, *(part.reference for part in request.parts)]
        seen, maps = list[Image](), list[Tensor]()
        for number, face in enumerate(faces, start=1):
            seen.append(small(self.generator, face, model.form.size))
            maps.append(model.encode(seen[-1]))
            yield Progress(number, len(faces) + 1)
        pictures = {"source": seen[0], "source again": model.draw(maps[0])}
        if request.parts:
            pictures |= {"reference": seen[-1], "reference again": model.draw(maps[-1])}
        painted = any(bool(mask.any()) for mask in masks)
        if painted:
            pictures |= {
                words: model.draw(mixed(model, maps, request.parts, replace(knobs, space=space))) for space, words in SPACES.items()
            }
        boundary = bundled_boundary(name, knobs.boundary, model.device)
        asked = pushes(maps[0], boundary, knobs.amount, masks)
        asked |= {"rectangle copied": copied(maps, masks, knobs)} if painted else {}
        asked |= uses(model, maps[0], maps[-1], knobs.share) if request.parts else {}
        pictures |= {words: model.draw(code) for words, code in asked.items()}
        random = model.draw(model.sample(request.seed, RANDOM, knobs.truncation)).split(1)
        pictures |= {f"random face {place}": image for place, image in enumerate(random, start=1)}
        yield Progress(len(faces) + 1, len(faces) + 1)
        image = pictures[SPACES[knobs.space] if painted else "source again"]
        return Result(image, stages=pictures, metrics={"mse": float((pictures["source again"] - seen[0]).square().mean())})


def small(generator: Generator, face: Inversion, size: int) -> Image:
    """A face in another network's size, (1,3,size,size) in [-1, 1]."""
    return area(draw_inversion(generator, face, min(_SEEN, generator.resolution)), size).clamp(-1, 1)


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
            wide, levels = widened(part, knobs.edge), zip(whole, model.resized(reference), strict=True)
            whole = [placed(ours, theirs, wide, model.form.side, knobs.edge) for ours, theirs in levels]
    return whole if knobs.levels == "all" else style_mixed(plain, whole, knobs.levels)


def placed(source: Tensor, reference: Tensor, part: Part, side: int, edge: float = 0.0) -> Tensor:
    """A map (1,C,s,s) with a part of another one in it, moved by whole cells of the stylemap.

    Args:
        source: (1,C,s,s).
        reference: (1,C,s,s).
        part: What is taken over.
        side: Cells along each side of the stylemap.
        edge: How far the mask's soft edge reaches, as a share of the picture's side; with 0 each cell that it touches is taken whole.

    Raises:
        ImageError: A mask that is none.
    """
    shift = (round(part.shift[0] * side) / side, round(part.shift[1] * side) / side)
    size = source.shape[-1]
    share = soft(checked(part.mask), size, edge, shift) if edge else touched(part, size, shift)
    return torch.lerp(source, moved(reference, shift), part.strength * share.to(source))


def widened(part: Part, edge: float) -> Part:
    """A part with room around it for half of its soft edge: what was painted is then taken nearly whole."""
    return replace(part, mask=dilated(part.mask, round(edge / 2 * part.mask.shape[-1])))


def touched(part: Part, side: int, shift: Shift = (0.0, 0.0)) -> Mask:
    """Cells (1,1,side,side) that a part's mask touches, as 0 and 1, once it has moved by `shift`.

    Raises:
        ImageError: A mask that is none.
    """
    return (cells_of(moved(checked(part.mask), shift, fill="zeros"), side) > 0.5).float()


def pushes(source: Tensor, boundary: Boundary, amount: float, masks: Sequence[Mask]) -> dict[str, Code]:
    """The source's stylemap pushed in all cells, and in those of any of the masks (1,1,s,s) alone if they hold some."""
    distance = amount * boundary.sigma
    whole = {"pushed everywhere": pushed(source, boundary.normal, distance)}
    anywhere = torch.stack(list(masks)).amax(dim=0).to(source) if masks else source.new_zeros(1, 1, 1, 1)
    inside = {"pushed inside the mask": pushed(source, boundary.normal, distance, anywhere)} if bool(anywhere.any()) else {}
    return {**inside, **whole}


def copied(maps: Sequence[Tensor], masks: Sequence[Mask], knobs: StyleMapMixKnobs) -> Tensor:
    """The first stylemap with a rectangle of each other one in another place, and in its own if asked: the one around a mask's cells."""
    whole, side = maps[0], maps[0].shape[-1]
    for reference, mask in zip(maps[1:], masks, strict=True):
        around = rectangle(mask)
        if around is not None:
            ways = [(knobs.copy_right, knobs.copy_down), *([(0, 0)] if knobs.copy_in_place else [])]
            moves = [clipped(around, right, down, side) for right, down in ways]
            whole = transplanted(whole, reference, [move for move in moves if move is not None])
    return whole


@torch.no_grad()
def uses(model: StyleMapGAN, source: Tensor, reference: Tensor, share: float) -> dict[str, Code]:
    """What two whole stylemaps allow: faces between both, and the reference's coarse or fine levels."""
    ours, theirs = model.resized(source), model.resized(reference)
    between = {"between both, at your share": interpolated(source, reference, share)}
    between |= {f"{stop:.0%} of the way": interpolated(source, reference, stop) for stop in SHARES}
    return {**between, **{f"reference's {level} levels": style_mixed(ours, theirs, level) for level in LEVELS}}
