"""The cell in which Q reads a digit: one of the test set, or one that the visitor draws."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engines import Result
from engines.core.images import to_picture
from engines.generators.infogan import InfoCodes
from studio.services.finegan_sampler import large
from studio.tabs.hierarchy.infogan import DigitLesson, drawing, handful, pictures
from studio.ui.cell import cell, lesson
from studio.ui.inputs import digit_canvas, layers
from studio.ui.lanes import IN_TURN, LANE, PRIVATE
from studio.ui.run_events import QUICK, spoken

_PROSE = (
    "Q is a head on the discriminator's trunk and says which codes would make a digit. Click a test digit, new to all networks, or "
    "draw one yourself. Below, the digit is drawn again from what Q read, each time with another z: what stays is in the codes."
)


@dataclass(frozen=True, eq=False)
class _Reading:
    tests: gr.Gallery
    others: gr.Button
    canvas: gr.HTML
    draw: gr.Button
    seen: gr.Image
    shares: gr.Label
    words: gr.Markdown
    again: gr.Gallery
    take: gr.Button

    @property
    def shown(self) -> list[Any]:
        return [self.seen, self.shares, self.words, self.again, self.take]


def reading_cell(digits: DigitLesson, tab: gr.Tab) -> tuple[gr.Button, gr.State]:
    """The cell and its events; returns the button that takes codes over, and where the codes that were read are."""
    with cell("Q: read the codes of a digit", _PROSE, folded=True):
        parts = _parts()
        read, page = gr.State(None), gr.State(0)

    @spoken
    def offered(page: int) -> Any:
        """A handful of test digits."""
        return gr.Gallery(list(pictures(handful(page))), selected_index=None)

    @spoken
    def more(page: int) -> list[Any]:
        """Another handful."""
        return [page + 1, gr.Gallery(list(pictures(handful(page + 1))), selected_index=None)]

    @spoken
    def test(page: int, event: gr.SelectData) -> list[Any]:
        """A test digit, as it is."""
        shown = handful(page)
        if not isinstance(event.index, int) or not 0 <= event.index < len(shown):
            return [gr.skip()] * (1 + len(parts.shown))
        result = digits.read(pictures(shown)[event.index], 0, centre=False)
        return _told(digits, result, f"Its label, which nobody asked, is **{int(shown.labels[event.index])}**.")

    @spoken
    def drawn(value: str) -> list[Any]:
        """A digit that the visitor drew."""
        return _told(digits, digits.read(drawing(layers(value)), 0, centre=True), "Your own digit, scaled and centred as MNIST's are.")

    tab.select(offered, page, parts.tests, **QUICK | PRIVATE)
    parts.others.click(more, page, [page, parts.tests], **QUICK | PRIVATE)
    parts.tests.select(test, page, [read, *parts.shown], **IN_TURN)
    parts.draw.click(drawn, parts.canvas, [read, *parts.shown], **LANE)
    return parts.take, read


def _parts() -> _Reading:
    with gr.Row():
        with gr.Column(scale=1, min_width=290):
            tests = gr.Gallery(
                label="Test digits",
                columns=10,
                height=150,
                allow_preview=False,
                interactive=False,
                buttons=[],
                elem_id="info-tests",
                elem_classes="codes",
            )
            others = gr.Button("Other digits", size="sm", elem_id="info-others")
            canvas = digit_canvas(label="Draw one", elem_id="info-canvas", min_width=280)
            draw = gr.Button("Show my drawing to Q", variant="primary", elem_id="info-draw")
            lesson("infogan_codes")
        with gr.Column(scale=1, min_width=290):
            with gr.Row():
                seen = gr.Image(
                    label="What Q sees", interactive=False, height=190, format="png", buttons=[], elem_id="info-seen", min_width=150
                )
                shares = gr.Label(label="Q's answer", num_top_classes=4, elem_id="info-shares", min_width=150)
            words = gr.Markdown("", elem_id="info-words")
            again = gr.Gallery(
                label="Drawn again from the codes",
                columns=8,
                height=150,
                allow_preview=False,
                interactive=False,
                buttons=[],
                elem_id="info-again",
                elem_classes="codes",
            )
            take = gr.Button("Take these codes to the first lesson", interactive=False, elem_id="info-take")
    return _Reading(tests, others, canvas, draw, seen, shares, words, again, take)


def _told(digits: DigitLesson, result: Result, aside: str) -> list[Any]:
    category, digit, first, second, seed = result.tables["codes"].rows[0]
    codes = InfoCodes(int(category), (float(first), float(second)), int(seed))
    shares = {digits.name(int(number)): float(share) for number, _, share in result.tables["categories"].rows}
    told = (
        f"Category **{category}**, named **“{digit}”**; first code **{codes.continuous[0]:+.2f}**, second **{codes.continuous[1]:+.2f}**."
    )
    again = [to_picture(picture) for picture in result.images.split(1)]
    seen = large(to_picture(result.stages["read"]))
    return [codes, seen, shares, f"{told} {aside}", gr.Gallery(again, selected_index=None), gr.Button(interactive=True)]
