"""The tab Edit directions: choose a face, choose directions, turn them, keep what comes of it."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from studio.services.editor import Editor
from studio.services.recipe_text import EDIT as RECIPE
from studio.state.edits import Edits, Face, History
from studio.tabs.edit import animation_cell, evaluation_cell, workshop_cell
from studio.tabs.edit.cards_cell import CardHandlers, choose_cell, connect_cards, draw_cards_after
from studio.tabs.edit.context import EditContext
from studio.tabs.edit.handlers import EditHandlers, first_turns
from studio.tabs.edit.output import EditOutput, output_cell
from studio.tabs.edit.sliders_cell import Sliders, board_cell
from studio.tabs.edit.source_cell import connect_source, source_cell
from studio.tabs.tab import Tab, TabContext
from studio.ui.cell import cell
from studio.ui.history import back, forth
from studio.ui.lanes import ASIDE, AT_ONCE, IN_TURN, LANE, PRIVATE, SETTLED
from studio.ui.run_events import QUICK
from studio.ui.ways import EDIT

__all__ = ["TAB"]

FURTHER: tuple[Callable[[EditContext], None], ...] = (workshop_cell.build, animation_cell.build, evaluation_cell.build)
"""The cells behind: they make directions, films and tables."""


_LOOK_AGAIN = "() => { setTimeout(() => window.dispatchEvent(new Event('resize')), 100); }"
_LOOK_WHEN_LOADED = """() => document.addEventListener('load', event => {
  if (event.target.closest?.('#edit-compare, #mix-compare')) window.dispatchEvent(new Event('resize'));
}, true)"""
"""The sliding picture takes its width when it is built: before its first picture, or in a hidden tab, that is nothing. It looks again
when the window changes."""


def build(shared: TabContext, tab: gr.Tab) -> None:
    """The tab's cells and events."""
    session, strip, library, page = shared.session, shared.shelf, shared.library, shared.page
    editor = Editor(session, library)
    start = first_turns(editor)
    shared.keys.value = start.keys
    face, edits, history = gr.State(Face()), gr.State(start), gr.State(History((start,)))
    with cell("Face", "A face that a seed stands for, the picture chosen on the shelf, or a photo of your own, inverted here."):
        source = source_cell(session)
    prose = "Ways to find a direction in latent space, each shown on your face. A click gives a card its slider."
    with cell("Directions", prose, folded=True):
        cards = choose_cell(editor)
    prose = "Sliders are in sigma, the standard deviation of faces along a direction; several add up."
    with cell("Edit", prose):
        board = board_cell(editor, start)
    with cell("Save and export", "The full picture follows when the sliders rest, and with it what else the edit changed.", folded=True):
        keeping = output_cell(session.generator.resolution)

    dealer, wiring = CardHandlers(editor), _Wiring(EditHandlers(editor, strip), face, edits, history, shared.keys, board, keeping)
    wiring.connect_board()
    wiring.connect_rest()
    connect_cards(cards, dealer, face, edits, wiring.arrange_after)

    def redraw_after(event: Any) -> None:
        """For another face, whose cards follow."""
        draw_cards_after(wiring.redraw_after(event), cards, dealer, face)

    keeping.link.connect(wiring.handlers.link, wiring.state)
    keeping.keep.click(wiring.handlers.put, wiring.state, strip.outputs, **LANE)
    connect_source(session, source, strip, face, redraw_after)
    opened = gr.State(False)
    tab.select(lambda: True, None, opened, **QUICK | PRIVATE)  # in the queue: outside it, a change of a state sets nothing off
    begun = opened.change(dealer.begin, None, None, **AT_ONCE)

    def take_up(event: Any) -> None:
        """The face and the sliders that the visitor left, or brought from elsewhere."""
        returned = event.success(wiring.handlers.come_back, [face, edits], [face, edits, history, *source.inputs], **IN_TURN)
        wiring.arrange_after(returned)
        draw_cards_after(returned, cards, dealer, face)

    take_up(begun)
    shared.ways.taken_by(EDIT, take_up)
    shared.repeats.taken_by(EDIT, RECIPE, wiring.handlers.leave, lambda event, _: take_up(event))
    shared.repeats.brought_by(keeping.repeat)
    tab.select(None, None, None, js=_LOOK_AGAIN, **PRIVATE)
    page.load(None, None, None, js=_LOOK_WHEN_LOADED, **PRIVATE)
    added, revised = gr.State(None), gr.State(0)

    def use(event: Any) -> None:
        """A slider for what another cell found, and a card among the visitor's own."""
        wiring.arrange_after(event.success(wiring.handlers.use, [edits, added], edits, **IN_TURN))
        draw_cards_after(event, cards, dealer, face)

    def rename(event: Any) -> None:
        """Sliders and cards that say what the visitor's own directions are called now."""
        wiring.arrange_after(event)
        draw_cards_after(event, cards, dealer, face)

    context = EditContext(session, strip, opened, library, editor, face, edits, wiring.keys, added, revised, use, rename)
    for build_cell in FURTHER:
        build_cell(context)


TAB = Tab(EDIT, "Edit directions", "edit-live", build)


class _Wiring:
    """Which event leads to which answer, for the board of sliders and what is kept."""

    def __init__(
        self,
        handlers: EditHandlers,
        face: gr.State,
        edits: gr.State,
        history: gr.State,
        keys: gr.State,
        board: Sliders,
        keeping: EditOutput,
    ) -> None:
        self.handlers, self.board, self.keeping = handlers, board, keeping
        self.face, self.edits, self.history = face, edits, history
        self.state = [face, edits]
        self.keys, self.moves = keys, gr.State(0)
        self.stands = gr.State(edits.value)
        self.shown = [board.live, board.summary, self.moves]

    def connect_rest(self) -> None:
        """The full picture, its meter and the five strengths, once the hand rests after whatever moved the picture."""
        handlers, keeping = self.handlers, self.keeping
        settled = [self.board.live, keeping.compare, keeping.download, self.history, keeping.snippet]
        # "multiple": a newer move must get its own rest while an older one still waits
        rested = self.moves.change(handlers.rest, None, None, concurrency_limit=None, trigger_mode="multiple", **PRIVATE)
        drawn = rested.success(handlers.settle, [*self.state, self.history], settled, trigger_mode="multiple", **SETTLED)
        behind: dict[str, Any] = {"trigger_mode": "always_last"} | ASIDE | PRIVATE
        measured = drawn.success(handlers.measure, self.state, keeping.meter, **behind)
        told = measured.success(handlers.asides, self.state, self.board.asides, **behind)
        told.success(handlers.five, [*self.state, self.board.which], self.board.strip, **behind)

    def redraw_after(self, event: Any) -> Any:
        """The picture again, for another face."""
        return event.success(self.handlers.redraw, self.state, self.shown, trigger_mode="multiple", **LANE)

    def arrange_after(self, event: Any) -> None:
        """The picture and all controls again, for edits that did not come from a slider."""
        shown = [*self.shown, self.edits, self.keys, self.stands, *self.board.arranged]
        event.success(self.handlers.arrange, [*self.state, self.board.which, self.stands], shown, trigger_mode="multiple", **LANE)

    def connect_board(self) -> None:
        """Sliders, their removal, steps back and forth, layers, and what must stay."""
        handlers, board, history = self.handlers, self.board, self.history
        moved = [*self.shown, self.edits, self.stands]
        for events in ([slider.input for slider in board.sliders], [slider.release for slider in board.sliders]):
            gr.on(events, handlers.preview, [*self.state, *board.sliders], moved, trigger_mode="always_last", **LANE)
        for index, remover in enumerate(board.removers):
            self.arrange_after(remover.click(handlers.remover(index), self.edits, self.edits, **IN_TURN))
        self.arrange_after(board.undo.click(back, history, [history, self.edits], **IN_TURN))
        self.arrange_after(board.redo.click(forth, history, [history, self.edits], **IN_TURN))
        self.arrange_after(board.reset.click(Edits.at_rest, self.edits, self.edits, **IN_TURN))
        self.arrange_after(board.keep.input(handlers.hold, [self.edits, board.keep], [self.edits, board.keep], **IN_TURN))
        reach = [board.layers.input, board.first.release, board.last.release]
        layered = gr.on(reach, handlers.reach, [self.edits, *board.range], [self.edits, board.layers, board.first, board.last], **IN_TURN)
        self.redraw_after(layered)
        looked = board.which.input(handlers.look, [self.edits, board.which], [board.layers, board.first, board.last], **IN_TURN)
        looked.success(handlers.five, [*self.state, board.which], board.strip, **ASIDE, **PRIVATE)
