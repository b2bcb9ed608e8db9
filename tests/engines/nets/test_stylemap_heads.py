"""Grid heads: a vector for each cell, and what attention and cells change."""

import pytest
import torch

from engines.core.seeds import normal
from engines.nets.initial import seeded
from engines.nets.irse import Levels
from engines.nets.stylemap_heads import StylemapHeads

WIDTHS = (8, 16, 24)


def levels(count: int = 2) -> Levels:
    return Levels(*(normal((count, width, side, side), side) for width, side in zip(WIDTHS, (16, 8, 4), strict=True)))


def heads(side: int, attention: bool = True) -> StylemapHeads:
    return seeded(lambda: StylemapHeads(WIDTHS, 32, side, attention=attention), 0).eval()


@pytest.mark.parametrize("side", [1, 4, 8])
def test_there_is_a_vector_for_each_cell(side: int) -> None:
    assert heads(side)(levels()).shape == (2, side * side, 32)


def test_networks_of_all_sides_have_the_same_size() -> None:
    sizes = {sum(weight.numel() for weight in heads(side).parameters()) for side in (1, 4, 8)}
    assert len(sizes) == 1


def test_cells_hear_each_other_by_attention_alone_once_the_whole_is_the_same() -> None:
    network = heads(8)
    cells = normal((1, 64, 512), 3)
    changed = cells.clone()
    changed[:, 63] += 1
    with torch.no_grad():
        heard = network._of_kin(changed) - network._of_kin(cells)
        network.attention = False
        alone = network._of_kin(changed) - network._of_kin(cells)
    assert float(heard[:, 0].abs().max()) > 0
    assert float(alone[:, 0].abs().max()) == 0 and float(alone[:, 63].abs().max()) > 0
