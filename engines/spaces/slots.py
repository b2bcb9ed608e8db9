"""Which style slot of W+ drives which layer: the only place that knows 23, 18 or 16.

The student has one slot for the 4x4 convolution and three for each block: upsampling with the first convolution, the second
convolution, and the block's picture head. Only the last head is left, so the heads' slots of the other blocks, and one
trailing slot, are dead: they are kept so that codes have the shape (B,23,512) of the original training code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from engines.core.errors import SpaceError
from engines.core.shapes import Codes

_PUBLISHED = (0, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11, 12, 13, 13, 14, 15, 16)
PUBLISHED_LAYERS = 18
"""Layers of StyleGAN2 at 1024 px, in whose W+ codes and directions are published."""


@dataclass(frozen=True)
class Slots:
    """Slots of a student with `blocks` upsampling blocks (7 at 1024 px)."""

    blocks: int

    @property
    def count(self) -> int:
        """All slots, dead ones included: 23 at 1024 px."""
        return 3 * self.blocks + 2

    @cached_property
    def active(self) -> tuple[int, ...]:
        """Slots that the full picture reads: 16 at 1024 px."""
        convolutions = [3 * block + offset for block in range(self.blocks) for offset in (1, 2)]
        return (0, *convolutions, 3 * self.blocks)

    @cached_property
    def groups(self) -> dict[str, tuple[int, ...]]:
        """Active slots by what they draw: coarse (4 and 8 px), middle (16 and 32 px), fine (the rest), and all."""
        coarse = tuple(slot for slot in self.active if slot < 3)
        middle = tuple(slot for slot in self.active if 3 <= slot < 9)
        fine = tuple(slot for slot in self.active if slot >= 9)
        return {"all": self.active, "coarse": coarse, "middle": middle, "fine": fine}

    def of_layer(self, layer: str) -> int:
        """The slot that a layer such as "conv2_64" reads."""
        kind, size = layer.rsplit("_", 1)
        block = int(size).bit_length() - 4
        offset = {"conv": 3, "up": 1, "conv1": 1, "conv2": 2, "to_img": 3}[kind]
        return 3 * block + offset

    def spread(self, codes: Codes) -> Codes:
        """w (B,512) repeated over all slots; w_plus (B,slots,512) as it is.

        Raises:
            SpaceError: A w_plus with another number of slots.
        """
        if codes.dim() == 2:
            return codes.unsqueeze(1).expand(-1, self.count, -1)
        if codes.shape[1] != self.count:
            raise SpaceError(f"This W+ code has {codes.shape[1]} slots; the generator has {self.count}.")
        return codes

    def fill_dead(self, codes: Codes) -> Codes:
        """A copy of w_plus in which each dead slot repeats the active slot below it."""
        return codes[:, self._nearest_active]

    def scatter(self, active_codes: Codes) -> Codes:
        """Codes of the active slots (B,16,512) to a full w_plus (B,23,512), dead slots repeating the one below."""
        return active_codes[:, [self.active.index(slot) for slot in self._nearest_active]]

    @cached_property
    def _nearest_active(self) -> list[int]:
        return [max(slot for slot in self.active if slot <= index) for index in range(self.count)]

    def from_published(self, codes: Codes) -> Codes:
        """W+ of StyleGAN2-FFHQ (B,18,512) to this generator's 23 slots."""
        if self.count != len(_PUBLISHED):
            raise SpaceError(f"Published W+ codes fit the 1024 px generator only; this one has {self.count} slots.")
        if codes.shape[1] != PUBLISHED_LAYERS:
            raise SpaceError(f"A published W+ code has {PUBLISHED_LAYERS} layers; this one has {codes.shape[1]}.")
        return self.fill_dead(codes[:, list(_PUBLISHED)])

    def to_published(self, codes: Codes) -> Codes:
        """This generator's w_plus (B,23,512) as W+ of StyleGAN2-FFHQ (B,18,512): of slots that share a layer, the first counts."""
        if self.count != len(_PUBLISHED):
            raise SpaceError(f"Published W+ codes fit the 1024 px generator only; this one has {self.count} slots.")
        return codes[:, [min(self.published_range([layer])) for layer in range(PUBLISHED_LAYERS)]]

    def published_range(self, layers: Iterable[int]) -> tuple[int, ...]:
        """Active slots that answer to the given layers of the published 18-layer numbering."""
        wanted = set(layers)
        picked = {slot for slot, layer in enumerate(_PUBLISHED) if layer in wanted and slot in self.active}
        return tuple(sorted(picked | ({self.active[-1]} if wanted & {15, 16, 17} else set())))
