import torch

from engines.core.seeds import normal
from engines.generators import FfhqGenerator
from engines.spaces.coordinates import principal_coordinates
from engines.spaces.statistics import random_w, statistics


def test_all_components_read_back_what_they_change(toy: FfhqGenerator) -> None:
    frame = principal_coordinates(statistics(toy).bank, toy.slots, toy.width)
    offsets = normal((2, len(toy.slots.active), toy.width), 1)
    codes = toy.slots.spread(frame.mean[None]) + frame.change(offsets)
    assert torch.allclose(frame.read(codes), offsets, atol=1e-3)


def test_samples_have_unit_variance_and_dead_slots_repeat_the_one_below(toy: FfhqGenerator) -> None:
    known = statistics(toy)
    frame = principal_coordinates(known.bank, toy.slots, 8)
    assert torch.allclose(frame.read(known.bank)[:, 0].std(dim=0), torch.ones(8), atol=0.01)
    change = frame.change(frame.read(random_w(toy, 1)))
    assert torch.equal(change, toy.slots.fill_dead(change))
