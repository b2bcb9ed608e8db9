import pytest
import torch

from engines.core.errors import SpaceError
from engines.core.seeds import normal
from engines.spaces.bank import Bank

NAMES = ("age", "smile")


def bank(faces: int = 50) -> Bank:
    return Bank(normal((faces, 8), 1), normal((faces, 8), 2), 0.7, NAMES, normal((faces, 2), 3) * torch.tensor([10.0, 0.1]))


def test_a_score_is_the_column_of_its_name() -> None:
    faces = bank()
    assert len(faces) == 50
    for index, name in enumerate(NAMES):
        assert torch.equal(faces.score(name), faces.scores[:, index])


def test_the_spread_is_the_deviation_of_each_attribute() -> None:
    faces = bank(2_000)
    assert faces.deviation().tolist() == pytest.approx([10, 0.1], rel=0.1)
    assert torch.allclose(faces.deviation(), torch.stack([faces.score(name).std() for name in NAMES]))


@pytest.mark.parametrize("name", ["beard", "", "Age"])
def test_what_was_not_measured_is_answered_with_what_was(name: str) -> None:
    with pytest.raises(SpaceError, match=rf"The bank has no attribute '{name}'; it has: age, smile\."):
        bank().score(name)
