"""Menus that change while the page is open: what comes is what was chosen, and who reads it copes with any of it."""

from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
import pytest

from studio.services.direction_library import LAYERS, Library
from studio.services.editor import Editor
from studio.state.edits import Face
from studio.state.session import Session
from studio.tabs.edit.cards_cell import FIRST, CardHandlers
from studio.ui import menus


def again(component: Any, **changes: Any) -> Any:
    """The component that a visitor's page has after an update."""
    return type(component)(**component.constructor_args | changes)


def test_a_choice_of_another_moment_is_handed_over() -> None:
    with gr.Blocks():
        radio, dropdown = menus.radio(["a"], label="One"), menus.dropdown([], multiselect=True, label="Several")
    for menu in (radio, again(radio, choices=["b", "c"])):
        assert menu.get_block_name() == "radio"
        assert [menu.preprocess(value) for value in ("a", 3, None, ["a"], {})] == ["a", 3, None, None, None]
    for menu in (dropdown, again(dropdown, choices=["x"])):
        assert menu.get_block_name() == "dropdown"
        assert [menu.preprocess(value) for value in (["a", 2, {}], None, "a")] == [["a", 2], [], []]


def test_a_slider_of_another_moment_ends_within_the_ends_of_now() -> None:
    with gr.Blocks():
        slider = menus.slider(-5, 5, 0, step=0.1, label="Smile")
    moved = again(slider, minimum=-20, maximum=20)
    assert [moved.preprocess(value) for value in (12, -30.5)] == [12, -20] and slider.preprocess(12) == 5
    for value in (float("nan"), float("inf"), None, True, "3", [1]):
        with pytest.raises(gr.Error, match="Smile"):
            moved.preprocess(value)


def test_of_what_is_no_longer_offered_the_usual_choice_is_taken() -> None:
    assert menus.chosen("smile", ["smile", "age"], "age") == "smile"
    assert menus.chosen("coarse", ["smile", "age"], "age") == "age"
    assert menus.chosen(None, [], None) is None


class Asking:
    session_hash = "browsing"


ASKING = cast(gr.Request, Asking())


@pytest.fixture(scope="module")
def dealer(session: Session) -> CardHandlers:
    return CardHandlers(Editor(session, Library(session)))


def last(dealt: Any) -> str:
    """The last words of a deal that was not dropped."""
    return str(list(dealt)[-1][2])


@pytest.mark.parametrize("part", ["coarse", "nonsense", None, 7])
def test_cards_are_dealt_whatever_the_second_menu_said_before(dealer: CardHandlers, part: Any) -> None:
    for method in ("sefa", "stylespace", "ganspace", "interfacegan"):
        label, shown = dealer.parts(method, ASKING)
        assert shown == FIRST and bool(label.visible) == (method in ("sefa", "stylespace"))
        assert "Each card" in last(dealer.deal(Face(), method, part, 1, ASKING))


def test_what_was_left_behind_is_not_dealt(dealer: CardHandlers) -> None:
    dealer.parts("sefa", ASKING)
    dealer.parts("ganspace", ASKING)
    assert list(dealer.deal(Face(), "sefa", LAYERS[0], 1, ASKING)) == []
    assert "Each card" in last(dealer.deal(Face(), "ganspace", LAYERS[0], 1, ASKING))
    dealer.parts("sefa", ASKING)
    going = dealer.deal(Face(), "sefa", LAYERS[0], 3, ASKING)
    next(going)
    dealer.part("sefa", LAYERS[1], ASKING)
    assert list(going) == []  # it ends before its next card
    stranger = cast(gr.Request, SimpleNamespace(session_hash="another visitor"))
    assert "Each card" in last(dealer.deal(Face(), "sefa", LAYERS[0], 1, stranger))
