import pytest
import torch
from torch import nn

from engines.generators.ffhq import ffhq_slots
from engines.nets.heads import LevelHeads
from engines.nets.initial import Gentle, seeded
from engines.nets.irse import Body, Levels
from engines.nets.latent_discriminator import POOL, LatentDiscriminator
from engines.nets.stylemap_heads import StylemapHeads

WIDTHS = (128, 256, 256)


@pytest.fixture(scope="module")
def body() -> Body:
    return seeded(Body, 0).eval()


@pytest.mark.parametrize("side", [64, 128])
def test_the_body_gives_three_scales(body: Body, side: int) -> None:
    levels = body(torch.zeros(2, 3, side, side))
    assert [tuple(level.shape[1:]) for level in levels] == [
        (128, side // 8, side // 8),
        (256, side // 16, side // 16),
        (256, side // 32, side // 32),
    ]
    assert body.widths == WIDTHS


def test_the_shared_body_fits_in_ten_megabytes_and_heads_in_five() -> None:
    """In half precision, as they are shipped."""
    assert 2 * sum(value.numel() for value in Body().state_dict().values()) <= 10e6
    for heads in (LevelHeads(WIDTHS, ffhq_slots(7), 512), StylemapHeads(WIDTHS, 512, 8)):
        assert 2 * sum(value.numel() for value in heads.state_dict().values()) <= 5e6


def test_a_unit_that_keeps_width_and_side_passes_its_input_through() -> None:
    stage = Body().stages[2]
    assert isinstance(stage, nn.Sequential)
    assert isinstance(stage[1].shortcut, nn.MaxPool2d)
    x = torch.randn(1, 256, 4, 4)
    assert torch.equal(stage[1].shortcut(x), x)


def test_first_weights_depend_on_the_seed_alone_and_touch_no_global_stream() -> None:
    state = torch.get_rng_state()
    first = seeded(lambda: nn.Linear(8, 8), 3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(first.weight, seeded(lambda: nn.Linear(8, 8), 3).weight)
    assert not torch.equal(first.weight, seeded(lambda: nn.Linear(8, 8), 4).weight)
    assert not first.bias.any()
    assert torch.allclose(seeded(lambda: Gentle(8, 8), 3).weight, 0.1 * first.weight)


def rows_that_change(heads: LevelHeads, level: int) -> set[str]:
    """Groups of slots whose vectors notice a change of one level."""
    torch_levels = [torch.zeros(1, width, 4 * 2 ** (2 - place), 4 * 2 ** (2 - place)) for place, width in enumerate(WIDTHS)]
    before = heads(Levels(*torch_levels))
    torch_levels[level] = torch.randn(torch_levels[level].shape, generator=torch.Generator().manual_seed(0))
    moved = (heads(Levels(*torch_levels)) - before).abs().amax(dim=(0, 2)) > 0
    slots = ffhq_slots(7)
    return {name for name in ("coarse", "middle", "fine") for slot in slots.groups[name] if moved[slots.active.index(slot)]}


def test_levels_are_split_as_in_the_paper() -> None:
    heads = seeded(lambda: LevelHeads(WIDTHS, ffhq_slots(7), 32), 0)
    assert rows_that_change(heads, 0) == {"fine"}
    assert rows_that_change(heads, 1) == {"middle", "fine"}
    assert rows_that_change(heads, 2) == {"coarse", "middle", "fine"}


def test_the_critic_remembers_fifty_vectors_of_each_kind() -> None:
    critic, chance = LatentDiscriminator(4), torch.Generator().manual_seed(0)
    first = torch.arange(4.0 * POOL).view(POOL, 4)
    assert torch.equal(critic.remembered(first, 0, chance), first)
    assert critic.filled.tolist() == [POOL, 0]
    answers = critic.remembered(-first - 1, 0, chance)
    old = (answers >= 0).all(dim=1)
    assert 0.2 < float(old.float().mean()) < 0.8
    assert float((critic.pool[0] < 0).all(dim=1).float().mean()) > 0.2
