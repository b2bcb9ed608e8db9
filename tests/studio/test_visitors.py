"""Whose visitor is whose, and how long it stays."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pil

from studio.serving.cookie import VISITOR_COOKIE, asker_of
from studio.state.holding import held_bytes
from studio.state.visitors import MAX_VISITORS, Visitors

MEGABYTE = 2**20
ANN, BEN = "a" * 32, "b" * 32


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visitors(clock: Clock) -> Visitors:
    return Visitors(MEGABYTE, grace=600, clock=clock)


def at(session: str, cookie: str | None = None) -> Any:
    return SimpleNamespace(session_hash=session, cookies={VISITOR_COOKIE: cookie} if cookie else {})


def test_visitors_share_nothing_and_a_stranger_with_the_session_finds_nothing(visitors: Visitors) -> None:
    mine = visitors.visitor(at("one", ANN))
    assert visitors.visitor(at("two", BEN)) is not mine
    assert visitors.visitor(at("one", BEN)) is not mine and visitors.visitor(at("one")) is not mine
    assert visitors.visitor(at("one", ANN)) is mine


def test_a_tab_finds_its_desk_again_after_a_reload(visitors: Visitors, clock: Clock) -> None:
    mine = visitors.arrive(at("one", ANN), "tab")
    visitors.leave(at("one", ANN))
    clock.now += 599
    visitors.sweep()
    assert visitors.visitor(at("two", ANN)) is not mine  # an event before the word of the tab
    assert visitors.arrive(at("two", ANN), "tab") is mine and visitors.visitor(at("two", ANN)) is mine
    assert len(visitors) == 1


def test_a_reload_finds_the_desk_before_the_old_page_is_known_to_be_closed(visitors: Visitors) -> None:
    mine = visitors.arrive(at("one", ANN), "tab")
    assert visitors.arrive(at("two", ANN), "tab") is mine
    visitors.leave(at("one", ANN))
    assert visitors.arrive(at("three", ANN), "tab") is mine


def test_a_tab_opened_again_takes_over_what_a_closed_one_left(visitors: Visitors) -> None:
    mine = visitors.arrive(at("one", ANN), "tab")
    visitors.leave(at("one", ANN))
    assert visitors.arrive(at("two", ANN), "another tab") is mine


def test_two_open_tabs_of_a_browser_have_a_desk_each(visitors: Visitors) -> None:
    first = visitors.arrive(at("one", ANN), "tab")
    assert visitors.arrive(at("two", ANN), "another tab") is not first


def test_a_tab_name_alone_opens_no_desk(visitors: Visitors) -> None:
    mine = visitors.arrive(at("one", ANN), "tab")
    visitors.leave(at("one", ANN))
    assert visitors.arrive(at("two", BEN), "tab") is not mine and visitors.arrive(at("three"), "tab") is not mine


@pytest.mark.parametrize("tab", [None, 5, ["tab"], "", "x" * 10_000])
def test_any_name_of_a_tab_is_taken(visitors: Visitors, tab: Any) -> None:
    assert visitors.arrive(at("one", ANN), tab) is visitors.visitor(at("one", ANN))


def test_a_stranger_cannot_end_a_visit(visitors: Visitors, clock: Clock) -> None:
    mine = visitors.arrive(at("one", ANN), "tab")
    visitors.leave(at("one", BEN))
    visitors.leave(at("one"))
    clock.now += 10_000
    visitors.sweep()
    assert visitors.visitor(at("one", ANN)) is mine


def test_what_was_left_is_forgotten_after_the_grace_time_with_all_its_sessions(clock: Clock) -> None:
    told: list[str] = []
    visitors = Visitors(MEGABYTE, grace=600, forget=told.append, clock=clock)
    mine = visitors.arrive(at("one", ANN), "tab")
    visitors.arrive(at("two", ANN), "tab")
    visitors.leave(at("one", ANN))
    visitors.leave(at("two", ANN))
    clock.now += 601
    mine.take("a run")
    visitors.sweep()
    assert len(visitors) == 1 and not told  # not while its run goes
    mine.taken_by = None
    visitors.sweep()
    assert len(visitors) == 0 and told == [ANN]
    assert visitors.visitor(at("two", ANN)) is not mine


def test_a_browser_keeps_its_files_until_its_last_tab_is_gone(clock: Clock) -> None:
    told: list[str] = []
    visitors = Visitors(MEGABYTE, grace=600, forget=told.append, clock=clock)
    for session in ("one", "two"):
        visitors.arrive(at(session, ANN), f"tab {session}")
    visitors.leave(at("one", ANN))
    clock.now += 601
    visitors.sweep()
    assert len(visitors) == 1 and not told
    visitors.visitor(at("program"))
    visitors.leave(at("two", ANN))
    clock.now += 601
    visitors.sweep()
    assert sorted(told) == [ANN, "session:program"]


def test_a_program_keeps_its_desk_while_it_asks(visitors: Visitors, clock: Clock) -> None:
    mine = visitors.visitor(at("one"))
    for _ in range(5):
        clock.now += 500
        visitors.sweep()
        assert visitors.visitor(at("one")) is mine
    clock.now += 601
    visitors.sweep()
    assert len(visitors) == 0


def test_idle_desks_go_first_when_there_are_too_many(visitors: Visitors, clock: Clock) -> None:
    busy = visitors.visitor(at("busy"))
    busy.take("a run")
    looking = visitors.arrive(at("looking", ANN), "tab")
    for index in range(MAX_VISITORS + 20):
        clock.now += 0.001
        visitors.visitor(at(str(index)))
    assert len(visitors) == MAX_VISITORS
    assert visitors.visitor(at("busy")) is busy and visitors.visitor(at("looking", ANN)) is looking


def test_all_desks_together_have_one_budget_and_who_was_idle_longest_gives_way(clock: Clock) -> None:
    visitors = Visitors(MEGABYTE, total=5 * MEGABYTE, clock=clock)
    states = {}
    for name in ("old", "young", "new"):
        clock.now += 1
        states[name] = visitors.visitor(at(name))
        states[name].photo = Pil.new("RGB", (1024, 683))  # 2.1 MB
    visitors.sweep()
    assert {name: visitors.visitor(at(name)) is visitor for name, visitor in states.items()} == {"old": False, "young": True, "new": True}


def test_what_parts_of_the_page_keep_counts_and_makes_a_desk_busy(visitors: Visitors) -> None:
    from studio.state.visitor import PhotoState

    visitor = visitors.visitor(at("one"))
    photo_state = visitor.own("upload", PhotoState)
    assert visitor.own("upload", PhotoState) is photo_state and not visitor.busy
    photo_state.photo = Pil.new("RGB", (100, 100))
    assert held_bytes(visitor) == 30_000
    photo_state.take("a run")
    assert visitor.busy


def test_shared_memory_counts_once() -> None:
    tensor, picture, array = torch.zeros(10), Pil.new("L", (5, 4)), np.zeros(3)
    assert held_bytes([tensor, tensor[2:]], {"a": picture, "b": (picture, array)}, b"abc", "text", 5) == 40 + 20 + 24 + 3


def test_a_program_is_told_from_others_by_its_login_and_then_by_its_address() -> None:
    client = SimpleNamespace(host="127.0.0.1")
    by_login = SimpleNamespace(cookies={"access-token-x": "token"}, client=client, session_hash="a")
    assert asker_of(at("a", ANN)) == ANN and asker_of(by_login) == "token"
    assert asker_of(SimpleNamespace(cookies={}, client=client, session_hash="a")) == "127.0.0.1" and asker_of(None) is not None


def test_a_sweep_says_who_has_a_desk(clock: Clock) -> None:
    told: list[tuple[set[str], float]] = []
    visitors = Visitors(MEGABYTE, grace=600, tidy=lambda *each: told.append(each), clock=clock)
    visitors.arrive(at("one", ANN), "tab")
    visitors.visitor(at("two"))
    visitors.sweep()
    visitors.leave(at("one", ANN))
    clock.now += 601
    visitors.sweep()
    assert told == [({ANN, "session:two"}, 600), (set(), 600)]
