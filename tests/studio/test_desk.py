import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pil

from engines import Inversion, Latent
from engines.core.errors import StudioError
from studio.state.visitor import Visitor

PICTURE = Pil.new("RGB", (64, 64))


def inversion(seed: int) -> Inversion:
    return Inversion(Latent("w", torch.full((1, 32), float(seed))))


def test_the_same_codes_are_placed_once() -> None:
    visitor = Visitor(2**20)
    assert visitor.put("a", PICTURE, inversion(1)).key == visitor.put("b", PICTURE, inversion(1)).key
    assert len(visitor.shelf) == 1


def tuned(seed: int, change: torch.Tensor) -> Inversion:
    return Inversion(inversion(seed).latent, {"conv1_32.bias": change})


def test_one_code_with_two_weight_changes_is_two_pictures() -> None:
    visitor = Visitor(2**20)
    keys = {visitor.put("a", PICTURE, item).key for item in (inversion(1), tuned(1, torch.ones(4)), tuned(1, torch.zeros(4)))}
    assert len(keys) == 3


def test_a_weight_change_that_two_pictures_share_counts_once() -> None:
    one, two, change = Visitor(2**20), Visitor(2**20), torch.ones(1000, dtype=torch.half)
    one.put("a", PICTURE, tuned(1, change))
    two.put("a", PICTURE, tuned(1, change))
    two.put("b", PICTURE, tuned(2, change))
    picture = 3 * PICTURE.width * PICTURE.height
    assert picture < two.used() - one.used() < picture + 2 * 1000
    assert one.used() > 2 * 1000


def test_tuning_can_be_weakened_and_comes_back_whole() -> None:
    visitor = Visitor(2**20)
    first, other = visitor.put("a", PICTURE, tuned(1, torch.ones(4).half())), visitor.put("b", PICTURE, inversion(2))
    half = visitor.weaken(first.key, 0.5)
    assert list(visitor.shelf) == [half.key, other.key]
    assert torch.equal(half.inversion.tuning["conv1_32.bias"], torch.full((4,), 0.5).half())
    none = visitor.weaken(half.key, 0.0)
    assert none.inversion.tuning == {} and none.tuning_bytes == 8
    assert visitor.find(first.key) is none and visitor.find(half.key) is none
    assert visitor.weaken(half.key, 1.0).key == first.key
    assert visitor.find(none.key) is visitor.shelf[first.key] and visitor.find("never") is None


@pytest.mark.parametrize(("key", "strength", "sentence"), [("gone", 0.5, "no longer"), (None, 1.5, "from 0 to 1"), (None, -0.1, "from 0")])
def test_what_cannot_be_weakened_gets_a_sentence(key: str | None, strength: float, sentence: str) -> None:
    visitor = Visitor(2**20)
    item = visitor.put("a", PICTURE, tuned(1, torch.ones(4)))
    with pytest.raises(StudioError, match=sentence):
        visitor.weaken(key or item.key, strength)


def test_the_photos_tuned_along_are_other_photos_and_each_once() -> None:
    visitor, mine, hers = Visitor(2**20), Pil.new("RGB", (8, 8)), Pil.new("RGB", (8, 8), "white")
    visitor.put("a", PICTURE, inversion(1), mine)
    visitor.put("b", PICTURE, inversion(2), hers)
    newest = visitor.put("c", PICTURE, inversion(3), hers)
    visitor.put("d", PICTURE, inversion(4))
    assert visitor.others(mine) == [newest]


@given(st.lists(st.integers(0, 50), max_size=40))
@settings(max_examples=30, deadline=None)
def test_a_shelf_never_passes_its_budget(seeds: list[int]) -> None:
    visitor = Visitor(100_000)
    for seed in seeds:
        try:
            visitor.put("x", PICTURE, inversion(seed))
        except StudioError as error:
            assert "full" in str(error)
        assert visitor.used() <= 100_000


def test_taking_off_what_is_not_there_is_no_fault() -> None:
    visitor = Visitor(2**20)
    visitor.take_off("nothing")
    with pytest.raises(KeyError):
        visitor.shelf["nothing"]


def test_a_full_picture_is_due_once_after_a_rest() -> None:
    visitor = Visitor(budget=1)
    assert not visitor.rested(0)
    visitor.move()
    assert visitor.rested(0) and not visitor.rested(60)
    visitor.drawn = visitor.moves
    assert not visitor.rested(0)
