"""The tab Edit directions: choose a face, choose directions, turn them, keep what comes of it."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from studio.cell import cell
from studio.editor import Editor
from studio.edits import Edits, Face, History
from studio.library import Library
from studio.pages.edit import measure, motion, workshop
from studio.pages.edit.answers import Answers, back, first_turns, forth
from studio.pages.edit.choose import Dealer, choose_cell, connect_cards, deal_after
from studio.pages.edit.context import ASIDE, AT_ONCE, IN_TURN, LANE, PRIVATE, EditContext
from studio.pages.edit.keep import Keeping, keeping_cell
from studio.pages.edit.source import connect_source, source_cell
from studio.pages.edit.turn import Board, board_cell
from studio.session import Session
from studio.strip import Strip

__all__ = ["build"]

FURTHER: tuple[Callable[[EditContext], None], ...] = (workshop.build, motion.build, measure.build)
"""The cells behind: they make directions, films and tables."""


_LOOK_AGAIN = "() => { setTimeout(() => window.dispatchEvent(new Event('resize')), 100); }"
_LOOK_WHEN_LOADED = """() => document.addEventListener('load', event => {
  if (event.target.closest?.('#edit-compare, #mix-compare')) window.dispatchEvent(new Event('resize'));
}, true)"""
"""The sliding picture takes its width when it is built: before its first picture, or in a hidden tab, that is nothing. It looks again
when the window changes."""


def build(session: Session, strip: Strip, page: gr.Blocks, tab: gr.Tab, library: Library) -> gr.State:
    """The tab's cells and events; returns the state with the keys of the sliders."""
    editor = Editor(session, library)
    start = first_turns(editor)
    face, edits, history = gr.State(Face()), gr.State(start), gr.State(History((start,)))
    with cell(
        1, "A face to edit", "A face that a seed stands for, the picture chosen on the shelf, or a photo of your own, inverted here."
    ):
        source = source_cell(session)
    with cell(
        2, "Choose directions", "Ways to find a direction in latent space, each shown on your face. A click gives a card its slider."
    ):
        cards = choose_cell(editor)
    prose = "Sliders are in sigma, the spread of faces along a direction; several add up."
    with cell(3, "Turn them", prose):
        board = board_cell(editor, start)
    with cell(4, "Keep it", "The full picture follows when the sliders rest, and with it what else the edit changed."):
        keeping = keeping_cell(session.generator.resolution)

    dealer, wiring = Dealer(editor), _Wiring(Answers(editor, strip), face, edits, history, board, keeping)
    wiring.connect_board()
    connect_cards(cards, dealer, face, edits, wiring.arrange_after)

    def redraw_after(event: Any) -> None:
        """For another face, whose cards follow."""
        deal_after(wiring.redraw_after(event), cards, dealer, face)

    keeping.keep.click(wiring.answers.put, wiring.state, strip.outputs, **LANE)
    connect_source(session, source, strip, face, redraw_after)
    redraw_after(page.load(lambda: None, **AT_ONCE))
    tab.select(None, None, None, js=_LOOK_AGAIN, **PRIVATE)
    page.load(None, None, None, js=_LOOK_WHEN_LOADED, **PRIVATE)
    added, revised = gr.State(None), gr.State(0)

    def use(event: Any) -> None:
        """A slider for what another cell found, and a card among the visitor's own."""
        wiring.arrange_after(event.success(wiring.answers.use, [edits, added], edits, **IN_TURN))
        deal_after(event, cards, dealer, face)

    def rename(event: Any) -> None:
        """Sliders and cards that say what the visitor's own directions are called now."""
        wiring.arrange_after(event)
        deal_after(event, cards, dealer, face)

    context = EditContext(session, strip, page, library, editor, face, edits, wiring.keys, added, revised, use, rename)
    for build_cell in FURTHER:
        build_cell(context)
    return wiring.keys


class _Wiring:
    """Which event leads to which answer, for the board of sliders and what is kept."""

    def __init__(self, answers: Answers, face: gr.State, edits: gr.State, history: gr.State, board: Board, keeping: Keeping) -> None:
        self.answers, self.board, self.keeping = answers, board, keeping
        self.face, self.edits, self.history = face, edits, history
        self.state = [face, edits]
        self.keys = gr.State(edits.value.keys)

    def settle_after(self, event: Any) -> None:
        """The full picture, its meter and the five strengths, once the hand rests."""
        answers, keeping = self.answers, self.keeping
        settled = [self.board.live, keeping.compare, keeping.download, self.history, keeping.snippet]
        # "multiple": a newer move must get its own rest while an older one still waits
        rested = event.success(answers.rest, None, None, concurrency_limit=None, trigger_mode="multiple", **PRIVATE)
        drawn = rested.success(answers.settle, [*self.state, self.history], settled, trigger_mode="multiple", **LANE)
        behind: dict[str, Any] = {"trigger_mode": "always_last"} | ASIDE | PRIVATE
        measured = drawn.success(answers.measure, self.state, keeping.meter, **behind)
        told = measured.success(answers.asides, self.state, self.board.asides, **behind)
        told.success(answers.five, [*self.state, self.board.which], self.board.strip, **behind)

    def redraw_after(self, event: Any) -> Any:
        """The picture again, for another face."""
        drawn = event.success(self.answers.redraw, self.state, [self.board.live, self.board.summary], trigger_mode="multiple", **LANE)
        self.settle_after(drawn)
        return drawn

    def arrange_after(self, event: Any) -> None:
        """The picture and all controls again, for edits that did not come from a slider."""
        shown = [self.board.live, self.board.summary, self.edits, self.keys, *self.board.arranged]
        self.settle_after(
            event.success(self.answers.arrange, [*self.state, self.board.which, self.keys], shown, trigger_mode="multiple", **LANE)
        )

    def connect_board(self) -> None:
        """Sliders, their removal, steps back and forth, layers, and what must stay."""
        answers, board, history = self.answers, self.board, self.history
        moved = [board.live, self.edits, board.summary]
        for events in ([slider.input for slider in board.sliders], [slider.release for slider in board.sliders]):
            self.settle_after(gr.on(events, answers.preview, [*self.state, *board.sliders], moved, trigger_mode="always_last", **LANE))
        for index, remover in enumerate(board.removers):
            self.arrange_after(remover.click(answers.remover(index), self.edits, self.edits, **IN_TURN))
        self.arrange_after(board.undo.click(back, history, [history, self.edits], **IN_TURN))
        self.arrange_after(board.redo.click(forth, history, [history, self.edits], **IN_TURN))
        self.arrange_after(board.reset.click(Edits.at_rest, self.edits, self.edits, **IN_TURN))
        self.arrange_after(board.keep.input(answers.hold, [self.edits, board.keep], [self.edits, board.keep], **IN_TURN))
        reach = [board.layers.input, board.first.release, board.last.release]
        layered = gr.on(reach, answers.reach, [self.edits, *board.range], [self.edits, board.layers, board.first, board.last], **IN_TURN)
        self.redraw_after(layered)
        looked = board.which.input(answers.look, [self.edits, board.which], [board.layers, board.first, board.last], **IN_TURN)
        looked.success(answers.five, [*self.state, board.which], board.strip, **ASIDE, **PRIVATE)
