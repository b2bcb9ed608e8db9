import torch

from engines.generators import FfhqGenerator
from engines.metrics.consistency import editing_consistency, re_encoding_consistency, trimmed_mean
from engines.spaces.directions import Direction
from engines.spaces.statistics import random_w, statistics


def direction_of(toy: FfhqGenerator) -> Direction:
    vector = torch.nn.functional.normalize(torch.arange(1.0, toy.width + 1), dim=0)
    return Direction("up", "w", vector, toy.slots.active, 0.5, "a test")


def faces(toy: FfhqGenerator) -> torch.Tensor:
    return torch.cat([toy.synthesize(random_w(toy, seed)) for seed in range(3)])


class Remembers:
    """An encoder that knows the codes of what it is shown, in order, each a little off."""

    def __init__(self, codes: list[torch.Tensor], off: float) -> None:
        self.codes, self.off, self.calls = codes, off, 0

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.codes[self.calls - 1] + self.off * (self.calls % 2 == 0)


def shown(toy: FfhqGenerator, direction: Direction) -> list[torch.Tensor]:
    found = []
    for seed in range(3):
        code = toy.slots.spread(random_w(toy, seed)).clone()
        moved = code.clone()
        moved[:, list(direction.slots)] += 3 * direction.sigma * direction.vector
        found += [code, moved]
    return found


def test_an_encoder_that_knows_every_code_is_consistent(toy: FfhqGenerator) -> None:
    direction = direction_of(toy)
    left = editing_consistency(Remembers(shown(toy, direction), 0.0), toy, faces(toy), direction)
    assert left.shape == (3,)
    assert torch.allclose(left, torch.zeros(3), atol=1e-3)


def test_what_an_encoder_is_off_is_counted_in_deviations(toy: FfhqGenerator) -> None:
    direction = direction_of(toy)
    left = editing_consistency(Remembers(shown(toy, direction), 0.1), toy, faces(toy), direction)
    wanted = (0.1 / statistics(toy).deviation).expand(len(toy.slots.active), -1).norm()
    assert torch.allclose(left, wanted.expand(3), rtol=1e-3)


def test_an_encoder_that_always_says_the_same_is_off_by_the_edit(toy: FfhqGenerator) -> None:
    direction = direction_of(toy)
    same = toy.slots.spread(statistics(toy).mean)
    left = editing_consistency(lambda _: same, toy, faces(toy), direction)
    assert (left > 1).all()


def test_one_wild_value_does_not_count() -> None:
    values = torch.cat([torch.ones(199), torch.tensor([1e6])])
    assert trimmed_mean(values) == 1


def test_reading_again_counts_what_the_edit_did_beside_itself(toy: FfhqGenerator) -> None:
    direction, images = direction_of(toy), faces(toy)
    code = toy.slots.spread(random_w(toy, 1)).clone()
    moved = code.clone()
    moved[:, list(direction.slots)] += 3 * direction.sigma * direction.vector
    for off in (0.0, 0.1):
        answers = [moved + off, code]
        left = re_encoding_consistency(lambda _, answers=answers: answers.pop(0), toy, images[:1], images[1:2], (direction, 3.0))
        wanted = (off / statistics(toy).deviation).expand(len(toy.slots.active), -1).norm()
        assert torch.allclose(left, wanted.expand(1), rtol=1e-3, atol=1e-3)


def test_an_edit_that_did_nothing_counts_as_far_as_it_should_have_gone(toy: FfhqGenerator) -> None:
    direction, images = direction_of(toy), faces(toy)
    code = toy.slots.spread(random_w(toy, 1))
    left = re_encoding_consistency(lambda _: code, toy, images[:1], images[:1], (direction, 2.0))
    wanted = (2 * direction.sigma * direction.vector / statistics(toy).deviation).expand(len(toy.slots.active), -1).norm()
    assert torch.allclose(left, wanted.expand(1), rtol=1e-3)
