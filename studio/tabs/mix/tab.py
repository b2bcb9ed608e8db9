"""The tab Local mixing: two faces, a mask, and how one goes into the other."""

from typing import Any

import gradio as gr

from studio.services.editor import Editor
from studio.services.mixer import Mixer
from studio.services.recipe_text import MIXTURE
from studio.state.edits import History
from studio.state.mix import Mix
from studio.tabs.mix.controls import board_cell
from studio.tabs.mix.faces import faces_cell
from studio.tabs.mix.handlers import MixHandlers
from studio.tabs.mix.mask_search_cell import search_cell
from studio.tabs.mix.output import output_cell
from studio.tabs.mix.stylemapgan import own_cell
from studio.tabs.mix.upload import UploadHandlers, connect_look, upload_part
from studio.tabs.tab import Tab, TabContext
from studio.ui.cell import cell, lesson
from studio.ui.history import back, forth
from studio.ui.knob_controls import turns
from studio.ui.lanes import ASIDE, IN_TURN, LANE, PRIVATE, SETTLED
from studio.ui.run_control import connect_stop
from studio.ui.ways import MIX

__all__ = ["TAB"]

_LOOK_AGAIN = "() => { setTimeout(() => window.dispatchEvent(new Event('resize')), 100); }"
"""The sliding picture takes its width when it is built, in a hidden tab; it looks again when the window changes."""


def build(context: TabContext, tab: gr.Tab) -> None:
    """The tab's cells and events; a face that is sent here is the one chosen on the shelf, and becomes the source."""
    session, strip = context.session, context.shelf
    mixer = Mixer(Editor(session, context.library))
    first = Mix(edit=mixer.first_edit)
    mix, history, opened = gr.State(first), gr.State(History[Mix]()), gr.State(False)
    compared = gr.State(None)
    handlers = MixHandlers(mixer, strip)
    with cell(
        "Source and reference",
        "Each is a face that a seed stands for, or one from the shelf. A photo gets there from the tab Invert, or right here.",
        folded=True,
    ):
        source, reference, swap = faces_cell(first.source, first.reference)
        bring = upload_part()
    prose = (
        "On either picture: both count. Outside the mask the source stays, inside the reference is seen. The preview follows every stroke, "
        "the full picture comes when the hand rests; arrow keys nudge a slider that has the focus."
    )
    with cell("Mask and mix", prose):
        easels, board = board_cell(mixer, first)
        lesson("spatial")
    with cell("Save and export", "The full picture beside its source.", folded=True):
        keeping = output_cell(session.generator.resolution)
    follow = search_cell(handlers, mix)
    outdate = own_cell(handlers, mix)

    moves = gr.State(0)
    preview = [board.live, easels.soft, easels.words, moves]
    hung = [easels.source, easels.reference, easels.hung]
    shown = [mix, *hung, *preview]
    arranged = [*source.inputs, *reference.inputs, *board.controls, *board.order, easels.parts, *shown]

    settled = [board.live, keeping.compare, keeping.picture, keeping.mask, history, keeping.snippet, board.methods]
    rested = moves.change(handlers.rest, None, None, concurrency_limit=None, trigger_mode="multiple", **PRIVATE)
    drawn = rested.success(handlers.settle, [mix, history, compared], settled, trigger_mode="multiple", **SETTLED)
    drawn.success(handlers.film, mix, board.film, trigger_mode="always_last", **ASIDE, **PRIVATE)
    follow(drawn)
    outdate(drawn)

    tab.select(handlers.open, [mix, history, opened], [opened, history, *arranged], **LANE)
    tab.select(None, None, None, js=_LOOK_AGAIN, **PRIVATE)
    strokes = [easels.source.input, easels.reference.input]
    painting = [mix, easels.hung, easels.source, easels.reference]
    gr.on(strokes, handlers.painted, painting, [mix, *preview], trigger_mode="always_last", **LANE)
    board.content.input(handlers.editing, [mix, board.content], board.editing, queue=False, **PRIVATE)
    board.shelf.input(handlers.edits_of, [mix, board.shelf], [*board.editing, mix, *preview], **IN_TURN)
    right_and_down = [mix, board.right, board.down, *preview]
    easels.source.drag(handlers.dragged, mix, right_and_down, trigger_mode="always_last", **LANE)
    turned = [mix, easels.source, *preview]
    gr.on(turns(board.controls), handlers.turn, [mix, *board.controls], turned, trigger_mode="always_last", **LANE)
    easels.parts.input(handlers.ready, [mix, easels.parts], shown, trigger_mode="always_last", **LANE)
    easels.clear.click(handlers.clear, mix, [easels.parts, *shown], **IN_TURN)
    for index, chooser in enumerate((source, reference)):
        told, out = [mix, *chooser.inputs], [*chooser.inputs, *shown]
        changes = [chooser.kind.input, chooser.seed.input, chooser.truncation.input, chooser.item.input]
        gr.on(changes, handlers.face(index), told, out, trigger_mode="always_last", **LANE)
        chooser.another.click(handlers.face(index, step=True), told, out, **IN_TURN)
    board.another.click(handlers.another, mix, arranged, **IN_TURN)
    board.up.click(handlers.take_up, [mix, board.below], arranged, **IN_TURN)
    board.off.click(handlers.take_off, [mix, board.below], arranged, **IN_TURN)
    swap.click(handlers.swap, mix, arranged, **IN_TURN)
    for button, way in ((easels.undo, back), (easels.redo, forth)):
        stepped = button.click(way, history, [history, mix], **IN_TURN)
        stepped.success(handlers.arrange, mix, arranged, **IN_TURN)
    strip.hint.change(handlers.restock, mix, [source.item, reference.item], **LANE)
    board.compare.click(handlers.methods, mix, [board.methods, compared], **LANE)
    keeping.keep.click(handlers.put, mix, strip.outputs, **LANE)
    keeping.onward.click(handlers.onward, mix, [*strip.outputs, *arranged], **IN_TURN)
    bringer = UploadHandlers(handlers, [*strip.outputs, *arranged], bring)
    bringer.runs.connect(bringer.bring, [mix, bring.photo, bring.role, bring.which], bringer.finished, bringer.claim, bring.photo)
    connect_stop(bringer.runs)
    connect_look(bringer)
    keeping.link.connect(handlers.link, [mix])
    context.repeats.brought_by(keeping.repeat)

    def take_up(event: Any, _: gr.State) -> None:
        """The mixture that was left with the visitor."""
        event.success(handlers.come_back, [history, opened], [opened, history, *arranged], **IN_TURN)

    context.repeats.taken_by(MIX, MIXTURE, handlers.leave, take_up)
    context.ways.taken_by(MIX, lambda event: event.success(handlers.take, [mix, strip.chosen], arranged, **IN_TURN))


TAB = Tab(MIX, "Local mixing", "mix-live", build)
