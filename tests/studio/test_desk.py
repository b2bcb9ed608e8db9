import gc

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pil

from engines import Inversion, Latent
from engines.core.errors import StudioError
from studio.shelf import MAX_DESKS, Desk, Visitors

PICTURE = Pil.new("RGB", (64, 64))


def inversion(seed: int) -> Inversion:
    return Inversion(Latent("w", torch.full((1, 32), float(seed))))


def test_the_same_codes_are_placed_once() -> None:
    desk = Desk(2**20)
    assert desk.put("a", PICTURE, inversion(1)).key == desk.put("b", PICTURE, inversion(1)).key
    assert len(desk.shelf) == 1


def tuned(seed: int, change: torch.Tensor) -> Inversion:
    return Inversion(inversion(seed).latent, {"conv1_32.bias": change})


def test_one_code_with_two_weight_changes_is_two_pictures() -> None:
    desk = Desk(2**20)
    keys = {desk.put("a", PICTURE, item).key for item in (inversion(1), tuned(1, torch.ones(4)), tuned(1, torch.zeros(4)))}
    assert len(keys) == 3


def test_a_weight_change_that_two_pictures_share_counts_once() -> None:
    one, two, change = Desk(2**20), Desk(2**20), torch.ones(1000, dtype=torch.half)
    one.put("a", PICTURE, tuned(1, change))
    two.put("a", PICTURE, tuned(1, change))
    two.put("b", PICTURE, tuned(2, change))
    picture = 3 * PICTURE.width * PICTURE.height
    assert picture < two.used() - one.used() < picture + 2 * 1000
    assert one.used() > 2 * 1000


def test_tuning_can_be_weakened_and_comes_back_whole() -> None:
    desk = Desk(2**20)
    first, other = desk.put("a", PICTURE, tuned(1, torch.ones(4).half())), desk.put("b", PICTURE, inversion(2))
    half = desk.weaken(first.key, 0.5)
    assert list(desk.shelf) == [half.key, other.key]
    assert torch.equal(half.inversion.tuning["conv1_32.bias"], torch.full((4,), 0.5).half())
    none = desk.weaken(half.key, 0.0)
    assert none.inversion.tuning == {} and none.tuning_bytes == 8
    assert desk.find(first.key) is none and desk.find(half.key) is none
    assert desk.weaken(half.key, 1.0).key == first.key
    assert desk.find(none.key) is desk.shelf[first.key] and desk.find("never") is None


@pytest.mark.parametrize(("key", "strength", "sentence"), [("gone", 0.5, "no longer"), (None, 1.5, "from 0 to 1"), (None, -0.1, "from 0")])
def test_what_cannot_be_weakened_gets_a_sentence(key: str | None, strength: float, sentence: str) -> None:
    desk = Desk(2**20)
    item = desk.put("a", PICTURE, tuned(1, torch.ones(4)))
    with pytest.raises(StudioError, match=sentence):
        desk.weaken(key or item.key, strength)


def test_the_photos_tuned_along_are_other_photos_and_each_once() -> None:
    desk, mine, hers = Desk(2**20), Pil.new("RGB", (8, 8)), Pil.new("RGB", (8, 8), "white")
    desk.put("a", PICTURE, inversion(1), mine)
    desk.put("b", PICTURE, inversion(2), hers)
    newest = desk.put("c", PICTURE, inversion(3), hers)
    desk.put("d", PICTURE, inversion(4))
    assert desk.others(mine) == [newest]


@given(st.lists(st.integers(0, 50), max_size=40))
@settings(max_examples=30, deadline=None)
def test_a_shelf_never_passes_its_budget(seeds: list[int]) -> None:
    desk = Desk(100_000)
    for seed in seeds:
        try:
            desk.put("x", PICTURE, inversion(seed))
        except StudioError as error:
            assert "full" in str(error)
        assert desk.used() <= 100_000


def test_visitors_share_nothing() -> None:
    visitors = Visitors(2**20)
    visitors.desk("one").put("a", PICTURE, inversion(1))
    assert not visitors.desk("two").shelf


def test_a_visitor_who_leaves_is_forgotten() -> None:
    visitors = Visitors(2**20)
    visitors.desk("one").put("a", PICTURE, inversion(1))
    visitors.leave("one")
    gc.collect()
    assert len(visitors) == 0 and not visitors.desk("one").shelf


def test_idle_desks_go_first_when_there_are_too_many() -> None:
    visitors = Visitors(2**20)
    busy = visitors.desk("busy")
    busy.taken_by = "a run"
    for index in range(MAX_DESKS + 20):
        visitors.desk(str(index))
    assert len(visitors) == MAX_DESKS
    assert visitors.desk("busy") is busy


def test_taking_off_what_is_not_there_is_no_fault() -> None:
    desk = Desk(2**20)
    desk.take_off("nothing")
    with pytest.raises(KeyError):
        desk.shelf["nothing"]


def test_a_full_picture_is_due_once_after_a_rest() -> None:
    desk = Desk(budget=1)
    assert not desk.rested(0)
    desk.move()
    assert desk.rested(0) and not desk.rested(60)
    desk.drawn = desk.moves
    assert not desk.rested(0)
