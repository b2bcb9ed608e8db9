import math

import pytest
import torch
import torch.nn.functional as F

from engines.losses.information import category_bound, category_loss, continuous_loss


def test_a_perfect_reader_reaches_the_entropy_of_the_code() -> None:
    category = torch.arange(10)
    assert float(category_bound(100 * F.one_hot(category, 10).float(), category)) == pytest.approx(math.log(10), abs=1e-6)


def test_a_reader_that_guesses_knows_nothing() -> None:
    assert float(category_bound(torch.zeros(10, 10), torch.arange(10))) == pytest.approx(0, abs=1e-6)


def test_loss_and_bound_add_up_to_the_entropy() -> None:
    logits, category = torch.randn(50, 4, generator=torch.Generator().manual_seed(1)), torch.arange(50) % 4
    assert float(category_bound(logits, category) + category_loss(logits, category)) == pytest.approx(math.log(4), abs=1e-6)


def test_continuous_codes_are_read_as_normal_distributions_of_deviation_one() -> None:
    drawn, read = torch.tensor([[0.5, -1.0]]), torch.tensor([[0.0, 0.0]])
    told = -torch.distributions.Normal(read, 1.0).log_prob(drawn).sum() - math.log(2 * math.pi)
    assert float(continuous_loss(read, drawn)) == pytest.approx(float(told), abs=1e-6)
