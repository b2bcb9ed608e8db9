import math

import pytest
import torch
from torch import Tensor

from engines.metrics.strokes import slant, thickness, thinned


def stroke(lean: float, width: float, side: int = 28) -> Tensor:
    """A straight stroke (1,1,S,S) through the middle that leans to the right by an angle."""
    rows, columns = torch.meshgrid(torch.arange(side) - side / 2 + 0.5, torch.arange(side) - side / 2 + 0.5, indexing="ij")
    across = columns * math.cos(lean) + rows * math.sin(lean)
    along = columns * math.sin(lean) - rows * math.cos(lean)
    return ((across.abs() < width / 2) & (along.abs() < 10)).float()[None, None]


@pytest.mark.parametrize("lean", [-0.5, 0.0, 0.4])
def test_slant_is_the_angle_of_a_stroke(lean: float) -> None:
    assert float(slant(stroke(lean, 3))) == pytest.approx(lean, abs=0.06)


def test_thickness_grows_with_the_stroke() -> None:
    found = [float(thickness(stroke(0.0, width))) for width in (2, 4, 6)]
    assert found == sorted(found)
    assert found[0] == pytest.approx(2, abs=0.5) and 6 <= found[2] <= 9  # a broad line is thinned from its ends, too


def test_thinning_leaves_a_line_in_one_piece() -> None:
    line = thinned(stroke(0.3, 5)[:, 0] > 0.5)[0]
    assert int(line.sum(dim=1).max()) <= 2 and int(line.sum()) >= 12
    rows = line.any(dim=1).nonzero()[:, 0]
    assert int(rows.max() - rows.min()) + 1 == len(rows)


def test_no_ink_measures_nothing() -> None:
    blank = torch.zeros(2, 1, 28, 28)
    assert slant(blank).tolist() == [0, 0] and thickness(blank).tolist() == [0, 0]
