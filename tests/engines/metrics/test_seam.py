import numpy as np
import pytest
import torch
from scipy import ndimage

from engines.core.seeds import normal
from engines.metrics.seam import seam

MASK = torch.zeros(1, 1, 256, 256)
MASK[..., 100:160, 80:200] = 1


def test_a_flat_patch_on_a_flat_picture_shows_its_whole_step() -> None:
    assert seam((MASK - 0.5).expand(1, 3, -1, -1), MASK) == pytest.approx(1.0)


def test_a_picture_without_a_patch_shows_none() -> None:
    smooth = torch.linspace(-1, 1, 256).expand(1, 3, 256, 256)
    assert seam(smooth, MASK) == pytest.approx(0, abs=0.004)
    assert seam(normal((1, 3, 256, 256), 1).clamp(-1, 1), MASK) == pytest.approx(0, abs=0.06)


def test_a_soft_border_shows_less_than_a_hard_one() -> None:
    soft = torch.nn.functional.avg_pool2d(MASK, 9, 1, 4)
    assert seam((soft - 0.5).expand(1, 3, -1, -1), MASK) < 0.2


def test_larger_pictures_are_averaged_first() -> None:
    large = torch.nn.functional.interpolate(MASK, scale_factor=4)
    assert seam((large - 0.5).expand(1, 3, -1, -1), large) == pytest.approx(1.0)


def test_a_mask_without_a_border_has_no_seam() -> None:
    assert seam(torch.zeros(1, 3, 256, 256), torch.ones(1, 1, 256, 256)) == 0


def test_jumps_across_the_border_are_compared_with_those_beside_it_alone() -> None:
    """Again with scipy: pairs of neighbours within four pixels of a border, those that cross it left out."""
    image, inside = normal((1, 3, 256, 256), 2).clamp(-1, 1) * 0.3 + 0.5 * MASK, MASK[0, 0].numpy()
    across, beside = [], []
    for axis in (0, 1):
        jumps = np.abs(np.diff(image[0].double().numpy(), axis=axis + 1)).mean(axis=0)
        border = np.diff(inside, axis=axis) != 0
        near = ndimage.maximum_filter(border, 9, mode="constant")
        across.append(jumps[border])
        beside.append(jumps[near & ~border])
    assert seam(image, MASK) == pytest.approx(np.concatenate(across).mean() - np.concatenate(beside).mean(), rel=1e-4)
