"""The tab Local mixing: two faces, a mask, and how one goes into the other."""

from typing import Any

import gradio as gr

from studio.cell import cell, lesson
from studio.controls import turns
from studio.editor import Editor
from studio.edits import History
from studio.library import Library
from studio.mix import Mix
from studio.mixing import Mixer
from studio.pages.edit.answers import back, forth
from studio.pages.edit.context import ASIDE, IN_TURN, LANE, PRIVATE
from studio.pages.mix.answers import Answers, first_edit
from studio.pages.mix.board import board_cell
from studio.pages.mix.bring import Bringer, bring_part
from studio.pages.mix.faces import faces_cell
from studio.pages.mix.keep import keeping_cell
from studio.pages.mix.own import own_cell
from studio.pages.mix.search import search_cell
from studio.running import connect_stop
from studio.session import Session
from studio.strip import Strip

__all__ = ["build"]

_LOOK_AGAIN = "() => { setTimeout(() => window.dispatchEvent(new Event('resize')), 100); }"
"""The sliding picture takes its width when it is built, in a hidden tab; it looks again when the window changes."""


def build(session: Session, strip: Strip, tab: gr.Tab, library: Library) -> None:
    """The tab's cells and events."""
    mixer = Mixer(Editor(session, library))
    first = Mix(edit=first_edit(mixer))
    mix, history, opened = gr.State(first), gr.State(History[Mix]()), gr.State(False)
    compared = gr.State(None)
    answers = Answers(mixer, strip)
    with cell(
        1,
        "Two faces",
        "Each is a face that a seed stands for, or one from the shelf. A photo gets there from the tab Invert, or right here.",
    ):
        source, reference, swap = faces_cell(first.source, first.reference)
        bring = bring_part()
    prose = (
        "On either picture: both count. Outside the mask the source stays, inside the reference is seen. The preview follows every stroke, "
        "the full picture comes when the hand rests; arrow keys nudge a slider that has the focus."
    )
    with cell(2, "Paint a mask and mix", prose):
        easels, board = board_cell(mixer, first)
        lesson("spatial")
    with cell(3, "Keep it", "The full picture beside its source."):
        keeping = keeping_cell(session.generator.resolution)
    follow = search_cell(answers, 4, mix)
    outdate = own_cell(answers, 5, mix)

    preview = [board.live, easels.soft, easels.words]
    hung = [easels.source, easels.reference, easels.hung]
    shown = [mix, *hung, *preview]
    arranged = [*source.inputs, *reference.inputs, *board.controls, *board.order, easels.parts, *shown]

    def settle_after(event: Any) -> None:
        """The full picture once the hand rests, then the film."""
        settled = [board.live, keeping.compare, keeping.picture, keeping.mask, history, keeping.snippet, board.methods]
        rested = event.success(answers.rest, None, None, concurrency_limit=None, trigger_mode="multiple", **PRIVATE)
        drawn = rested.success(answers.settle, [mix, history, compared], settled, trigger_mode="multiple", **LANE)
        behind: dict[str, Any] = {"trigger_mode": "always_last"} | ASIDE | PRIVATE
        drawn.success(answers.film, mix, board.film, **behind)
        follow(drawn)
        outdate(drawn)

    settle_after(tab.select(answers.open, [mix, opened], [opened, *hung, *preview], **LANE))
    tab.select(None, None, None, js=_LOOK_AGAIN, **PRIVATE)
    strokes = [easels.source.input, easels.reference.input]
    painting = [mix, easels.hung, easels.source, easels.reference]
    settle_after(gr.on(strokes, answers.painted, painting, [mix, *preview], trigger_mode="always_last", **LANE))
    board.content.input(answers.editing, [mix, board.content], board.editing, queue=False, **PRIVATE)
    settle_after(board.shelf.input(answers.edits_of, [mix, board.shelf], [*board.editing, mix, *preview], **IN_TURN))
    right_and_down = [mix, board.right, board.down, *preview]
    settle_after(easels.source.drag(answers.dragged, mix, right_and_down, trigger_mode="always_last", **LANE))
    turned = [mix, easels.source, *preview]
    settle_after(gr.on(turns(board.controls), answers.turn, [mix, *board.controls], turned, trigger_mode="always_last", **LANE))
    settle_after(easels.parts.input(answers.ready, [mix, easels.parts], shown, trigger_mode="always_last", **LANE))
    settle_after(easels.clear.click(answers.clear, mix, [easels.parts, *shown], **IN_TURN))
    for index, chooser in enumerate((source, reference)):
        told, out = [mix, *chooser.inputs], [*chooser.inputs, *shown]
        changes = [chooser.kind.input, chooser.seed.input, chooser.truncation.input, chooser.item.input]
        settle_after(gr.on(changes, answers.face(index), told, out, trigger_mode="always_last", **LANE))
        settle_after(chooser.another.click(answers.face(index, step=True), told, out, **IN_TURN))
    settle_after(board.another.click(answers.another, mix, arranged, **IN_TURN))
    settle_after(board.up.click(answers.take_up, [mix, board.below], arranged, **IN_TURN))
    settle_after(board.off.click(answers.take_off, [mix, board.below], arranged, **IN_TURN))
    settle_after(swap.click(answers.swap, mix, arranged, **IN_TURN))
    for button, way in ((easels.undo, back), (easels.redo, forth)):
        stepped = button.click(way, history, [history, mix], **IN_TURN)
        settle_after(stepped.success(answers.arrange, mix, arranged, **IN_TURN))
    strip.hint.change(answers.restock, mix, [source.item, reference.item], **LANE)
    board.compare.click(answers.methods, mix, [board.methods, compared], **LANE)
    keeping.keep.click(answers.put, mix, strip.outputs, **LANE)
    settle_after(keeping.onward.click(answers.onward, mix, [*strip.outputs, *arranged], **IN_TURN))
    bringer = Bringer(answers, [*strip.outputs, *arranged], bring)
    settle_after(bringer.runs.connect(bringer.bring, [mix, bring.photo, bring.role], bringer.finished, bringer.claim, bring.photo))
    connect_stop(bringer.runs)
