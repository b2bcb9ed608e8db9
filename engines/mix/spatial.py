"""Local editing with spatial styles: the part of the picture inside a mask comes from a reference face, at full size and without training.

After Kim et al., "Exploiting Spatial Dimensions of Latent in GAN for Real-time Image Editing" (StyleMapGAN), arXiv:2104.14754: styles
with a height and a width, mixed by a mask averaged to each layer's size (section 3.3, local editing), parts that move (unaligned
transplantation). The paper trains a generator for it; this generator's layers take a style per pixel as they are. Left out: the paper's own
networks. Ours: soft edges, a strength, a range of layers, faces with weight changes and features of their own, and a local edit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch

from engines.contract import Card, Engine, MixRequest, Part, Progress, Result, Run
from engines.core.knobs import Knob, Knobs
from engines.core.shapes import Mask
from engines.generators.base import Generator
from engines.mix.composite import Composite
from engines.spaces.directions import Edit, apply_directions
from engines.spaces.latent import Inversion
from engines.spaces.slots import Slots

RANGES = ("all", "shape", "texture")
"""W+ layers that a part takes over, by name."""

CARRIED = ("coarse", "moved", "always", "never")
"""Which features are copied, by name; see `SpatialMixKnobs.carry`."""

COARSE = 8
"""Side in pixels of the layer up to which parts that stay bring features by default. With styles alone what lies outside moved by .032
(squared error, 100 pairs); with features up to 8, 16, 32 and 64 px by .008, .001, .0001 and 0, and the gradient on the border, over the
picture's, rose from 1.18 to 1.21, 1.23, 1.29 and 1.35. From 16 px on, the reference's surroundings begin to show within large masks."""


@dataclass(frozen=True, kw_only=True)
class SpatialMixKnobs(Knobs):
    """How soft the edge is, and which features are copied."""

    edge: Annotated[
        float, Knob("How far the soft edge reaches on either side of the line, as a share of the picture's side.", lo=0, hi=0.15)
    ] = 0.03
    carry: Annotated[
        Literal["coarse", "moved", "always", "never"],
        Knob(
            "Features copied from the reference beside its styles: coarse, the coarsest, and of parts that move all up to a middle layer; "
            "moved, these alone; always, of all parts as if they moved; never, none."
        ),
    ] = "coarse"
    carry_until: Annotated[
        Literal["16", "32", "64", "128"],
        Knob(
            "The layer, by its resolution in pixels, up to which features are copied.",
            advanced=True,
            only_if=("carry", "coarse", "moved", "always"),
        ),
    ] = "64"


class SpatialMix(Engine[MixRequest, SpatialMixKnobs]):
    """Styles that differ from pixel to pixel, as in StyleMapGAN (arXiv:2104.14754), on a generator that was not trained for it."""

    card = Card(
        name="spatial",
        title="Local editing with spatial styles (after StyleMapGAN)",
        paper="arXiv:2104.14754",
        needs=frozenset({"w_plus", "spatial_styles"}),
    )
    accepts, knob_set = MixRequest, SpatialMixKnobs

    def run(self, request: MixRequest, knobs: SpatialMixKnobs) -> Run:
        """Draw the composite; stage "mask" shows what is not the source's.

        The inversion, which is left out where two weight changes meet, holds maps of at most 64 cells a side: at 1024 px it redraws the
        picture closely, at 128 px or less exactly.

        Raises:
            ImageError: A mask that is none.
            KnobError: A strength or a shift outside its range.
        """
        composite = composite_of(self.generator, request, knobs)
        total = len(self.generator.layout("s")) // 3 + 1
        drawing = composite.steps()
        while True:
            try:
                yield Progress(next(drawing), total)
            except StopIteration as stop:
                image = stop.value
                break
        kept = composite.inversion()
        mask = (2 * composite.mask - 1).expand(-1, 3, -1, -1).contiguous()
        yield Progress(total, total)
        return Result(image, () if kept is None else (kept,), {"mask": mask})


def composite_of(generator: Generator, request: MixRequest, knobs: SpatialMixKnobs) -> Composite:
    """A request's composite as the knobs have it."""
    return Composite(generator, request.source, request.parts, knobs.edge, *carried(knobs.carry, int(knobs.carry_until)))


def carried(name: str, until: int = 64) -> tuple[int, int]:
    """Sides in pixels up to which parts that move, and those that stay, bring features along, by the knob's word."""
    return {"coarse": (until, COARSE), "moved": (until, 0), "always": (until, until), "never": (0, 0)}[name]


def layer_slots(slots: Slots, name: str) -> tuple[int, ...]:
    """W+ layers that a range of `RANGES` stands for: shape is drawn up to 32 px, texture behind."""
    if name == "shape":
        return (*slots.groups["coarse"], *slots.groups["middle"])
    return slots.groups["fine" if name == "texture" else "all"]


@torch.no_grad()
def local_edit(
    source: Inversion, edits: Sequence[Edit], mask: Mask, generator: Generator, strength: float = 1.0, truncation: float = 1.0
) -> Part:
    """The part that edits a face inside a mask alone: its reference is the face itself, moved along directions.

    Raises:
        SpaceError: As `engines.spaces.directions.apply_directions` does.
    """
    return Part(apply_directions(source, edits, generator, truncation=truncation), mask, strength=strength)
