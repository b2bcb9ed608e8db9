import pytest
import torch

from engines.core.errors import SpaceError
from engines.generators import FfhqGenerator
from engines.generators.ffhq import ffhq_slots

FFHQ = ffhq_slots(7)


def numbered(count: int) -> torch.Tensor:
    """W+ whose every slot holds its own number."""
    return torch.arange(float(count))[None, :, None].expand(1, count, 4)


def numbers(codes: torch.Tensor) -> list[int]:
    return codes[0, :, 0].int().tolist()


def test_the_1024_px_generator_has_16_active_of_23_slots() -> None:
    assert FFHQ.count == 23
    assert FFHQ.active == (0, 1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 21)


def test_groups_part_the_active_slots() -> None:
    groups = FFHQ.groups
    assert groups["all"] == FFHQ.active
    assert groups["coarse"] + groups["middle"] + groups["fine"] == FFHQ.active
    assert groups["coarse"] == (0, 1, 2)
    assert groups["middle"] == (4, 5, 7, 8)


@pytest.mark.parametrize(
    ("layer", "slot"),
    [("conv_4", 0), ("up_8", 1), ("conv1_8", 1), ("conv2_8", 2), ("up_16", 4), ("conv1_64", 10), ("conv2_512", 20), ("to_img_512", 21)],
)
def test_layers_read_their_slots(layer: str, slot: int) -> None:
    assert FFHQ.of_layer(layer) == slot


def test_every_layer_reads_an_active_slot(toy: FfhqGenerator) -> None:
    assert {toy.slots.of_layer(layer) for layer in toy.layout("s")} == set(toy.slots.active)


def test_published_codes_land_where_the_generator_reads_them() -> None:
    codes = FFHQ.from_published(numbered(18))
    assert numbers(codes) == [0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9, 10, 10, 11, 12, 12, 13, 14, 15, 15]


def test_published_codes_of_another_shape_are_refused() -> None:
    with pytest.raises(SpaceError, match=r"has 18 layers; this one has 14\."):
        FFHQ.from_published(numbered(14))
    with pytest.raises(SpaceError, match=r"fit the 1024 px generator only"):
        ffhq_slots(3).from_published(numbered(18))


def test_published_layers_name_active_slots() -> None:
    assert FFHQ.published_range(range(18)) == FFHQ.active
    assert FFHQ.published_range(range(4)) == (0, 1, 2, 4)
    assert FFHQ.published_range([]) == ()
    for late in (15, 16, 17):  # the generator has no convolutions at 1024 px
        assert FFHQ.published_range([late]) == (21,)


def test_dead_slots_repeat_the_one_below() -> None:
    assert numbers(FFHQ.fill_dead(numbered(23))) == [0, 1, 2, 2, 4, 5, 5, 7, 8, 8, 10, 11, 11, 13, 14, 14, 16, 17, 17, 19, 20, 21, 21]


def test_scatter_puts_active_codes_back() -> None:
    codes = FFHQ.scatter(torch.tensor([float(slot) for slot in FFHQ.active])[None, :, None])
    assert numbers(codes) == numbers(FFHQ.fill_dead(numbered(23)))
    assert torch.equal(FFHQ.fill_dead(codes), codes)


def test_spread_repeats_one_w_and_checks_the_rest() -> None:
    w = torch.randn(2, 4)
    assert torch.equal(FFHQ.spread(w), w[:, None].expand(2, 23, 4))
    assert FFHQ.spread(numbered(23)).shape == (1, 23, 4)
    with pytest.raises(SpaceError, match=r"has 18 layers; the generator has 23\."):
        FFHQ.spread(numbered(18))


def test_codes_go_to_the_published_layers_and_back() -> None:
    codes = torch.randn(2, 18, 4, generator=torch.Generator().manual_seed(0))
    ours = FFHQ.from_published(codes)
    there = FFHQ.to_published(ours)
    assert torch.equal(there[:, :16], codes[:, :16])
    assert torch.equal(there[:, 16:], codes[:, 15:16].expand(-1, 2, -1))  # the generator stops at 512 px and paints from there
    assert torch.equal(FFHQ.from_published(there), ours)


def test_each_published_layer_takes_the_slot_that_answers_to_it() -> None:
    assert numbers(FFHQ.to_published(numbered(23))) == [0, 1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 21, 21, 21]


def test_dead_slots_do_not_reach_published_codes() -> None:
    codes = numbered(23).clone()
    codes[:, [slot for slot in range(23) if slot not in FFHQ.active]] = -1
    assert torch.equal(FFHQ.to_published(codes), FFHQ.to_published(numbered(23)))


def test_only_the_1024_px_generator_has_published_codes() -> None:
    with pytest.raises(SpaceError, match="fit the 1024 px generator only; this one has 11 layers"):
        ffhq_slots(3).to_published(numbered(11))
