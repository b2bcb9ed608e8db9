import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from torch import Tensor

from engines.core.errors import ImageError
from engines.core.masks import feathered
from engines.mix.masks import checked, is_empty, is_full, moved, soft

SIDES = st.sampled_from([8, 33, 64, 256])
REACHES = st.floats(0, 0.15)


def disc(side: int, radius: float) -> Tensor:
    steps = (torch.arange(side) + 0.5) / side - 0.5
    return (steps[:, None].square() + steps.square() < radius**2).float()[None, None]


@given(SIDES, REACHES)
def test_uniform_masks_stay_uniform(side: int, reach: float) -> None:
    assert is_empty(soft(torch.zeros(1, 1, side, side), side, reach))
    assert torch.allclose(soft(torch.ones(1, 1, side, side), side, reach), torch.ones(1), atol=1e-5)


@given(st.integers(0, 2**31), SIDES, REACHES, st.floats(-1, 1), st.floats(-1, 1))
def test_a_soft_mask_never_leaves_its_range(seed: int, side: int, reach: float, right: float, down: float) -> None:
    mask = torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(seed))
    ready = soft(checked(3 * mask - 1), 64, reach, (right, down))
    assert ready.shape == (1, 1, 64, 64)
    assert float(ready.min()) >= 0 and float(ready.max()) <= 1


@given(REACHES)
def test_the_soft_edge_ends_where_it_says(reach: float) -> None:
    side, radius = 256, 0.25
    ready = feathered(disc(side, radius), reach)
    cell = 2 / side
    assert float(ready[disc(side, radius + 2**0.5 * (reach + cell)) == 0].max()) < 1e-5
    assert float(ready[disc(side, max(0.0, radius - 2**0.5 * (reach + cell))) == 1].min()) > 1 - 1e-5


@given(st.integers(-8, 8), st.integers(-8, 8))
def test_moving_by_whole_cells_moves_cells(right: int, down: int) -> None:
    dot = torch.zeros(1, 1, 32, 32)
    dot[0, 0, 16, 16] = 1
    there = moved(dot, (right / 32, down / 32), fill="zeros")
    assert float(there[0, 0, 16 + down, 16 + right]) == pytest.approx(1, abs=1e-4)
    assert float(there.sum()) == pytest.approx(1, abs=1e-3)


def test_what_stays_is_the_very_same() -> None:
    values = torch.rand(1, 3, 9, 9)
    assert moved(values, (0.0, 0.0)) is values


def test_what_leaves_the_frame_is_gone_and_features_repeat_their_edge() -> None:
    assert is_empty(moved(torch.ones(1, 1, 16, 16), (1.0, 0.0), fill="zeros")[..., :-1])
    assert is_full(moved(torch.ones(1, 1, 16, 16), (0.5, 0.25)).round(decimals=4))


@pytest.mark.parametrize("shape", [(1, 1, 8, 9), (2, 1, 8, 8)])
def test_a_mask_of_another_shape_is_refused_in_a_sentence(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=r"wanted one square mask"):
        checked(torch.zeros(shape))


def test_a_mask_of_no_numbers_is_refused() -> None:
    with pytest.raises(ImageError, match="no numbers"):
        checked(torch.full((1, 1, 4, 4), torch.nan))


def test_the_soft_edge_is_scipys_gaussian_of_a_third_of_its_reach() -> None:
    mask = disc(64, 0.3)
    wanted = ndimage.gaussian_filter(mask[0, 0].double().numpy(), 2.0, mode="nearest", radius=6)
    assert np.allclose(feathered(mask, 6 / 64)[0, 0].numpy(), wanted, atol=1e-5)
