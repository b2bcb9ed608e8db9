"""Methods side by side on one photo: how near each comes to it, and what is left of the person when the same edit is applied to each.

This is the trade that the papers plot (Tov et al., arXiv:2102.02766, section 6; Alaluf et al., arXiv:2111.15666, Figure 5): a code far
from W has less distortion and edits worse. One evaluation for all, whatever a method returns: a code, tuned weights or features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import torch

from engines.contract import Engine, InvertRequest
from engines.core.shapes import Codes, Image
from engines.generators.base import Generator
from engines.generators.incremental import draw_inversion
from engines.metrics import Reconstruction
from engines.metrics.consistency import re_encoding_consistency
from engines.metrics.disentanglement import SideEffects
from engines.registry import catalogue, create
from engines.spaces.directions import Edit, apply_directions
from engines.spaces.latent import Inversion

ENCODERS = ("e4e", "psp")
"""Encoders that may re-encode an edited picture, the one that stays nearest to W first."""

CONSISTENCY, IDENTITY_AFTER, CHANGE = "consistency", "identity_after", "change"
_SPACES = {"w": "W", "w_plus": "W+", "s": "S", "z": "Z"}
_FEATURES = {"noise": "noise", "style": "style maps", "shift": "style shifts", "feature": "features", "grid": "grid", "pad": "padding"}


@runtime_checkable
class Encodes(Protocol):
    """An encoder in one pass."""

    def encode(self, image: Image) -> Codes:
        """Codes (B,slots,width) of aligned photos (B,3,R,R)."""
        ...


def inverters(generator: Generator) -> list[type[Engine[Any, Any]]]:
    """Every method of the catalogue that inverts a photo with this generator."""
    return [engine for engine in catalogue().values() if engine.accepts is InvertRequest and engine.card.needs <= generator.capabilities]


def consistency_encoder(generator: Generator, make: Callable[[str], Any] | None = None) -> Encodes | None:
    """The fixed encoder that re-encodes edited pictures for latent editing consistency (LEC); None while the catalogue has none.

    Args:
        generator: Whose codes it predicts.
        make: Builds or finds an engine by name.
    """
    offered = {engine.card.name for engine in inverters(generator)}
    name = next((name for name in ENCODERS if name in offered), None)
    if name is None:
        return None
    found = make(name) if make else create(name, generator)
    return found if isinstance(found, Encodes) else None


@dataclass(frozen=True, eq=False)
class Edited:
    """What became of an inversion under an edit.

    Attributes:
        image: (1,3,R,R).
        figures: `identity_after`, distance of the person in the photo to the edited picture; `change` of the edit's own attribute in
            standard deviations, where that is measured; `consistency` (LEC), where an encoder re-encodes the picture.
    """

    image: Image
    figures: dict[str, float]


class InversionEvaluator:
    """Distortion and editability of one generator's inversions.

    Args:
        generator: Who draws.
        distortion: Measures a picture against its photo; made here if not given.
        encoder: Re-encodes an edited picture; without it the consistency is left out.
    """

    def __init__(self, generator: Generator, distortion: Reconstruction | None = None, encoder: Encodes | None = None) -> None:
        self.generator, self.encoder = generator, encoder
        self.distortion = distortion or Reconstruction(generator.device)

    @cached_property
    def effects(self) -> SideEffects:
        """Measures attributes."""
        return SideEffects(self.generator)

    def draw(self, inversion: Inversion) -> Image:
        """The full picture, (1,3,R,R)."""
        return draw_inversion(self.generator, inversion)

    def figures(self, image: Image, photo: Image) -> dict[str, float]:
        """Figures of the protocol for a picture and its photo, (1,3,R,R) each."""
        return self.distortion(image, photo)

    @torch.no_grad()
    def edited(self, inversion: Inversion, image: Image, photo: Image, edit: Edit) -> Edited:
        """The same edit for every method, drawn and measured.

        Args:
            inversion: What a method found.
            image: Its picture, (1,3,R,R).
            photo: What it redraws, (1,3,R,R).
            edit: A direction of W or W+ with its strength in sigma.
        """
        after = self.draw(apply_directions(inversion, [edit], self.generator))
        figures = {IDENTITY_AFTER: float(self.effects.identity(photo, after)[0])}
        if edit[0].name in self.effects.names:
            change = self.effects.scores(after) - self.effects.scores(image)
            figures[CHANGE] = float(change[0, self.effects.names.index(edit[0].name)])
        if self.encoder is not None:
            figures[CONSISTENCY] = float(re_encoding_consistency(self.encoder.encode, self.generator, image, after, edit)[0])
        return Edited(after, figures)


def space_of(inversion: Inversion) -> str:
    """Where an inversion lives, in the field's words: "W+", "W + weights"."""
    kinds = dict.fromkeys(name.partition("/")[0] for name in inversion.features)
    parts = [_SPACES.get(inversion.latent.space, inversion.latent.space)]
    return " + ".join(parts + ["weights"] * bool(inversion.tuning) + [_FEATURES.get(kind, kind) for kind in kinds])


def values_of(inversion: Inversion, generator: Generator) -> int:
    """How many numbers a method chose freely: its code's in the used W+ layers, its weights' and its features'."""
    codes = inversion.latent.codes
    code = len(generator.slots.active) * codes.shape[-1] if inversion.latent.space == "w_plus" else codes[0].numel()
    return code + sum(value.numel() for value in (*inversion.tuning.values(), *inversion.features.values()))
