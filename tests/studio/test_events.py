import threading
import time
from pathlib import Path

import gradio as gr
import pytest
import torch

from engines import Result
from engines.contract import Progress
from engines.core.errors import StudioError
from studio.state.moments import STOPPED, Moment, moments, say
from studio.ui.run_events import Offers, offer, spoken

PICTURE = torch.zeros(1, 3, 8, 8)


def steps(count: int, freed: list[str], pause: float = 0.0):
    try:
        for step in range(1, count + 1):
            time.sleep(pause)
            yield Progress(step, count, PICTURE, {"pixel": 1 / step}, Result(PICTURE + step))
        return Result(PICTURE + count)
    finally:
        freed.append("freed")


def test_the_last_moment_carries_the_result_and_the_whole_history() -> None:
    freed: list[str] = []
    last = list(moments(steps(5, freed), 60))[-1]
    assert (
        last.result is last.best
        and float(last.best.images.max()) == float((PICTURE + 5).max())
        and len(last.history["pixel"]) == 5
        and freed == ["freed"]
    )
    assert say(last).startswith("Done")


def test_closing_stops_the_run_and_leaves_the_best() -> None:
    freed: list[str] = []
    going = moments(steps(10_000, freed), 60)
    moment = next(going)
    going.close()
    assert freed == ["freed"] and moment.result is None and float(moment.best.images.max()) >= 1


def test_the_time_limit_ends_with_the_best() -> None:
    freed: list[str] = []
    last = list(moments(steps(10_000, freed, pause=0.01), 0.05))[-1]
    assert last.cut_short and last.result is not None and freed == ["freed"]


def test_a_stop_between_two_steps_makes_the_next_moment_the_last() -> None:
    freed: list[str] = []
    asked: list[str] = []
    going = moments(steps(10_000, freed, pause=0.01), 60, lambda: bool(asked))
    before = next(going)
    asked.append("stop")
    after = list(going)
    assert not before.stopped and len(after) == 1 and freed == ["freed"]
    assert after[0].stopped and after[0].result is not None
    assert after[0].progress.step == before.progress.step  # nothing more was computed
    assert say(after[0]).startswith("Stopped after") and "best so far" in say(after[0])


def test_a_stop_before_the_first_step_computes_nothing() -> None:
    freed: list[str] = []
    alone = list(moments(steps(5, freed), 60, lambda: True))
    assert len(alone) == 1 and alone[0].stopped and alone[0].result is None and alone[0].progress.step == 0
    assert say(alone[0]) == STOPPED


def test_our_errors_are_spoken_and_others_are_not() -> None:
    @spoken
    def ours() -> None:
        raise StudioError("a clear sentence")

    @spoken
    def theirs() -> None:
        raise ValueError("/secret/path")

    with pytest.raises(gr.Error, match="a clear sentence"):
        ours()
    with pytest.raises(ValueError):
        theirs()


def test_a_spoken_generator_stays_one() -> None:
    @spoken
    def counting():
        yield 1
        raise StudioError("enough")

    run = counting()
    assert next(run) == 1
    with pytest.raises(gr.Error, match="enough"):
        next(run)


def test_a_download_never_takes_a_path_from_its_name() -> None:
    path = offer("../../etc/Passwd", b"x")
    assert "/etc/" not in path and path.endswith("..-..-etc-passwd")


def test_moments_from_another_thread() -> None:
    freed: list[str] = []
    found: list[Moment] = []
    thread = threading.Thread(target=lambda: found.extend(moments(steps(3, freed), 60)))
    thread.start()
    thread.join(10)
    assert found[-1].result is not None


def test_old_downloads_make_room() -> None:
    keep = Offers(files=3, size=100)
    small = [Path(keep("a.txt", b"x" * 20)) for _ in range(4)]
    assert [path.exists() for path in small] == [False, True, True, True] and not small[0].parent.exists()
    large = Path(keep("b.txt", b"x" * 200))
    assert large.read_bytes() == b"x" * 200 and not any(path.exists() for path in small)
