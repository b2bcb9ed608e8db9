import tracemalloc

import gradio as gr
from gradio.state_holder import StateHolder

from studio.server import launch_options
from studio.serving.sessions import MOST_SESSIONS, LeanState
from studio.settings import Settings


def small() -> tuple[gr.Blocks, gr.State, gr.Slider]:
    with gr.Blocks(analytics_enabled=False) as page:
        state, slider = gr.State([1]), gr.Slider(0, 10)
    return page, state, slider


def held(page: gr.Blocks) -> StateHolder:
    holder = StateHolder()
    page.state_session_capacity = MOST_SESSIONS
    holder.set_blocks(page)
    return holder


def test_each_session_has_its_own_states_and_components() -> None:
    page, state, slider = small()
    holder = held(page)
    one, other = holder["one"], holder["other"]
    assert isinstance(one, LeanState)
    one[state._id].append(2)
    one[slider._id] = gr.Slider(0, 99, render=False)
    assert one[state._id] == [1, 2] and other[state._id] == [1]
    assert one[slider._id].maximum == 99 and other[slider._id].maximum == 10
    one[state._id] = "new"
    assert holder["one"][state._id] == "new"
    assert [value for _, value, _ in one.state_components] == ["new"]


def test_a_session_takes_no_copy_of_the_page(page: gr.Blocks) -> None:
    holder = held(page)
    tracemalloc.start()
    try:
        states = [holder[f"session {number}"] for number in range(20)]
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / len(states) < 200_000
    assert not any(state.config_values for state in states)


def test_a_flood_of_sessions_does_not_reach_who_was_here_within_two_thousand() -> None:
    page, state, _ = small()
    holder = held(page)
    holder["visitor"][state._id] = "theirs"
    for number in range(MOST_SESSIONS - 1):
        holder[f"flood {number}"]
    assert holder["visitor"][state._id] == "theirs"
    assert launch_options(gr.Blocks(), Settings())["state_session_capacity"] == MOST_SESSIONS
