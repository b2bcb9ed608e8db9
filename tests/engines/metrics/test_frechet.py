"""The distance of crowds: nothing between equal ones, the textbook's value between normal ones, more for blots than for other faces."""

import pytest
import torch

from engines.core.seeds import normal
from engines.losses.perceptual import Perceptual
from engines.metrics.frechet import features, frechet


def test_equal_crowds_are_nothing_apart_whatever_their_order() -> None:
    rows = normal((500, 6), 1)
    assert frechet(rows, rows.flip(0)) == pytest.approx(0, abs=1e-6)


def test_normal_crowds_have_the_textbook_s_distance() -> None:
    """Of means 3 apart and deviations of 1 and 2 in each of two dimensions."""
    first, second = normal((200_000, 2), 1), 2 * normal((200_000, 2), 2) + torch.tensor([3.0, 0.0])
    assert frechet(first, second) == pytest.approx(9 + 2 * (1 - 2) ** 2, rel=0.02)


def test_turned_pictures_are_further_than_mirrored_ones() -> None:
    pictures = torch.nn.functional.interpolate(normal((40, 3, 4, 4), 3), size=64, mode="bilinear").clamp(-1, 1)
    perceptual = Perceptual()
    near, far = (features(perceptual, other) for other in (pictures.flip(3), normal((40, 3, 64, 64), 4).clamp(-1, 1)))
    assert frechet(features(perceptual, pictures), near) < 0.5 * frechet(features(perceptual, pictures), far)
