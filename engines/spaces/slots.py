"""W+ as a generator lays it out: which slot drives which layer, what each layer draws, and which slots nothing reads.

Each generator gives its own table; nothing is worked out from a layer's name. Codes and directions of StyleGAN2 at 1024 px are published
with a vector for each of its 18 layers: a generator of that size says which of them each of its slots answers to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from engines.core.errors import SpaceError
from engines.core.shapes import Codes

PUBLISHED_LAYERS = 18
"""Layers of StyleGAN2 at 1024 px, in whose W+ codes and directions are published."""

Group = Literal["coarse", "middle", "fine"]
GROUPS: tuple[Group, ...] = ("coarse", "middle", "fine")
"""What layers draw, by their side: pose and shape (4 and 8 px), features (16 and 32 px), colour and texture (the rest)."""


def group_at(side: int) -> Group:
    """What layers that draw at a side in pixels decide."""
    return "coarse" if side < 16 else "middle" if side < 64 else "fine"


@dataclass(frozen=True)
class Layer:
    """A layer that a style drives.

    Attributes:
        slot: Slot of W+ that it reads.
        group: What it draws; layers that share a slot share their group.
        block: Side in pixels of the block that it belongs to; a `Prefix` enters a block.
        side: Side in pixels of the features that its style multiplies: half of the block's where the layer doubles them.
    """

    slot: int
    group: Group
    block: int
    side: int


@dataclass(frozen=True)
class Slots:
    """The table of a generator's W+.

    Attributes:
        layers: Layers by name, in the order of drawing, which is that of S.
        count: All slots, those that nothing reads included.
        published: For each slot, the layer of StyleGAN2 at 1024 px that it answers to; empty where there is no such relation.
    """

    layers: Mapping[str, Layer]
    count: int
    published: tuple[int, ...] = ()

    @cached_property
    def active(self) -> tuple[int, ...]:
        """Slots that the full picture reads: 16 of 23 for the bundled generator."""
        return tuple(sorted({layer.slot for layer in self.layers.values()}))

    @cached_property
    def groups(self) -> dict[str, tuple[int, ...]]:
        """Active slots by what they draw, and all."""
        parts = {name: {layer.slot for layer in self.layers.values() if layer.group == name} for name in GROUPS}
        return {"all": self.active, **{name: tuple(sorted(slots)) for name, slots in parts.items()}}

    @cached_property
    def blocks(self) -> tuple[int, ...]:
        """Sides in pixels of the blocks that features enter, smallest first: all but the first block, which begins with a constant."""
        return tuple(sorted({layer.block for layer in self.layers.values()}))[1:]

    def of_layer(self, layer: str) -> int:
        """The slot that a layer of this name reads."""
        return self.layers[layer].slot

    def of_block(self, block: int) -> tuple[str, ...]:
        """The layers of a block, in the order of drawing."""
        return tuple(name for name, layer in self.layers.items() if layer.block == block)

    def spread(self, codes: Codes) -> Codes:
        """w (B,512) repeated over all slots; w_plus (B,slots,512) as it is.

        Raises:
            SpaceError: A w_plus with another number of slots.
        """
        if codes.dim() == 2:
            return codes.unsqueeze(1).expand(-1, self.count, -1)
        if codes.shape[1] != self.count:
            raise SpaceError(f"This W+ code has {codes.shape[1]} layers; the generator has {self.count}.")
        return codes

    def fill_dead(self, codes: Codes) -> Codes:
        """A copy of w_plus in which each unused layer repeats the active one below it."""
        return codes[:, self._nearest_active]

    def scatter(self, active_codes: Codes) -> Codes:
        """Codes of the active slots (B,active,512) to a full w_plus (B,slots,512), unused layers repeating the one below."""
        return active_codes[:, [self.active.index(slot) for slot in self._nearest_active]]

    @cached_property
    def _nearest_active(self) -> list[int]:
        return [max(slot for slot in self.active if slot <= index) for index in range(self.count)]

    def from_published(self, codes: Codes) -> Codes:
        """W+ of StyleGAN2-FFHQ (B,18,512) to this generator's slots."""
        self._check_published()
        if codes.shape[1] != PUBLISHED_LAYERS:
            raise SpaceError(f"A published W+ code has {PUBLISHED_LAYERS} layers; this one has {codes.shape[1]}.")
        return self.fill_dead(codes[:, list(self.published)])

    def to_published(self, codes: Codes) -> Codes:
        """This generator's w_plus (B,slots,512) as W+ of StyleGAN2-FFHQ (B,18,512): of slots that share a layer, the first counts."""
        self._check_published()
        return codes[:, [min(self.published_range([layer])) for layer in range(PUBLISHED_LAYERS)]]

    def published_range(self, layers: Iterable[int]) -> tuple[int, ...]:
        """Active slots that answer to the given layers of the published 18-layer numbering."""
        wanted, last = set(layers), self.active[-1]
        picked = {slot for slot, layer in enumerate(self.published) if layer in wanted and slot in self.active}
        if self.published and wanted & set(range(self.published[last], PUBLISHED_LAYERS)):
            picked.add(last)  # the last layer stands for all published ones behind it
        return tuple(sorted(picked))

    def _check_published(self) -> None:
        if not self.published:
            raise SpaceError(f"Published W+ codes fit the 1024 px generator only; this one has {self.count} layers.")
