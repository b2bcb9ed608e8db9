import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engines.core.errors import SpaceError
from engines.core.seeds import normal
from engines.generators import Student
from engines.spaces.directions import Direction, apply
from engines.spaces.latent import Latent
from engines.spaces.slots import Slots

SLOTS = Slots(3)
WIDTH = 32

strengths = st.floats(-5, 5, allow_nan=False)
some_slots = st.sets(st.sampled_from(SLOTS.active), min_size=1).map(lambda slots: tuple(sorted(slots)))


def direction(slots: tuple[int, ...] = SLOTS.active, seed: int = 0, sigma: float = 0.7) -> Direction:
    vector = normal((WIDTH,), seed)
    return Direction("test", "w", vector / vector.norm(), slots, sigma, "drawn at random")


@given(strengths, some_slots, st.integers(0, 100))
def test_there_and_back_restores_the_code(strength: float, slots: tuple[int, ...], seed: int) -> None:
    latent = Latent("w_plus", normal((2, SLOTS.count, WIDTH), seed))
    edit = direction(slots, seed)
    back = apply(apply(latent, [(edit, strength)], SLOTS), [(edit, -strength)], SLOTS)
    assert torch.allclose(back.codes, latent.codes, atol=1e-5)


@given(strengths.filter(bool), some_slots)
def test_only_its_slots_move_and_by_strength_times_sigma(strength: float, slots: tuple[int, ...]) -> None:
    latent = Latent("w", normal((1, WIDTH), 1))
    edit = direction(slots)
    moved = apply(latent, [(edit, strength)], SLOTS)
    assert moved.space == "w_plus"
    way = moved.codes - SLOTS.spread(latent.codes)
    still = [slot for slot in range(SLOTS.count) if slot not in slots]
    assert torch.equal(way[:, still], torch.zeros_like(way[:, still]))
    for slot in slots:
        assert torch.allclose(way[0, slot], strength * edit.sigma * edit.vector, atol=1e-5)


@given(strengths, strengths)
def test_edits_add_up_in_any_order(first: float, second: float) -> None:
    latent = Latent("w", normal((1, WIDTH), 1))
    edits = [(direction(seed=1), first), (direction(seed=2), second)]
    assert torch.allclose(apply(latent, edits, SLOTS).codes, apply(latent, edits[::-1], SLOTS).codes, atol=1e-5)


@pytest.mark.parametrize("edits", [[], [(direction(), 0.0)], [(direction(), 0.0), (direction(seed=2), 0.0)]])
def test_nothing_to_do_returns_the_very_code(edits: list[tuple[Direction, float]]) -> None:
    latent = Latent("w", normal((1, WIDTH), 1))
    assert apply(latent, edits, SLOTS) is latent


def test_the_code_given_is_never_written_to() -> None:
    latent = Latent("w_plus", normal((1, SLOTS.count, WIDTH), 1))
    before = latent.codes.clone()
    apply(latent, [(direction(), 2.0)], SLOTS)
    assert torch.equal(latent.codes, before)


@pytest.mark.parametrize("space", ["z", "s"])
def test_spaces_that_directions_do_not_reach_are_refused(space: str) -> None:
    with pytest.raises(SpaceError, match=rf"this code is in {space}\."):
        apply(Latent(space, normal((1, WIDTH), 1)), [(direction(), 1.0)], SLOTS)


def test_strength_zero_draws_the_same_bits(toy: Student) -> None:
    latent = Latent("w", toy.map(normal((1, WIDTH), 1)))
    assert torch.equal(toy.synthesize(apply(latent, [(direction(), 0.0)], toy.slots)), toy.synthesize(latent))
