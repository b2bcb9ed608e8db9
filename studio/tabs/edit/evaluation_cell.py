"""The cell that asks what else a direction moves: the re-scoring table, drawn on faces that nothing was learnt from."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from engines import Direction
from engines.core.errors import StudioError
from engines.metrics.disentanglement import IDENTITY, rescore_directions
from studio.services.snippets import program
from studio.state.edits import AS_FOUND, Edits, reach
from studio.state.moments import STOPPED, moments, say
from studio.state.visitor import Visitor
from studio.tabs.edit.context import EditContext
from studio.ui.afresh import afresh
from studio.ui.cell import cell, code, runner
from studio.ui.lanes import AT_ONCE
from studio.ui.plots import TABLE_STYLE, csv_bytes, heat_table
from studio.ui.run_control import Going, Stopper, Updates, connect_stop, own_slots
from studio.ui.run_events import offer, spoken

PROSE = (
    "Each direction is turned on a few new faces and everything is measured again. A change is counted in the attribute's own "
    "standard deviation over faces, so degrees and years can share a table: a clean direction has one strong colour in its row."
)
ACTIVE, METHOD = "Those with a slider", "A whole method"
MOST = 24
"""Directions in one table."""

_LIMIT = 2.5


def build(context: EditContext) -> None:
    """The cell and its events."""
    with cell("Disentanglement", PROSE, folded=True):
        with gr.Row():
            what = gr.Radio([ACTIVE, METHOD], value=ACTIVE, label="Directions", elem_id="measure-what")
            method = gr.Dropdown(context.library.named_shelves, label="Method", visible=False, elem_id="measure-method")
            strength = gr.Slider(-4, 4, 2, step=0.5, label="Strength, sigma", elem_id="measure-strength")
            faces = gr.Slider(1, 16, 4, step=1, label="Faces", elem_id="measure-faces")
        buttons = runner("measure", "Measure")
        heat = gr.HTML("", css_template=TABLE_STYLE, elem_id="measure-table")
        csv = gr.DownloadButton("Download the table (CSV)", interactive=False, elem_id="measure-csv")
        code("measure", _SNIPPET)
    measurer, runs = Measurer(context), Stopper(buttons, own_slots(context.session.visitors), context.session.lines)

    def measured(request: gr.Request, edits: Edits, what: str, method: str | None, strength: float, faces: float) -> Going:
        """The table, direction by direction."""
        yield {buttons.status: "Finding the directions …"}
        directions = measurer.directions(context.visitor(request), edits, what, method)
        count, at = measurer.checked(faces, strength)
        yield {buttons.status: f"Measuring {len(directions)} directions on {count} faces …"}
        working = rescore_directions(context.session.generator, directions, strength=at, faces=count)
        for moment in moments(working, context.session.settings.run_seconds, runs.slot(request).is_stopping):
            words = STOPPED if moment.stopped else say(moment)
            yield {buttons.status: words}
        if moment.result is None:
            return {buttons.status: f"{words} Nothing is measured yet."}
        table, titles = moment.result.tables["rescoring"], context.library.titles | {IDENTITY: "Identity distance"}
        return {
            buttons.status: words,
            heat: heat_table(table, titles, _LIMIT, IDENTITY) + _READING,
            csv: gr.DownloadButton(value=offer("re-scoring.csv", csv_bytes(table)), interactive=True),
        }

    @spoken
    def run(request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Measure what is chosen."""
        yield from runs.going(request, afresh([heat, csv], measured(request, *values)))

    what.change(lambda value: gr.Dropdown(visible=value == METHOD), what, method, **AT_ONCE)
    runs.connect(run, [context.edits, what, method, strength, faces], [buttons.status, heat, csv])
    connect_stop(runs)


class Measurer:
    """Which directions are measured, and how."""

    def __init__(self, context: EditContext) -> None:
        self.context = context

    def directions(self, visitor: Visitor, edits: Edits, what: str, method: str | None) -> list[Direction]:
        """The sliders' directions as their sliders have them, or a method's first.

        Raises:
            StudioError: There are none.
        """
        if what == ACTIVE:
            found = [self.context.editor.direction(visitor, turn, edits.keep) for turn in edits.turns]
            titled = [
                _titled(one, self.context.title(turn.key, visitor), turn.layers) for one, turn in zip(found, edits.turns, strict=True)
            ]
            if not titled:
                raise StudioError("No direction has a slider yet. Choose one above, or measure a whole method.")
            return titled
        keyed = list(self.context.library.directions(method or "", visitor).items())[:MOST]
        found = [_titled(one, self.context.title(key, visitor).rpartition(" · ")[0], AS_FOUND) for key, one in keyed]
        if not found:
            raise StudioError("There is nothing of your own yet. The workshop above makes, fits and imports directions.")
        return found

    def checked(self, faces: float, strength: float) -> tuple[int, float]:
        """How many faces and how far.

        Raises:
            StudioError: Outside what is offered.
        """
        if not 1 <= faces <= 16 or not 0 < abs(strength) <= 4:
            raise StudioError("Choose 1 to 16 faces, and a strength between -4 and 4 that is not zero.")
        return int(faces), float(strength)


def _titled(direction: Direction, title: str, layers: str) -> Direction:
    """A direction as the table names it, turned as far as its slider invites."""
    name, times = title if layers == AS_FOUND else f"{title}, layers {layers}", reach(direction).times
    if times != 1:
        name = f"{name}, {times:g} times as far"
    return replace(direction, name=name, sigma=times * direction.sigma)


_READING = (
    "<p class='reading'>Colours: blue is less, orange is more, full at 2.5 spreads. Identity distance: the same person below about 0.55. "
    "Attributes are what small networks and rules see in a picture, not facts about anybody.</p>"
)
_SNIPPET = program("""
generator = load_generator("ffhq")
bank, engine = face_bank(generator), create("interfacegan", generator)
directions = [engine(FitRequest(bank=bank, attribute=name)).directions[0] for name in ("smile", "age", "yaw")]
table = finish(rescore_directions(generator, directions, strength=2.0, faces=8)).tables["rescoring"]
print(table.columns, *table.rows, sep="\\n")
""")
