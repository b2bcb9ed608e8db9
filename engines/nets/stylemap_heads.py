"""From the body's features to a stylemap: a vector of W for each position.

Kim et al., arXiv:2104.14754, train a convolutional encoder together with their generator. This one is on the shared body: local
features, global features, and one layer of self-attention over positions.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.core.images import area
from engines.core.shapes import Codes
from engines.nets.heads import Fields
from engines.nets.initial import Gentle
from engines.nets.irse import Levels

_NEAR, _NARROW, _MIDDLE, _HEADS = 64, 32, 256, 4


class StylemapHeads(nn.Module):
    """A vector for each position, in standard deviations of W.

    Args:
        widths: Channels of the body's levels, fine to coarse.
        width: Length of one w.
        side: Resolution of the stylemap; at 1 the same network predicts one vector for the whole picture.
        attention: Whether positions attend to each other.
    """

    def __init__(self, widths: tuple[int, int, int], width: int, side: int, *, attention: bool = True) -> None:
        super().__init__()
        self.side, self.attention = side, attention
        self.fields = nn.ModuleList(Fields(channels, _NARROW) for channels in widths)
        self.whole = nn.Linear(sum(fields.length for fields in self.fields), _MIDDLE)  # type: ignore[misc]
        self.near = nn.ModuleList(nn.Conv2d(channels, _NEAR, 1) for channels in widths)
        self.local = nn.Sequential(
            nn.Conv2d(len(widths) * _NEAR, _MIDDLE, 3, 1, 1), nn.PReLU(_MIDDLE), nn.Conv2d(_MIDDLE, _MIDDLE, 3, 1, 1), nn.PReLU(_MIDDLE)
        )
        self.before = nn.LayerNorm(2 * _MIDDLE)
        self.ask, self.answer = nn.Linear(2 * _MIDDLE, 2 * _MIDDLE), nn.Linear(2 * _MIDDLE, _MIDDLE)
        self.cell = Gentle(3 * _MIDDLE, width)

    def forward(self, levels: Levels) -> Codes:
        """(B,side*side,width) of a body's features, row by row."""
        local = self.local(torch.cat([_resized(near(level), self.side) for near, level in zip(self.near, levels, strict=True)], dim=1))
        read = torch.cat([fields(level) for fields, level in zip(self.fields, levels, strict=True)], dim=1)
        cells = local.flatten(2).transpose(1, 2)
        cells = torch.cat([cells, self.whole(read)[:, None].expand_as(cells)], dim=2)
        return self.cell(torch.cat([cells, self._of_kin(self.before(cells))], dim=2)).float()

    def _of_kin(self, cells: Tensor) -> Tensor:
        """What the cells say that a cell attends to, (B,cells,256)."""
        answers = self.answer(cells)
        if not self.attention:
            return answers
        query, key = self.ask(cells).chunk(2, dim=2)
        parts = [part.unflatten(2, (_HEADS, -1)).transpose(1, 2) for part in (query, key, answers)]
        return F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)


def _resized(x: Tensor, side: int) -> Tensor:
    """A map averaged down to `side` cells, or spread bilinearly up to them."""
    return area(x, side) if x.shape[-1] >= side else F.interpolate(x, (side, side), mode="bilinear", align_corners=False)
