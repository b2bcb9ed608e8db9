"""Lines: one thing at a time, fair between visitors, and honest about the wait."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest
from gradio.context import LocalContext

from engines.core.errors import StudioError
from studio.serving.cookie import VISITOR_COOKIE
from studio.serving.lines import ASIDE, BACKGROUND, MAP, ONE_PASS, POINT, PREVIEW, RUN, SETTLE, Crowd, Line, Lines, in_line, told
from studio.serving.threads import on_thread
from studio.serving.tickets import Overtaken, Standing, Ticket
from tests.waiting import done


def alone(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a coroutine on an event loop of its own."""

    def run() -> None:
        done(asyncio.wait_for(test(), 20))

    run.__name__ = test.__name__
    return run


def served(line: Line, tickets: list[Ticket]) -> list[str]:
    """Who is served in which order, each finishing at once."""
    names = []
    while tickets:
        going = next(ticket for ticket in tickets if ticket.turn.is_set())
        names.append(going.visitor)
        tickets.remove(going)
        line.leave(going)
    return names


@alone
async def test_one_who_asks_for_many_things_lets_others_in_between() -> None:
    line = Line()
    tickets = [line.join(visitor, "run") for visitor in ("ann",) * 5 + ("ben",) * 2 + ("eve",)]
    assert served(line, tickets) == ["ann", "ben", "eve", "ann", "ben", "ann", "ann", "ann"]


@alone
async def test_everyones_first_comes_before_anyones_second() -> None:
    line = Line()
    line.join("kim", "run")
    waiting = [line.join(visitor, "run") for visitor in ("ann", "ann", "ben", "ann", "ben")]
    assert [line.standing(ticket).place for ticket in waiting] == [1, 3, 2, 5, 4]


@alone
async def test_who_was_served_longest_ago_is_next() -> None:
    line = Line()
    for visitor in ("ann", "ben"):
        line.leave(line.join(visitor, "run"))
    first = line.join("eve", "run")
    tickets = [first, line.join("ben", "run"), line.join("ann", "run")]
    assert served(line, tickets) == ["eve", "ann", "ben"]


@alone
async def test_a_visitor_and_the_line_have_limits_told_in_words() -> None:
    line = Line(each=2, most=2)
    kept = [line.join("ann", "run"), line.join("ann", "run")]
    with pytest.raises(StudioError, match="You have 2 runs"):
        line.join("ann", "run")
    kept.append(line.join("ben", "run"))
    with pytest.raises(StudioError, match="2 runs are waiting"):
        line.join("eve", "run")
    line.leave(kept[0])
    line.join("ann", "run")


@alone
async def test_a_place_given_up_frees_it_for_others() -> None:
    line = Line()
    going, waiting, last = (line.join(visitor, "run") for visitor in ("ann", "ben", "eve"))
    line.leave(waiting)
    assert line.standing(last).place == 1
    line.leave(going)
    assert last.turn.is_set() and not waiting.turn.is_set()
    line.leave(last)
    assert line.idle


@alone
async def test_the_wait_is_told_from_what_such_runs_took() -> None:
    line = Line()
    first = line.join("ann", "slow")
    assert line.standing(line.join("ben", "slow")) == Standing(1, 1, None)  # nothing is known yet
    await asyncio.sleep(0.2)
    line.leave(first)
    third = line.join("eve", "slow")
    standing = line.standing(third)
    assert standing.place == 1 and standing.seconds is not None and 0.1 < standing.seconds <= 0.3
    fourth = line.standing(line.join("ann", "slow"))
    assert fourth.seconds is not None and fourth.place == 2 and 0.3 < fourth.seconds <= 0.6


@alone
async def test_the_newest_run_counts_two_fifths_of_what_is_expected() -> None:
    """10 s, then 20 s: 10 + 0.4 * 10 = 14 s for the one that begins, and as much for the one behind it."""
    line = Line()
    for took in (10.0, 20.0):
        ticket = line.join("ann", "slow")
        ticket.started -= took
        line.leave(ticket)
    line.join("ann", "slow")
    assert line.standing(line.join("ben", "slow")).seconds == pytest.approx(14, abs=0.5)
    assert line.standing(line.join("eve", "slow")).seconds == pytest.approx(28, abs=0.5)


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing(1, 3, None), "Waiting: place 1 of 3 in line."),
        (Standing(2, 3, 41.7), "Waiting: place 2 of 3 in line, about 42 s until it starts."),
        (Standing(1, 1, 0.0), "Waiting: place 1 of 1 in line, about 1 s until it starts."),
        (Standing(9, 9, 200), "Waiting: place 9 of 9 in line, about 3 min until it starts."),
    ],
)
def test_a_standing_in_words(standing: Standing, words: str) -> None:
    assert str(standing) == words


@alone
async def test_what_nobody_watches_gives_way_but_not_for_ever() -> None:
    hand = Line()
    behind = Line(patience=0.2, before=(hand,))
    moving, waiting = hand.join("ann", "preview"), behind.join("ben", "cards")
    assert not waiting.turn.is_set()
    hand.leave(moving)
    assert waiting.turn.is_set()
    behind.leave(waiting)
    hand.join("ann", "preview")
    impatient = behind.join("ben", "cards")
    await asyncio.wait_for(impatient.turn.wait(), 2)


@alone
async def test_a_visitors_own_preview_waits_for_their_full_picture_and_nobody_elses() -> None:
    lines = Lines(4, 20)
    full = lines[SETTLE].join("ann", "settle")
    assert full.turn.is_set()
    mine, other = lines[PREVIEW].join("ann", "preview"), lines[PREVIEW].join("ben", "preview")
    assert other.turn.is_set() and not mine.turn.is_set()
    lines[PREVIEW].leave(other)
    assert not mine.turn.is_set()
    lines[SETTLE].leave(full)
    assert mine.turn.is_set()


@alone
async def test_a_visitors_own_map_holds_back_its_points_and_no_slider() -> None:
    lines = Lines(4, 20)
    drawn = lines[MAP].join("ann", "map")
    assert lines[PREVIEW].join("ann", "preview").turn.is_set()
    mine, other = lines[POINT].join("ann", "see"), lines[POINT].join("ben", "see")
    assert drawn.turn.is_set() and other.turn.is_set() and not mine.turn.is_set()


@alone
async def test_few_things_go_at_once_beside_a_hand() -> None:
    lines = Lines(4, 20)
    cards, full = lines["background"].join("ben", "cards"), lines[SETTLE].join("eve", "settle")
    pass_ = lines[ONE_PASS].join("ben", "e4e")
    assert cards.turn.is_set() and full.turn.is_set() and not pass_.turn.is_set()
    hand = lines[PREVIEW].join("ann", "preview")
    assert hand.turn.is_set()
    lines["background"].leave(cards)
    assert not pass_.turn.is_set(), "one fewer while a hand waits"
    lines[PREVIEW].leave(hand)
    assert pass_.turn.is_set()


@alone
async def test_lines_that_share_a_machine_have_their_shares_of_its_time() -> None:
    crowd = Crowd(1)
    large, small = Line(crowd=crowd, share=3), Line(crowd=crowd)
    waiting = {line: [line.join(f"{number}", "each") for number in range(12)] for line in (large, small)}
    order = []
    for _ in range(12):
        line, ticket = next((line, ticket) for line, tickets in waiting.items() for ticket in tickets if ticket.started is not None)
        ticket.started -= 1.0  # it took a second
        order.append(line)
        waiting[line].remove(ticket)
        line.leave(ticket)
    assert order.count(large) == 9 and small in order[:4]


@alone
async def test_a_line_that_was_idle_has_no_claim_on_the_time_before() -> None:
    crowd = Crowd(1)
    busy, idle = Line(crowd=crowd), Line(crowd=crowd)
    going = busy.join("ann", "each")
    going.started -= 100.0
    following = [busy.join("ann", "each") for _ in range(3)]
    busy.leave(going)
    late = [idle.join("ben", "each") for _ in range(3)]
    started = []
    for _ in range(4):
        line, ticket = next((line, each) for line, each in [(busy, following), (idle, late)] if each[0].started is not None)
        ticket[0].started -= 1.0
        started.append(line)
        line.leave(ticket.pop(0))
    assert started.count(idle) == 2


@alone
async def test_what_a_closed_page_asked_for_is_not_computed_but_its_runs_are() -> None:
    lines = Lines(4, 20)
    going = [lines[name].join("ann", name) for name in (PREVIEW, ONE_PASS)]
    pictures = asyncio.ensure_future(entered(lines[PREVIEW].turn("ben", "preview", "closed")))
    run = lines[ONE_PASS].join("ben", "e4e", "closed")
    await asyncio.sleep(0)
    lines.drop("closed")
    with pytest.raises(StudioError, match="closed"):
        await pictures
    for line, ticket in zip((PREVIEW, ONE_PASS), going, strict=True):
        lines[line].leave(ticket)
    assert lines[PREVIEW].idle and run.turn.is_set() and not run.is_dropped


@alone
async def test_what_a_page_asks_for_anew_overtakes_what_still_waits_and_nothing_else() -> None:
    for name in (SETTLE, MAP, ASIDE, BACKGROUND):
        line = Lines(4, 20)[name]
        going = line.join("ann", "full", "page")
        older, of_another, of_another_page = (
            asyncio.ensure_future(entered(line.turn(*asked)))
            for asked in (("ann", "full", "page"), ("ben", "full", "other"), ("ann", "full", "second"))
        )
        await asyncio.sleep(0)
        newer = line.join("ann", "full", "page")
        with pytest.raises(Overtaken):
            await older
        assert line.count == 4 and not of_another.done() and not of_another_page.done() and not newer.turn.is_set()
        line.leave(going)
        line.leave(newer)
        await asyncio.gather(of_another, of_another_page)
        assert line.idle


@alone
async def test_previews_and_runs_are_never_overtaken() -> None:
    for name in (PREVIEW, POINT, ONE_PASS, RUN):
        line = Lines(4, 20)[name]
        tickets = [line.join("ann", "each", "page") for _ in range(3)]
        assert line.count == 3
        for ticket in tickets:
            await asyncio.wait_for(ticket.wait(), 1)
            line.leave(ticket)


async def entered(turn: Any) -> None:
    async with turn:
        pass


@alone
async def test_several_hands_at_once_are_a_crowd() -> None:
    lines = Lines(4, 20)
    for visitor in ("ann", "ben", "eve"):
        lines[PREVIEW].join(visitor, "preview")
        assert not lines.is_crowded
    lines[PREVIEW].join("kim", "preview")
    assert lines.is_crowded


@alone
async def test_one_pass_methods_do_not_wait_behind_runs_of_minutes() -> None:
    lines = Lines(4, 20)
    lines[RUN].join("ann", "image2stylegan")
    assert lines[ONE_PASS].join("ben", "e4e").turn.is_set()


def by(visitor: str) -> Any:
    return SimpleNamespace(cookies={VISITOR_COOKIE: visitor}, session_hash=visitor)


async def gathered(updates: Any) -> list[Any]:
    async with aclosing(updates) as each:
        return [update async for update in each]


@alone
async def test_a_run_says_its_place_until_its_turn_and_then_its_steps() -> None:
    lines = Lines(4, 20)
    before = lines[RUN].join("ann", "first")
    LocalContext.request.set(by("ben"))

    def run(count: int) -> Iterator[str]:
        yield from (f"step {index}" for index in range(count))

    going = asyncio.create_task(gathered(told(run, lines, lambda count: (RUN, "second"), str)(2)))
    await asyncio.sleep(0.1)
    lines[RUN].leave(before)
    assert await going == ["Waiting: place 1 of 1 in line.", "step 0", "step 1"]
    assert lines[RUN].idle


@alone
async def test_one_that_is_stopped_while_it_waits_goes_on_to_its_end_at_once() -> None:
    lines, stopping = Lines(4, 20), []
    lines[RUN].join("ann", "first")
    LocalContext.request.set(by("ben"))
    waits = told(lambda: iter(["Stopped."]), lines, lambda: (RUN, "second"), str, lambda request: bool(stopping))()
    async with aclosing(waits):
        assert "place 1" in await anext(waits)
        stopping.append(True)
        assert await anext(waits) == "Stopped."
    assert not lines[RUN].join("eve", "third").turn.is_set()


@alone
async def test_a_visitor_who_leaves_ends_the_run_and_frees_the_line() -> None:
    lines, ended = Lines(4, 20), []
    LocalContext.request.set(by("ben"))

    def run() -> Iterator[str]:
        try:
            while True:
                yield "step"
        finally:
            ended.append(True)

    going = told(run, lines, lambda: (RUN, "run"), str)()
    assert await anext(going) == "step"
    await going.aclose()
    assert ended.pop() and lines[RUN].idle
    async with lines[RUN].lent("ben", "run"):
        going = in_line(run, lines[RUN])()
        assert await anext(going) == "step"
    assert not lines[RUN].idle
    await going.aclose()
    assert ended.pop() and lines[RUN].idle


@alone
async def test_one_that_is_left_in_the_middle_of_a_step_ends_with_the_step() -> None:
    """A page that is closed cancels its event while a thread still computes, and a generator at work cannot be closed."""
    begun, may_end, ended, line = threading.Event(), threading.Event(), [], Line()

    def run() -> Iterator[str]:
        try:
            begun.set()
            may_end.wait(10)
            yield "step"
        finally:
            ended.append(True)

    async def step() -> None:
        await anext(on_thread(run(), line.give_way))

    going = asyncio.ensure_future(step())
    while not begun.is_set():
        await asyncio.sleep(0.01)
    going.cancel()
    await asyncio.sleep(0.05)
    assert not ended
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert ended == [True]
