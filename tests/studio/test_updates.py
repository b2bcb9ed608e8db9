"""Updates that change nothing cost nothing, and those that change something arrive as Gradio would send them."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from studio.ui.intake import Page
from studio.ui.updates import lean
from tests.waiting import done


def page_of(*answers: Any) -> tuple[Page, SessionState]:
    """A page whose one event answers with these, to sliders."""
    with Page() as page:
        sliders = [gr.Slider(0, 10, 5, label="Strength", visible=False) for _ in answers]
        gr.Button().click(lambda: list(answers), None, sliders)
    return page, SessionState(page)


def sent(page: Page, state: SessionState, answers: list[Any]) -> list[Any]:
    return done(page.postprocess_data(page.fns[0], answers, state))


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        (gr.skip(), gr.skip()),
        (gr.update(visible=False), gr.skip()),
        (gr.update(value=3, maximum=10, visible=False, interactive=None), 3),
        (gr.update(value=None), None),
        (7, 7),
        (gr.update(value=3, visible=True), gr.update(value=3, visible=True)),
        (gr.update(maximum=10.0), gr.update(maximum=10.0)),  # another kind: better sent than missed
    ],
)
def test_what_the_page_has_already_is_left_out(answer: Any, left: Any) -> None:
    page, state = page_of(answer)
    assert lean(page.fns[0].outputs[0], answer, state) == left


def test_only_what_changes_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    page, state = page_of(0, 1, 2)
    made: list[int] = []
    monkeypatch.setattr(state, "_update_config", made.append)
    answers = sent(page, state, [gr.skip(), gr.update(value=4, visible=False), gr.update(visible=True)])
    assert answers[0] == {"__type__": "update"} and answers[1] == 4
    assert answers[2] == {"__type__": "update", "visible": True}
    assert made == [page.fns[0].outputs[2]._id]


def test_a_change_is_remembered_for_the_next_one() -> None:
    page, state = page_of(0, 1)
    assert sent(page, state, [gr.update(visible=True, maximum=9), gr.skip()])[0] == {"__type__": "update", "visible": True, "maximum": 9}
    assert sent(page, state, [gr.update(maximum=9), gr.skip()])[0] == {"__type__": "update"}
    assert sent(page, state, [gr.update(visible=False), gr.skip()])[0] == {"__type__": "update", "visible": False}


def test_what_was_built_hidden_is_told_each_time_that_it_is_to_be_seen() -> None:
    """The browser builds it when it is first shown, and may miss what is said meanwhile."""
    page, state = page_of(0, 1)
    for strength in (1, 2):
        answer = sent(page, state, [gr.update(value=strength, visible=True), gr.skip()])[0]
        assert answer["visible"] is True and answer["value"] == strength


def test_what_scripts_and_hands_change_is_always_sent() -> None:
    with Page() as page:
        canvas, gallery = gr.HTML(shift=[0, 0]), gr.Gallery(selected_index=None)
        gr.Button().click(lambda: [None, None], None, [canvas, gallery])
    state = SessionState(page)
    for block, answer in ((canvas, gr.update(shift=[0, 0])), (gallery, gr.update(selected_index=None))):
        assert lean(block, answer, state) == answer


def test_states_are_written_and_dictionaries_are_understood() -> None:
    with Page() as page:
        first, second, kept = gr.Textbox("a"), gr.Textbox("b"), gr.State(1)
        gr.Button().click(lambda: {}, None, [first, second, kept])
    state = SessionState(page)
    answers = done(page.postprocess_data(page.fns[0], {second: "c", kept: 2}, state))
    assert answers[:2] == [{"__type__": "update"}, "c"] and state[kept._id] == 2


def test_a_schema_is_worked_out_once_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    with gr.Blocks():
        known = gr.Image().api_info()
        monkeypatch.setattr(gr.Image().data_model, "model_json_schema", lambda: pytest.fail("worked out again"))
        assert gr.Image().api_info() == known and "properties" in known


def test_a_page_with_such_events_still_answers() -> None:
    page, state = page_of(0, 1)
    answer = done(page.process_api(page.fns[0], [], state=state))
    assert answer["data"] == [0, 1]


@pytest.mark.parametrize("visibility", ["private", "public"])
@pytest.mark.parametrize("words", [[], ["begun"], ["begun", "done"]])
def test_the_end_of_a_generator_neither_empties_nor_repeats_on_the_page(words: list[str], visibility: Any) -> None:
    """A program gets the last words again as its result; on the page they could undo what came since."""

    def tell() -> Iterator[list[str]]:
        yield from ([word, word] for word in words)

    with Page() as page:
        gr.Button().click(tell, None, [gr.Markdown("as it was"), gr.Markdown("as it was")], api_visibility=visibility)
    answers, iterator = [], None
    while iterator is not None or not answers:
        answer = done(page.process_api(0, [], iterator=iterator, session_hash="ann", event_id="1"))
        answers.append(answer["data"])
        iterator = answer["iterator"] if answer["is_generating"] else None
    nothing = [gr.skip(), gr.skip()]
    assert len(answers) == len(words) + 1
    if visibility == "private":
        assert answers[-1] == nothing
    elif words:
        assert answers[-1] == [words[-1], words[-1]]
