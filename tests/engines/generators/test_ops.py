import pytest
import torch
import torch.nn.functional as F

from engines.core.seeds import normal
from engines.generators.ops import activate, haar_up, modulate, modulated_conv, stretched


def test_haar_step_is_the_textbook_one() -> None:
    bands = normal((2, 12, 3, 5), 1)
    ll, lh, hl, hh = bands.split(3, dim=1)
    expected = torch.empty(2, 3, 6, 10)
    expected[:, :, 0::2, 0::2] = ll + lh + hl + hh
    expected[:, :, 0::2, 1::2] = ll + lh - hl - hh
    expected[:, :, 1::2, 0::2] = ll - lh + hl - hh
    expected[:, :, 1::2, 1::2] = ll - lh - hl + hh
    assert torch.allclose(haar_up(bands), expected, atol=1e-6)


def test_a_flat_low_band_stays_flat() -> None:
    bands = torch.cat([torch.full((1, 3, 4, 4), 0.3), torch.zeros(1, 9, 4, 4)], dim=1)
    assert torch.equal(haar_up(bands), torch.full((1, 3, 8, 8), 0.3))


def test_a_style_may_be_a_number_or_a_map_of_any_size() -> None:
    x, style = normal((2, 5, 8, 8), 1), normal((2, 5), 2)
    for side in (1, 4, 8):
        assert torch.allclose(modulate(x, style[:, :, None, None].expand(-1, -1, side, side)), modulate(x, style), atol=1e-6)


@pytest.mark.parametrize("size", [(8, 8), (16, 4), (2, 3), (5, 7)])
def test_maps_are_stretched_bilinearly(size: tuple[int, int]) -> None:
    maps = normal((2, 5, 4, 6), 1)
    assert torch.allclose(stretched(maps, *size), F.interpolate(maps, size, mode="bilinear", align_corners=False), atol=1e-6)


def test_one_code_in_the_kernel_equals_the_same_code_on_the_features() -> None:
    x, style = normal((1, 6, 8, 8), 1), normal((1, 6), 2)
    depthwise, pointwise, bias = normal((6, 1, 3, 3), 3), normal((4, 6, 1, 1), 4), normal((4,), 5)
    as_map = style[:, :, None, None].expand(-1, -1, 8, 8)
    assert torch.allclose(modulated_conv(x, style, depthwise, groups=6), modulated_conv(x, as_map, depthwise, groups=6), atol=1e-5)
    assert torch.allclose(modulated_conv(x, style, pointwise, bias), modulated_conv(x, as_map, pointwise, bias), atol=1e-5)


def test_activation_adds_the_noise_first() -> None:
    x, noise = normal((2, 3, 4, 4), 1), normal((1, 1, 4, 4), 2)
    expected = torch.where(x + noise > 0, x + noise, 0.2 * (x + noise))
    assert torch.allclose(activate(x.clone(), noise), expected)
