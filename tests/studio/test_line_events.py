"""Events of a page in lines: what they read when it is their turn, and what they answer when they were overtaken."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from studio.serving.lines import PREVIEW, SETTLE, Lines
from studio.ui.intake import Page
from tests.waiting import done


@pytest.mark.parametrize("is_generator", [False, True])
def test_an_event_that_waited_reads_what_the_one_before_it_wrote(is_generator: bool) -> None:
    def add(value: int) -> list[int]:
        time.sleep(0.1)
        return [value + 1, value + 1]

    def step(value: int) -> Iterator[list[int]]:
        yield add(value)

    with Page(analytics_enabled=False) as page:
        count, shown = gr.State(0), gr.Number()
        gr.Button().click(step if is_generator else add, count, [count, shown], concurrency_id=PREVIEW)
    page.lines = Lines(4, 20)
    page.lines.serve(page)
    session = SessionState(page)

    async def run() -> None:
        answer = await page.process_api(0, inputs=[None], state=session, iterator=None)
        while answer["is_generating"]:
            answer = await page.process_api(0, inputs=[None], state=session, iterator=answer["iterator"])

    async def both() -> None:
        await asyncio.gather(run(), run())

    done(both())
    assert session[count._id] == 2 and page.lines[PREVIEW].idle


@pytest.mark.parametrize("is_generator", [False, True])
def test_an_event_that_was_overtaken_changes_nothing_and_is_no_error(is_generator: bool) -> None:
    def settle(value: str) -> tuple[str, str]:
        time.sleep(0.1)
        return value, value

    def step(value: str) -> Iterator[tuple[str, str]]:
        yield settle(value)

    with Page(analytics_enabled=False) as page:
        asked, shown, also = gr.Textbox(), gr.Textbox(), gr.Textbox()
        gr.Button().click(step if is_generator else settle, asked, [shown, also], concurrency_id=SETTLE)
    page.lines = Lines(4, 20)
    page.lines.serve(page)
    state = SessionState(page)

    async def ask(value: str) -> list[Any]:
        answer = await page.process_api(0, inputs=[value], state=state, iterator=None, session_hash="page")
        first = answer["data"]
        while answer["is_generating"]:
            answer = await page.process_api(0, inputs=[value], state=state, iterator=answer["iterator"], session_hash="page")
        return first

    async def all_three() -> list[list[Any]]:
        return await asyncio.gather(*(ask(value) for value in "abc"))

    first, second, third = done(all_three())
    assert first == ["a", "a"] and third == ["c", "c"]
    assert [value["__type__"] for value in second] == ["update", "update"] and all("value" not in value for value in second)
    assert page.lines[SETTLE].idle


def test_every_event_of_the_page_that_names_a_line_passes_gradios_queue(page: gr.Blocks) -> None:
    known = set(Lines(4, 20).by_name)
    named = [event for event in page.fns.values() if event.concurrency_id in known]
    assert len(named) > 100 and all(event.concurrency_limit is None for event in named)
    others = {event.concurrency_limit for event in page.fns.values() if event.fn is not None and event.queue} - {None, "default"}
    assert not others, "Gradio's queue holds events back that name no line of ours"
