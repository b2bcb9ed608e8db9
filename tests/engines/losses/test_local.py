import pytest
import torch

from engines.core.seeds import normal
from engines.core.shapes import Image, Mask
from engines.losses.local import Goal, LocalLoss
from engines.losses.perceptual import Perceptual, VggStyle

LEFT = (torch.arange(64) < 32).float().expand(1, 1, 64, 64).contiguous()
WHOLE = torch.ones(1, 1, 64, 64)


@pytest.fixture(scope="module")
def pair() -> tuple[Image, Image]:
    return normal((1, 3, 64, 64), 1).clamp(-1, 1), normal((1, 3, 64, 64), 2).clamp(-1, 1)


def test_a_mask_of_ones_sees_the_whole_distance_and_halves_add_up(pair: tuple[Image, Image]) -> None:
    lpips = Perceptual()
    whole = float(lpips(*pair))
    assert float(lpips.within(*pair, WHOLE)) == pytest.approx(whole, rel=1e-4)
    assert float(lpips.within(*pair, LEFT)) + float(lpips.within(*pair, 1 - LEFT)) == pytest.approx(whole, rel=1e-4)


def test_masked_features_have_gradients_even_where_a_picture_is_flat(pair: tuple[Image, Image]) -> None:
    flat = torch.zeros(1, 3, 64, 64).requires_grad_()
    Perceptual().within(flat, pair[0], LEFT).sum().backward()
    assert flat.grad is not None and torch.isfinite(flat.grad).all()
    assert float(flat.grad[..., :24].abs().max()) > 0


def test_style_is_blind_to_place_within_the_mask_and_to_all_outside(pair: tuple[Image, Image]) -> None:
    style, x = VggStyle(), pair[0]
    stripes = torch.sin(torch.arange(64) * 0.8).expand(1, 3, 64, 64)
    other = torch.where(LEFT > 0, x, stripes)
    assert float(style(x, x)) == 0
    assert float(style(other, stripes)) > 5 * float(style(stripes.flip(2), stripes))
    near = (torch.arange(64) < 8).float().expand(1, 1, 64, 64)  # far enough from the line for features not to see across
    assert float(style(other, x, near)) < 1e-3 * float(style(other, x))


@pytest.mark.parametrize("mask", [LEFT, 1 - LEFT, 0.5 * WHOLE])
def test_pixels_count_by_their_masks(pair: tuple[Image, Image], mask: Mask) -> None:
    x, y = pair
    loss = LocalLoss([Goal(x, pixel=mask), Goal(y, pixel=1 - mask)], {"pixel": 2.0}, 64)
    terms = loss.terms(y)
    assert set(terms) == {"pixel"}
    assert float(terms["pixel"]) == pytest.approx(float((mask * (x - y).square()).mean()), rel=1e-5)
    assert float(loss.total(terms)) == pytest.approx(2 * float(terms["pixel"]))


def test_terms_without_a_mask_are_left_out(pair: tuple[Image, Image]) -> None:
    x, y = pair
    terms = LocalLoss([Goal(x, perceptual=LEFT), Goal(y, style=LEFT)], {}).terms(x)
    assert set(terms) == {"perceptual", "style"}
    assert float(terms["perceptual"]) == pytest.approx(0, abs=1e-6) and float(terms["style"]) > 0
