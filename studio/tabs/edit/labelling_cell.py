"""Two parts of the workshop that learn a direction: from faces that the person answers yes or no about, and from a measurement."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engines import FitRequest, Result
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.data import attributes
from engines.edit.interfacegan import STRENGTHS, Boundary, InterFaceGANKnobs
from engines.spaces.bank import Score
from studio.services.user_directions import (
    ORDERS,
    RANDOM,
    answers_of,
    as_labels,
    by_threshold,
    contact,
    drafts_of,
    next_faces,
    plain,
    renamed,
    room_for,
)
from studio.state.moments import STOPPED, moments, say
from studio.state.visitor import JobSlot, Visitor
from studio.tabs.edit.context import EditContext
from studio.ui import menus
from studio.ui.afresh import afresh
from studio.ui.cell import Runner, runner
from studio.ui.lanes import BACKGROUND, PRIVATE
from studio.ui.run_control import Going, Stopper, Updates, connect_stop, own_slots
from studio.ui.run_events import QUICK, spoken

COLUMNS = 6
_SCRIPT = Path(__file__).with_name("labelling.js")
_TEMPLATE = "<div class='faces' role='group' aria-label='Faces to answer yes or no about'></div><p class='tally' aria-live='polite'></p>"
_HOW = (
    "Click a face once for **yes**, again for **no**, a third time for no answer. On a keyboard: **Y**, **N**, Delete, arrows. "
    "At least 5 of each are needed; with 20 of each some are held out to tell how good the direction is."
)


@dataclass(frozen=True, eq=False)
class Fitting:
    """What both parts have: where to learn, what must stay, the buttons, and what came of it."""

    space: gr.Radio
    keep: gr.Dropdown
    buttons: Runner
    row: gr.Gallery

    @property
    def inputs(self) -> list[Any]:
        return [self.space, self.keep]


def _fitting(context: EditContext, prefix: str) -> Fitting:
    with gr.Row():
        info = "W works for photos too; Z moves random faces only."
        space = gr.Radio([("W", "w"), ("Z", "z")], value="w", label="Space", info=info, elem_id=f"{prefix}-space")
        choices = [(title, name) for name, title in context.library.titles.items()]
        info = "These are taken out of the direction."
        keep = gr.Dropdown(choices, value=[], multiselect=True, label="Must stay", info=info, elem_id=f"{prefix}-keep")
    buttons = runner(prefix, "Fit a direction")
    row = gr.Gallery(
        columns=5,
        height=270,
        visible=False,
        allow_preview=False,
        show_label=False,
        elem_id=f"{prefix}-strip",
        interactive=False,
        buttons=[],
        format="jpeg",
    )
    return Fitting(space, keep, buttons, row)


class Teacher:
    """Fits directions and keeps them among the visitor's own."""

    def __init__(self, context: EditContext) -> None:
        self.context = context
        self.generator = context.session.generator

    @spoken
    def more(self, value: Any, order: str, turn: float, request: gr.Request) -> list[Any]:
        """Other faces to ask about, the answers so far kept."""
        visitor = self.context.visitor(request)
        bank = self.context.library.bank
        answers = answers_of(value, len(bank))
        numbers = next_faces(bank, list(answers), order, drafts_of(visitor).guess, int(turn or 0))
        given = {str(number): answer for number, answer in answers.items()}
        sheet = contact(self.generator, numbers, COLUMNS)
        return [{"sheet": sheet, "columns": COLUMNS, "faces": numbers, "answers": given}, int(turn or 0) + 1]

    def fit(self, fitting: Fitting, slot: JobSlot, visitor: Visitor, name: str, labels: Score, space: str, keep: list[str]) -> Going:
        """Learn, keep and show a direction.

        Raises:
            StudioError: Too few examples, or no room.
        """
        room_for(visitor)
        bank = self.context.library.bank
        knobs = InterFaceGANKnobs.of({"space": space})
        request = FitRequest(bank=bank, attribute=name, labels=labels.to(bank.w), keep=tuple(keep))
        yield {fitting.buttons.status: "Fitting …"}
        run = self.context.session.engine("interfacegan").run(request, knobs)
        for moment in moments(run, self.context.session.settings.run_seconds, slot.is_stopping):
            yield {fitting.buttons.status: STOPPED if moment.stopped else say(moment)}
        if moment.stopped or moment.result is None:
            return {fitting.buttons.status: STOPPED}
        return self._learnt(fitting, visitor, name, labels, moment.result)

    def _learnt(self, fitting: Fitting, visitor: Visitor, name: str, labels: Score, result: Result) -> Updates:
        """What a fit leaves: a direction among the visitor's own, and its faces."""
        direction = renamed(result.directions[0], name)
        offset = next(float(row[1]) for row in result.tables["boundary"].rows if row[0] == "offset")
        drafts_of(visitor).guess = Boundary(direction, offset)
        pictures = [(to_picture(image[None]), f"{at:+g} sigma") for image, at in zip(result.images, STRENGTHS, strict=False)]
        return {
            fitting.buttons.status: report(name, result.metrics, labels),
            fitting.row: gr.Gallery(pictures, visible=True),
            self.context.added: self.context.library.add(direction, visitor),
        }

    @spoken
    def threshold(self, attribute: str, value: float | None) -> list[Any]:
        """How a threshold divides the bank, in words; without one, the slider for it."""
        scores = self.context.library.bank.score(attribute)
        found = next(one for one in attributes(self.generator) if one.name == attribute)
        low, middle, high = (_round(float(scores.quantile(share)), scores) for share in (0.02, 0.5, 0.98))
        fresh = value is None
        at = middle if value is None else float(value)
        above = int((scores > at).sum())
        slider = gr.Slider(low, high, middle, step=_step(scores), label="Threshold", info=found.unit) if fresh else gr.skip()
        words = (
            f"{above:,} of {len(scores):,} faces lie above: yes is *{found.high}*, no is *{found.low}*. The furthest on each side are used."
        )
        return [slider, words]


def _step(scores: Score) -> float:
    """A power of ten, some hundredths of the spread: what a slider moves by."""
    return float(10.0 ** math.floor(math.log10(max(float(scores.std()), 1e-6) / 10)))


def _round(value: float, scores: Score) -> float:
    step = _step(scores)
    return round(round(value / step) * step, 9)


def report(name: str, metrics: Mapping[str, float], labels: Score) -> str:
    """What a fit says at its end."""
    yes, no = int((labels > 0).sum()), int((labels < 0).sum())
    words = f"**{name}** learnt from {yes} yes and {no} no; it has a slider now."
    if "accuracy" in metrics:
        return f"{words} It is right about {metrics['accuracy']:.0%} of the answers that were held out."
    return f"{words} With 20 of each, some would be held out and tell how often it is right."


def clicking_part(context: EditContext, teacher: Teacher) -> None:
    """Name an attribute and click."""
    with gr.Row():
        name = gr.Textbox(
            label="Your attribute", placeholder="such as: curly hair", max_length=40, max_lines=1, elem_id="teach-name", scale=2
        )
        order = gr.Dropdown(list(ORDERS), value=RANDOM, label="Faces", elem_id="teach-order", min_width=150)
        more = gr.Button("Show other faces", elem_id="teach-more", min_width=150)
    gr.Markdown(_HOW, elem_classes="status")
    faces = gr.HTML(
        {"faces": [], "answers": {}, "columns": COLUMNS, "sheet": ""},
        html_template=_TEMPLATE,
        css_template=_SCRIPT.with_suffix(".css").read_text(encoding="utf-8"),
        js_on_load=_SCRIPT.read_text(encoding="utf-8"),
        elem_id="teach-faces",
    )
    fitting = _fitting(context, "teach")
    turn = gr.State(0)

    def fit(slot: JobSlot, visitor: Visitor, name: str, value: Any, space: str, keep: list[str]) -> Going:
        """From the answers."""
        title, bank = plain(name), context.library.bank
        labels = as_labels(answers_of(value, len(bank)), len(bank))
        return (yield from teacher.fit(fitting, slot, visitor, title, labels, space, keep))

    asking: dict[str, Any] = {"inputs": [faces, order, turn], "outputs": [faces, turn]}
    context.opened.change(teacher.more, **asking, **BACKGROUND, **PRIVATE)
    gr.on([more.click, order.input], teacher.more, **asking, **QUICK, show_progress="hidden")
    _connect(context, fitting, fit, [name, faces, *fitting.inputs])


def measured_part(context: EditContext, teacher: Teacher) -> None:
    """Choose a measurement and a threshold."""
    choices = [(title, name) for name, title in context.library.titles.items()]
    first = "smile" if "smile" in context.library.titles else choices[0][1]
    with gr.Row():
        attribute = gr.Dropdown(choices, value=first, label="Measurement", elem_id="measured-attribute")
        slider = menus.slider(0, 1, 0.5, label="Threshold", info=" ", elem_id="measured-threshold")
        name = gr.Textbox(label="Name", placeholder="that of the measurement", max_length=40, max_lines=1, elem_id="measured-name")
    words = gr.Markdown("", elem_classes="status", elem_id="measured-words")
    fitting = _fitting(context, "measured")

    def fit(slot: JobSlot, visitor: Visitor, attribute: str, threshold: float, name: str, space: str, keep: list[str]) -> Going:
        """From the faces on both sides of the threshold."""
        if attribute in keep:
            raise StudioError("The measurement itself cannot be among what must stay.")
        title = plain(name, f"{context.library.titles.get(attribute, attribute)} above {threshold:.3g}")
        labels = by_threshold(context.library.bank.score(attribute), threshold)
        return (yield from teacher.fit(fitting, slot, visitor, plain(title), labels, space, keep))

    def fresh(attribute: str) -> list[Any]:
        return teacher.threshold(attribute, None)

    context.opened.change(fresh, attribute, [slider, words], **BACKGROUND, **PRIVATE)
    attribute.input(fresh, attribute, [slider, words], **QUICK, show_progress="hidden")
    slider.input(teacher.threshold, [attribute, slider], [slider, words], trigger_mode="always_last", **QUICK, show_progress="hidden")
    _connect(context, fitting, fit, [attribute, slider, name, *fitting.inputs])


def _connect(context: EditContext, fitting: Fitting, fit: Callable[..., Going], inputs: list[Any]) -> None:
    runs = Stopper(fitting.buttons, own_slots(context.session.visitors), context.session.lines)

    @spoken
    def run(request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Fit a direction."""
        yield from runs.going(request, afresh([fitting.row], fit(runs.slot(request), context.visitor(request), *values)))

    context.use(runs.connect(run, inputs, [fitting.buttons.status, fitting.row, context.added]))
    connect_stop(runs)
