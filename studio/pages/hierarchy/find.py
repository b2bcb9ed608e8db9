"""The cell that asks which codes draw a picture: an upload, or a bird that is drawn for the purpose."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image as Pil

from engines import DrawingRequest, Result
from engines.core.errors import StudioError
from engines.core.images import square, to_picture, to_tensor
from engines.generators.finegan import FineCodes
from engines.hierarchy.finegan_codes import FineFinder, found_codes
from engines.training.datasets.birds import SHAPES, draw_birds, random_factors
from engines.training.datasets.coats import COATS
from engines.training.datasets.places import PLACES
from studio.cell import Runner, cell, lesson, runner
from studio.controls import Panel, panel
from studio.events import QUICK, moments, say, spoken
from studio.inputs import photo_input
from studio.pages.edit.context import IN_TURN, LANE
from studio.pages.hierarchy.answers import Answers, Steps
from studio.photo import read_upload
from studio.running import Going, Stopper, Updates, connect_stop, own_seats
from studio.staged import MOST_SEED, Pick, large, whole

_PROSE = (
    "The network has no encoder, but few codes: all backgrounds, shapes and appearances are tried, and the best are refined by changing z "
    "step by step. Bring a picture of a bird that stands alone, or have one drawn whose truth is known."
)


@dataclass(frozen=True, eq=False)
class _Find:
    upload: gr.Image
    seed: gr.Number
    draw: gr.Button
    truth: gr.Markdown
    knobs: Panel
    buttons: Runner
    target: gr.Image
    preview: gr.Image
    figures: gr.Markdown
    adopt: gr.Button


def find_cell(answers: Answers, number: int) -> None:
    """The cell and its events."""
    session = answers.sampler.session
    with cell(number, "Find the codes of a picture", _PROSE):
        find = _parts()
        target, found = gr.State(None), gr.State(None)
    runs = Stopper(find.buttons, own_seats(session.visitors))

    @spoken
    def bring(path: str | None) -> list[Any]:
        """An upload, squared and averaged down to the network's size."""
        if path is None:
            return [gr.skip(), gr.skip(), gr.skip()]
        picture = square(read_upload(session, path), answers.sampler.finegan.form.size)
        return [picture, large(picture), ""]

    @spoken
    def draw(seed: float | None) -> list[Any]:
        """A paper bird, and what it is."""
        factors = random_factors(1, whole(seed, MOST_SEED + 1, "Seed"))
        picture = to_picture(draw_birds(factors, answers.sampler.finegan.form.size).images)
        names = (SHAPES[int(factors.shape)], COATS[int(factors.texture)].name, PLACES[int(factors.background)])
        return [picture, large(picture), f"Drawn: a **{names[0]}** in the coat *{names[1]}* before *{names[2]}*."]

    def searched(request: gr.Request, picture: Pil.Image | None, *values: Any) -> Going:
        if picture is None:
            raise StudioError("There is no picture yet. Bring one, or have one drawn.")
        engine, knobs = answers.sampler.finder, find.knobs.knobs(values)
        run = engine.run(DrawingRequest(image=to_tensor(picture)), knobs)  # type: ignore[arg-type]
        for moment in moments(run, lambda _: None, session.settings.run_seconds, runs.seat(request).is_stopping):
            seen = moment.progress.preview if moment.result is None else None
            yield {find.buttons.status: say(moment)} | ({} if seen is None else {find.preview: large(to_picture(seen))})
        if moment.result is None:
            return {find.buttons.status: say(moment)}
        return {find.buttons.status: say(moment), found: found_codes(moment.result)} | _concluded(find, moment.result)

    @spoken
    def search(request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Look for the codes."""
        yield from runs.going(request, searched(request, *values))

    @spoken
    def adopt(pick: Pick, history: Steps, codes: FineCodes | None) -> list[Any]:
        """The codes that were found."""
        if codes is None:
            raise StudioError("Nothing was found yet. Press “Find the codes” first.")
        return answers.adopt(pick, history, codes)

    brought = [target, find.target, find.truth]
    find.upload.change(bring, find.upload, brought, **QUICK)
    find.draw.click(draw, find.seed, brought, **LANE)
    runs.connect(search, [target, *find.knobs.controls], [find.buttons.status, find.preview, find.figures, find.adopt, found])
    connect_stop(runs)
    find.adopt.click(adopt, [*answers.told, found], answers.shown, **IN_TURN)


def _parts() -> _Find:
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            upload = photo_input(label="A picture", height=220, elem_id="hier-upload")
            with gr.Row():
                seed = gr.Number(1, label="Seed of the drawing", step=1, elem_id="hier-draw-seed", min_width=110)
                draw = gr.Button("Draw one for me", elem_id="hier-draw", min_width=120)
            truth = gr.Markdown("", elem_id="hier-truth", elem_classes="status")
            with gr.Accordion("Knobs", open=False, elem_id="hier-find-knobs"):
                knobs = panel(FineFinder, "hier-find")
            lesson("finegan_codes")
        with gr.Column(scale=2, min_width=300):
            buttons = runner("hier-find", "Find the codes")
            with gr.Row():
                target, preview = _seen("To be drawn", "hier-target"), _seen("Drawn by the codes", "hier-preview")
            figures = gr.Markdown("", elem_id="hier-figures")
            adopt = gr.Button("Adopt these codes", variant="primary", interactive=False, elem_id="hier-adopt")
    return _Find(upload, seed, draw, truth, knobs, buttons, target, preview, figures, adopt)


def _seen(label: str, name: str) -> gr.Image:
    return gr.Image(label=label, interactive=False, height=300, format="png", buttons=[], elem_id=name, min_width=140)


def _concluded(find: _Find, result: Result) -> Updates:
    codes, metrics = found_codes(result), result.metrics
    words = (
        f"c **{codes.child}**, p **{codes.parent}**, b **{codes.background}**, and a z of its own: squared error **{metrics['mse']:.4f}**, "
        f"LPIPS **{metrics['lpips']:.3f}**."
    )
    return {
        find.preview: large(to_picture(result.images)),
        find.figures: words,
        find.adopt: gr.Button(interactive=True),
    }
