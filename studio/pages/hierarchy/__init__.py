"""The tab FineGAN hierarchy sampler: background, shape and appearance each by a code of its own, and every stage of the picture."""

from typing import Any

import gradio as gr

from studio.cell import cell
from studio.controls import turns
from studio.edits import History
from studio.pages.edit.context import IN_TURN, LANE
from studio.pages.hierarchy.answers import Answers
from studio.pages.hierarchy.board import KINDS, Board, board_cells
from studio.pages.hierarchy.discover import discover_cell
from studio.pages.hierarchy.film import film_cell
from studio.pages.hierarchy.find import find_cell
from studio.pages.hierarchy.grid import grid_cell
from studio.pages.hierarchy.lesson import lesson_cells
from studio.pages.hierarchy.live import live_cell
from studio.staged import Pick, Sampler

__all__ = ["build"]

_MISSING = "FineGAN's network is not among the bundled weights of this installation, so there is nothing to draw with yet."
_FIRST_CHILD = 0


def build(sampler: Sampler, tab: gr.Tab) -> None:
    """The tab's cells and events."""
    if not sampler.is_there:
        with cell(1, "Pick the codes", _MISSING):
            pass
        live_cell(sampler.session, 2)
        lesson_cells(sampler.session, 3, tab)
        return
    first = Pick(sampler.finegan.tied(_FIRST_CHILD))
    pick, history, opened = gr.State(first), gr.State(History[Pick]()), gr.State(False)
    board = board_cells(sampler, first)
    answers = Answers(sampler, board, pick, history)
    _connect(answers, board, tab, opened)
    grid_cell(answers, 3)
    film_cell(answers, 4)
    find_cell(answers, 5)
    discover_cell(sampler, 6)
    live_cell(sampler.session, 7)
    lesson_cells(sampler.session, 8, tab)


def _connect(answers: Answers, board: Board, tab: gr.Tab, opened: gr.State) -> None:
    told, shown = answers.told, answers.shown
    looked = tab.select(answers.open, [*told, opened], [opened, *board.galleries], **LANE)
    looked.success(answers.first, told, shown, **LANE)
    for kind, gallery, number in zip(KINDS, board.galleries, board.numbers, strict=True):
        gallery.select(answers.select(kind), told, shown, **IN_TURN)
        gr.on([number.submit, number.blur], answers.number(kind), [*told, number], shown, **IN_TURN)
    ties: list[Any] = [board.shape_tied, board.place_tied]
    gr.on([tie.input for tie in ties], answers.tie, [*told, *ties], shown, **IN_TURN)
    gr.on([board.seed.submit, board.seed.blur], answers.seed, [*told, board.seed], shown, **IN_TURN)
    board.bring.upload(answers.bring, [*told, board.bring], shown, **IN_TURN)
    sliding: dict[str, Any] = {"trigger_mode": "always_last"} | LANE
    gr.on(turns(board.sliders), answers.slide, [told[0], *board.sliders], [told[0], *board.drawn], **sliding)
    for button, answer in (
        (board.another, answers.another),
        (board.reset, answers.reset),
        (board.undo, answers.back),
        (board.redo, answers.forth),
    ):
        button.click(answer, told, shown, **IN_TURN)
