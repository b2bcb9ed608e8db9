"""The tab FineGAN hierarchy sampler: background, shape and appearance each by a code of its own, and every stage of the picture."""

from typing import Any

import gradio as gr

from studio.services.finegan_sampler import Pick
from studio.state.edits import History
from studio.tabs.hierarchy.code_inference_cell import find_cell
from studio.tabs.hierarchy.code_picker import KINDS, CodePicker, board_cells
from studio.tabs.hierarchy.discovery_cell import discover_cell
from studio.tabs.hierarchy.grid_cell import grid_cell
from studio.tabs.hierarchy.handlers import SamplerHandlers
from studio.tabs.hierarchy.infogan_cell import lesson_cells
from studio.tabs.hierarchy.interpolation_cell import film_cell
from studio.tabs.hierarchy.live_training_cell import live_cell
from studio.tabs.tab import Tab, TabContext
from studio.ui.cell import cell
from studio.ui.knob_controls import turns
from studio.ui.lanes import IN_TURN, LANE
from studio.ui.ways import HIERARCHY

__all__ = ["TAB"]

_MISSING = "FineGAN's network is not among the bundled weights of this installation, so there is nothing to draw with yet."
_FIRST_CHILD = 0


def build(context: TabContext, tab: gr.Tab) -> None:
    """The tab's cells and events."""
    sampler = context.sampler
    if not sampler.is_there:
        with cell("Codes", _MISSING):
            pass
        live_cell(sampler.session)
        lesson_cells(sampler.session, tab)
        return
    first = Pick(sampler.finegan.tied(_FIRST_CHILD))
    pick, history, opened = gr.State(first), gr.State(History[Pick]()), gr.State(False)
    board = board_cells(sampler, first)
    handlers = SamplerHandlers(sampler, board, pick, history)
    _connect(handlers, board, tab, opened)
    grid_cell(handlers)
    film_cell(handlers)
    find_cell(handlers)
    discover_cell(sampler)
    live_cell(sampler.session)
    lesson_cells(sampler.session, tab)


TAB = Tab(HIERARCHY, "FineGAN hierarchy sampler", "info-category", build)


def _connect(handlers: SamplerHandlers, board: CodePicker, tab: gr.Tab, opened: gr.State) -> None:
    told, shown = handlers.told, handlers.shown
    looked = tab.select(handlers.open, [*told, opened], [opened, *board.galleries], **LANE)
    looked.success(handlers.first, told, shown, **LANE)
    for kind, gallery, number in zip(KINDS, board.galleries, board.numbers, strict=True):
        gallery.select(handlers.select(kind), told, shown, **IN_TURN)
        gr.on([number.submit, number.blur], handlers.number(kind), [*told, number], shown, **IN_TURN)
    ties: list[Any] = [board.shape_tied, board.place_tied]
    gr.on([tie.input for tie in ties], handlers.tie, [*told, *ties], shown, **IN_TURN)
    gr.on([board.seed.submit, board.seed.blur], handlers.seed, [*told, board.seed], shown, **IN_TURN)
    board.bring.upload(handlers.bring, [*told, board.bring], shown, **IN_TURN)
    sliding: dict[str, Any] = {"trigger_mode": "always_last"} | LANE
    gr.on(turns(board.sliders), handlers.slide, [told[0], *board.sliders], [told[0], *board.drawn], **sliding)
    for button, answer in (
        (board.another, handlers.another),
        (board.reset, handlers.reset),
        (board.undo, handlers.back),
        (board.redo, handlers.forth),
    ):
        button.click(answer, told, shown, **IN_TURN)
