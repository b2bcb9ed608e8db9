"""Run and Stop: whose run is stopped, when, and what is said last."""

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from engines.core.errors import StudioError
from studio.serving.lines import Lines
from studio.state.moments import STOPPED
from studio.state.visitors import Visitors
from studio.ui.run_control import NOTHING, Going, Stopper, own_slots

ANN, BEN = (SimpleNamespace(session_hash=name) for name in ("ann", "ben"))
BUTTONS: Any = SimpleNamespace(status="status")
LINES = Lines(each=4, most=20)


@pytest.fixture
def visitors() -> Visitors:
    return Visitors(0)


@pytest.fixture
def runs(visitors: Visitors) -> Stopper:
    return Stopper(BUTTONS, visitors.visitor, LINES)


def counting(runs: Stopper, who: Any, steps: list[int]) -> Going:
    for step in range(5):
        if runs.slot(who).is_stopping():
            return {"status": f"Stopped at {step}"}
        steps.append(step)
        yield {"status": f"Step {step}"}
    return {"status": "Done"}


def said(runs: Stopper, who: Any, steps: list[int], stop_at: int | None = None) -> list[str]:
    words = []
    for changes in runs.going(who, counting(runs, who, steps)):
        words.append(changes["status"])
        if len(words) == stop_at:
            assert runs.stop(who)
    return words


def test_a_stopped_run_has_the_last_word(runs: Stopper) -> None:
    runs.claim(runs.slot(ANN))
    assert said(runs, ANN, [], stop_at=2) == ["Step 0", "Step 1", "Stopped at 2"]


def test_one_that_waits_for_its_turn_computes_nothing_once_stopped(runs: Stopper) -> None:
    steps: list[int] = []
    runs.claim(runs.slot(ANN))
    assert runs.stop(ANN)
    assert said(runs, ANN, steps) == [STOPPED] and steps == []
    assert not runs.slot(ANN).running


def test_the_next_run_is_not_stopped_by_the_last_stop(runs: Stopper) -> None:
    runs.claim(runs.slot(ANN))
    said(runs, ANN, [], stop_at=1)
    assert not runs.stop(ANN)  # nothing is running
    runs.claim(runs.slot(ANN))
    assert said(runs, ANN, [])[-1] == "Done"


def test_a_stop_that_comes_too_late_leaves_the_last_words(runs: Stopper) -> None:
    assert runs.last_words(ANN) == (0, NOTHING)
    runs.claim(runs.slot(ANN))
    said(runs, ANN, [])
    assert not runs.stop(ANN) and runs.last_words(ANN)[1] == "Done" and runs.last_words(BEN)[1] == NOTHING
    runs.claim(runs.slot(ANN))
    assert runs.last_words(ANN)[1] == NOTHING, "they were of another run"


def test_of_two_kinds_of_runs_in_a_cell_the_later_has_the_last_words(visitors: Visitors) -> None:
    first, second = (Stopper(BUTTONS, own_slots(visitors), LINES) for _ in range(2))
    for runs, steps in ((first, 1), (second, None), (first, None)):
        said(runs, ANN, [], stop_at=steps)
        assert max(each.last_words(ANN) for each in (first, second))[1] == ("Stopped at 1" if steps else "Done")
    assert second.last_words(ANN)[0] < first.last_words(ANN)[0]


def test_one_visitor_stops_no_other(runs: Stopper) -> None:
    for who in (ANN, BEN):
        runs.claim(runs.slot(who))
    assert runs.stop(ANN)
    assert said(runs, BEN, [])[-1] == "Done" and said(runs, ANN, []) == [STOPPED]


def test_a_second_run_is_refused_while_one_waits_or_goes(runs: Stopper) -> None:
    runs.claim(runs.slot(ANN))
    for _ in range(2):
        with pytest.raises(StudioError, match="still going"):
            runs.claim(runs.slot(ANN))
        runs.stop(ANN)  # also while it has not ended yet


def test_cells_that_share_a_seat_run_one_at_a_time_and_stop_their_own(visitors: Visitors, runs: Stopper) -> None:
    beside, apart = Stopper(BUTTONS, runs.slot, LINES), Stopper(BUTTONS, own_slots(visitors), LINES)
    runs.claim(runs.slot(ANN))
    with pytest.raises(StudioError, match="still going"):
        next(beside.going(ANN, counting(beside, ANN, [])))
    assert apart.claim(apart.slot(ANN))
    assert not beside.stop(ANN) and apart.stop(ANN)
    assert said(runs, ANN, [])[-1] == "Done"
    beside.claim(beside.slot(ANN))
    runs.leave(runs.slot(ANN))  # a late message of a run that failed
    assert beside.slot(ANN).running


def test_the_seat_is_free_before_the_last_words_and_after_a_failure(runs: Stopper) -> None:
    def failing() -> Going:
        yield {}
        raise StudioError("It went wrong.")

    for changes in runs.going(ANN, counting(runs, ANN, [])):
        assert runs.slot(ANN).running == (changes["status"] != "Done")
    with pytest.raises(StudioError, match="went wrong"):
        list(runs.going(ANN, failing()))
    assert not runs.slot(ANN).running


def test_leaving_the_page_ends_the_run(runs: Stopper) -> None:
    steps: list[int] = []
    going = runs.going(ANN, counting(runs, ANN, steps))
    next(going)
    going.close()
    assert steps == [0] and not runs.slot(ANN).running


def test_no_event_of_the_page_is_cut_off_by_another(page: gr.Blocks) -> None:
    events = page.get_config_file()["dependencies"]
    assert len(events) > 100 and not [event for event in events if event["cancels"]]
