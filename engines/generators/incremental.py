"""Incremental rendering of one code after another, as under a moving slider: only the layers that a change reaches are computed.

A picture of 1024 px is a chain of blocks. What enters a block depends on the styles of the layers before it alone, so it is kept
until one of those styles changes; an edit of the fine layers then costs a fraction of the picture.
"""

from collections.abc import Mapping
from threading import Lock

import torch
from torch import Tensor

from engines.core.images import area
from engines.core.shapes import Image
from engines.generators.base import Generator, Prefix
from engines.spaces.latent import Inversion, layer_of


def draw_inversion(generator: Generator, inversion: Inversion, size: int | None = None) -> Image:
    """The picture of an inversion, in full or as a preview.

    Auxiliary toRGB heads take W+ alone: a preview of styles or weights that were changed behind its head is the full picture averaged down.

    Args:
        generator: Who draws.
        inversion: What is drawn.
        size: One of the generator's exits; the full picture if not given.

    Returns:
        (B,3,size,size), not clamped.
    """
    if size in (None, generator.resolution):
        with torch.no_grad():
            return generator.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features)
    return IncrementalRenderer(generator).draw(inversion, size)


class IncrementalRenderer:
    """A renderer with a cache of the last picture's layers; safe to share between threads, useful to one visitor at a time.

    Args:
        generator: Who draws.
    """

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self._layers = generator.slots.layers
        self._known: dict[str, tuple[Tensor, tuple[int, ...]]] = {}
        self._tuning: Mapping[str, Tensor] = {}
        self._prefixes: dict[int, Prefix] = {}
        self._lock = Lock()

    @torch.no_grad()
    def draw(self, inversion: Inversion, size: int | None = None) -> Image:
        """As `draw_inversion`, reusing the layers of the last picture that are still the same."""
        size = size or self.generator.resolution
        if size != self.generator.resolution and self._hidden(inversion, size):
            return area(self.draw(inversion), size)
        with self._lock:
            self._forget(inversion)
            resume = self._resume(inversion, size)
        return self.generator.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features, size=size, resume=resume)

    def _hidden(self, inversion: Inversion, size: int) -> bool:
        """Whether the auxiliary toRGB head of that size would not see all of it."""
        changed = (layer_of(name) for name in (*inversion.features, *inversion.tuning))
        return inversion.latent.space == "s" or any(layer is not None and self._layers[layer].block > size // 2 for layer in changed)

    def _forget(self, inversion: Inversion) -> None:
        """Drop what the changed layers feed."""
        now = self._state(inversion)
        changed = [known.block for layer, known in self._layers.items() if not _same(self._known.get(layer), now[layer])]
        if {key: id(value) for key, value in inversion.tuning.items()} != {key: id(value) for key, value in self._tuning.items()}:
            changed.append(0)
        first = min(changed, default=self.generator.resolution)
        self._prefixes = {block: prefix for block, prefix in self._prefixes.items() if block <= first}
        self._known, self._tuning = now, dict(inversion.tuning)

    def _state(self, inversion: Inversion) -> dict[str, tuple[Tensor, tuple[int, ...]]]:
        styles = self.generator.styles(inversion.latent).codes
        layout, prints = self.generator.layout("s"), _prints(inversion.features)
        own = {layer: tuple(value for name, value in prints.items() if layer_of(name) in (layer, None)) for layer in self._layers}
        return {layer: (styles[:, layout[layer]], own[layer]) for layer in self._layers}

    def _resume(self, inversion: Inversion, size: int) -> Prefix | None:
        """The furthest prefix for a picture of `size`, those on the way to it kept."""
        resume = None
        for block in self.generator.slots.blocks:
            if block > size:
                break
            if block not in self._prefixes:
                self._prefixes[block] = self.generator.prefix(
                    inversion.latent, block, resume, tuning=inversion.tuning, features=inversion.features
                )
            resume = self._prefixes[block]
        return resume


def _prints(features: Mapping[str, Tensor]) -> dict[str, int]:
    """Values of features in brief: a fingerprint of each, its name and shape included."""
    own = {name: features[name].detach().cpu() for name in sorted(features)}
    return {name: hash((name, tuple(value.shape), value.numpy().tobytes())) for name, value in own.items()}


def _same(old: tuple[Tensor, tuple[int, ...]] | None, new: tuple[Tensor, tuple[int, ...]]) -> bool:
    return old is not None and old[1] == new[1] and torch.equal(old[0], new[0])
