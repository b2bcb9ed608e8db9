import pytest
import torch

from engines.losses.adversarial import discriminator_loss, generator_loss, r1_penalty
from engines.losses.latent import code_errors, latent_distance, offset_norm

DEVIATION = torch.tensor([[1.0, 2.0]])


def test_codes_are_compared_in_deviations() -> None:
    target = torch.zeros(1, 3, 2)
    assert float(latent_distance(target + DEVIATION, target, DEVIATION)) == pytest.approx(0.5)
    assert float(latent_distance(target + 3 * DEVIATION, target, DEVIATION)) == pytest.approx(2.5)  # linear beyond one
    assert torch.allclose(code_errors(target + 3 * DEVIATION, target, DEVIATION), torch.full((1, 3), 3.0))


def test_a_slots_error_is_the_root_of_the_mean_square() -> None:
    """Offsets of 1 and 7 deviations: sqrt((1 + 49) / 2) = 5, where their mean is 4."""
    codes = torch.tensor([[[1.0, 14.0], [0.0, 0.0]]])
    assert code_errors(codes, torch.zeros_like(codes), DEVIATION).tolist() == [[5.0, 0.0]]


def test_the_norm_of_offsets_is_their_length() -> None:
    """Of three codes with two slots each: lengths of 5, 5 and 2, a mean of 4, and of 0, 1 and 2, a mean of 1."""
    offsets = torch.tensor([[[3.0, 4.0], [0.0, 0.0]], [[4.0, 3.0], [1.0, 0.0]], [[0.0, 2.0], [0.0, 2.0]]])
    assert float(offset_norm(offsets)) == pytest.approx(5)


def test_the_game_has_the_logistic_stakes() -> None:
    low, high = torch.tensor([-20.0]), torch.tensor([20.0])
    assert float(generator_loss(high)) == pytest.approx(0, abs=1e-6)
    assert float(generator_loss(low)) == pytest.approx(20)
    assert float(discriminator_loss(high, low)) == pytest.approx(0, abs=1e-6)
    assert float(discriminator_loss(low, high)) == pytest.approx(40)


def test_the_slope_penalty_is_the_squared_gradient() -> None:
    inputs = torch.randn(5, 2, requires_grad=True)
    penalty = r1_penalty(inputs @ torch.tensor([3.0, 4.0]), inputs)
    assert float(penalty) == pytest.approx(25)
