import pytest
import torch

from engines.losses.adversarial import convinced, slope_penalty, told_apart
from engines.losses.latent import code_errors, latent_distance, offset_norm

DEVIATION = torch.tensor([[1.0, 2.0]])


def test_codes_are_compared_in_deviations() -> None:
    target = torch.zeros(1, 3, 2)
    assert float(latent_distance(target + DEVIATION, target, DEVIATION)) == pytest.approx(0.5)
    assert float(latent_distance(target + 3 * DEVIATION, target, DEVIATION)) == pytest.approx(2.5)  # linear beyond one
    assert torch.allclose(code_errors(target + 3 * DEVIATION, target, DEVIATION), torch.full((1, 3), 3.0))


def test_the_norm_of_offsets_is_their_length() -> None:
    assert float(offset_norm(torch.tensor([[[3.0, 4.0], [0.0, 0.0]], [[3.0, 4.0], [0.0, 2.0]]]))) == pytest.approx(6)


def test_the_game_has_the_logistic_stakes() -> None:
    low, high = torch.tensor([-20.0]), torch.tensor([20.0])
    assert float(convinced(high)) == pytest.approx(0, abs=1e-6)
    assert float(convinced(low)) == pytest.approx(20)
    assert float(told_apart(high, low)) == pytest.approx(0, abs=1e-6)
    assert float(told_apart(low, high)) == pytest.approx(40)


def test_the_slope_penalty_is_the_squared_gradient() -> None:
    inputs = torch.randn(5, 2, requires_grad=True)
    penalty = slope_penalty(inputs @ torch.tensor([3.0, 4.0]), inputs)
    assert float(penalty) == pytest.approx(25)
