"""The cell that trains FineGAN before one's eyes, for some minutes."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
from PIL import Image as Pil

from engines.core.errors import StudioError
from engines.core.images import png_bytes, to_picture
from engines.core.shapes import Image
from engines.training.lesson import finegan_lesson
from studio.services.finegan_sampler import MOST_SEED, whole
from studio.state.moments import Moment, moments, say
from studio.state.session import Session
from studio.ui.afresh import afresh
from studio.ui.cell import cell, runner
from studio.ui.run_control import Going, Stopper, Updates, connect_stop, own_slots
from studio.ui.run_events import offer, spoken

_SHORTEST, _LONGEST, _SCALE = 0.2, 10.0, 4
_PROSE = (
    "A small FineGAN begins with random weights and is shown paper birds; nobody tells it what a bird is. A shape a row, a texture a "
    "column. Colours come first, then places where a bird could be, then outlines; the rest takes hours."
)
_WATCHED = {
    "parent": "shape code unread",
    "child": "texture code unread",
    "disagree": "masks apart",
    "child_area": "covered by the bird",
}
"""Losses that the page names, in words."""


def live_cell(session: Session) -> None:
    """The cell and its events."""
    with cell("Training, live", _PROSE, folded=True), gr.Row():
        with gr.Column(scale=1, min_width=280):
            minutes = gr.Slider(_SHORTEST, _LONGEST, 2, step=0.1, label="Minutes", elem_id="hier-train-minutes")
            seed = gr.Number(0, label="Seed", step=1, elem_id="hier-train-seed", elem_classes="seed")
            buttons = runner("hier-train", "Train from nothing")
            figures = gr.Markdown("", elem_id="hier-train-figures")
        with gr.Column(scale=2, min_width=300):
            shown = gr.Image(
                label="What it draws now", interactive=False, format="png", buttons=[], height=420, elem_id="hier-train-picture"
            )
            download = gr.DownloadButton("Download the picture (PNG)", interactive=False, elem_id="hier-train-download")
    runs = Stopper(buttons, own_slots(session.visitors), session.lines)

    def trained(request: gr.Request, length: float, start: float | None) -> Going:
        if not _SHORTEST <= length <= _LONGEST:
            raise StudioError(f"{length:g} minutes came; a lesson takes from {_SHORTEST:g} to {_LONGEST:g}.")
        run = finegan_lesson(length, whole(start, MOST_SEED + 1, "Seed"))
        moment: Moment | None = None
        for moment in moments(run, session.settings.run_seconds, runs.slot(request).is_stopping):
            seen = moment.progress.preview if moment.result is None else None
            yield {buttons.status: _status(moment), figures: _told(moment)} | ({} if seen is None else {shown: _large(seen)})
        if moment is None or moment.result is None:
            return {buttons.status: say(moment) if moment else ""}
        picture = _large(moment.result.images)
        kept = gr.DownloadButton(value=offer("finegan-lesson.png", png_bytes(picture)), interactive=True)
        return {buttons.status: say(moment), shown: picture, download: kept}

    @spoken
    def train(request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Train, and show what comes."""
        yield from runs.going(request, afresh([figures, shown, download], trained(request, *values)))

    runs.connect(train, [minutes, seed], [buttons.status, figures, shown, download])
    connect_stop(runs)


def _status(moment: Moment) -> str:
    return f"{moment.progress.step / 10:.0f} % · {moment.seconds:.0f} s" if moment.result is None else say(moment)


def _told(moment: Moment) -> str:
    last = {name: values[-1] for name, values in moment.history.items() if values}
    steps = len(next(iter(moment.history.values()), []))
    return " · ".join([f"update {steps}", *(f"{words} {last[name]:.2f}" for name, words in _WATCHED.items() if name in last)])


def _large(images: Image) -> Pil.Image:
    picture = to_picture(images)
    return picture.resize((_SCALE * picture.width, _SCALE * picture.height), Pil.Resampling.NEAREST)
