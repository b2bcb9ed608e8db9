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
    busy.running = True
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
