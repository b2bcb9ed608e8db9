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
from engines.training.datasets.backgrounds import BACKGROUNDS
from engines.training.datasets.birds import SHAPES, draw_birds, random_factors
from engines.training.datasets.textures import TEXTURES
from studio.services.finegan_sampler import MOST_SEED, Pick, large, whole
from studio.services.photo_pipeline import read_upload
from studio.serving.lines import PHOTO
from studio.state.moments import moments, say
from studio.tabs.hierarchy.handlers import SamplerHandlers, Steps
from studio.ui.afresh import READY, afresh, blank
from studio.ui.cell import Runner, cell, lesson, runner
from studio.ui.inputs import photo_input
from studio.ui.knob_controls import KnobForm, knob_form
from studio.ui.lanes import IN_TURN, LANE, PRIVATE
from studio.ui.run_control import Going, Stopper, Updates, connect_stop, own_slots
from studio.ui.run_events import spoken

_PROSE = (
    "The network has no encoder, but few codes: all backgrounds, shapes and appearances are tried, and the best are refined by changing z "
    "step by step. Upload a picture of a bird that stands alone, or have one drawn whose ground truth is known."
)


@dataclass(frozen=True, eq=False)
class _Find:
    upload: gr.Image
    seed: gr.Number
    draw: gr.Button
    truth: gr.Markdown
    knobs: KnobForm
    buttons: Runner
    target: gr.Image
    preview: gr.Image
    figures: gr.Markdown
    adopt: gr.Button


def find_cell(handlers: SamplerHandlers) -> None:
    """The cell and its events."""
    session = handlers.sampler.session
    with cell("Infer the codes of a picture", _PROSE, folded=True):
        find = _parts()
        target, found, is_drawn = gr.State(None), gr.State(None), gr.State(False)
    runs = Stopper(find.buttons, own_slots(session.visitors), session.lines)
    truth, results = find.truth, [find.preview, find.figures, find.adopt, found]

    def told(request: gr.Request, picture: Pil.Image | None, words: str) -> Updates:
        """Another picture, or none; what was found for the one before goes, unless its run is going."""
        shown = {target: picture, find.target: None if picture is None else large(picture), truth: words}
        return shown if runs.slot(request).running else shown | {find.buttons.status: ""} | blank(results)

    @spoken
    def bring(path: str | None, drawn: bool, request: gr.Request) -> Updates:
        """An upload, squared and averaged down to the network's size; without one, or with one that cannot be read, nothing is left."""
        if path is None and drawn:  # the upload made room for a drawing
            return {truth: gr.skip()}
        picture = None
        if path is not None:
            try:
                picture = square(read_upload(session, path).picture, handlers.sampler.finegan.form.size)
            except StudioError as error:
                gr.Warning(str(error), duration=12)
        return told(request, picture, "") | {is_drawn: False}

    @spoken
    def draw(seed: float | None, request: gr.Request) -> Updates:
        """A paper bird, and what it is."""
        factors = random_factors(1, whole(seed, MOST_SEED + 1, "Seed"))
        picture = to_picture(draw_birds(factors, handlers.sampler.finegan.form.size).images)
        names = (SHAPES[int(factors.shape)], TEXTURES[int(factors.texture)].name, BACKGROUNDS[int(factors.background)])
        words = f"Drawn: a **{names[0]}** in the texture *{names[1]}* before *{names[2]}*."
        return told(request, picture, words) | {is_drawn: True, find.upload: None}

    def searched(request: gr.Request, picture: Pil.Image | None, settings: Any) -> Going:
        if picture is None:
            raise StudioError("There is no picture yet. Upload one, or have one drawn.")
        yield {find.buttons.status: READY}
        engine, knobs = handlers.sampler.finder, find.knobs.knobs(FineFinder.card.name, settings)
        run = engine.run(DrawingRequest(image=to_tensor(picture)), knobs)  # type: ignore[arg-type]
        for moment in moments(run, session.settings.run_seconds, runs.slot(request).is_stopping):
            seen = moment.progress.preview if moment.result is None else None
            yield {find.buttons.status: say(moment)} | ({} if seen is None else {find.preview: large(to_picture(seen))})
        if moment.result is None:
            return {find.buttons.status: say(moment)}
        own = {target: picture, find.target: large(picture)}  # another may have been brought meanwhile
        return {find.buttons.status: say(moment), found: found_codes(moment.result)} | own | _concluded(find, moment.result)

    @spoken
    def search(request: gr.Request, picture: Pil.Image | None, settings: Any) -> Iterator[Updates]:
        """Look for the codes."""
        yield from runs.going(request, afresh(results, searched(request, picture, settings)))

    @spoken
    def adopt(pick: Pick, history: Steps, codes: FineCodes | None) -> list[Any]:
        """The codes that were found."""
        if codes is None:
            raise StudioError("Nothing was found yet. Press “Find the codes” first.")
        return handlers.adopt(pick, history, codes)

    brought = [target, find.target, truth, is_drawn, find.upload, find.buttons.status, *results]
    find.upload.change(bring, [find.upload, is_drawn], brought, concurrency_id=PHOTO, **PRIVATE)
    find.draw.click(draw, find.seed, brought, **LANE)
    runs.connect(search, [target, find.knobs.component], [find.buttons.status, target, find.target, *results])
    connect_stop(runs)
    find.adopt.click(adopt, [*handlers.told, found], handlers.shown, **IN_TURN)


def _parts() -> _Find:
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            upload = photo_input(label="A picture", height=220, elem_id="hier-upload")
            with gr.Row():
                seed = gr.Number(1, label="Seed of the drawing", step=1, elem_id="hier-draw-seed", elem_classes="seed", min_width=210)
                draw = gr.Button("Draw one for me", elem_id="hier-draw", min_width=120)
            truth = gr.Markdown("", elem_id="hier-truth", elem_classes="status")
            with gr.Accordion("Knobs", open=False, elem_id="hier-find-knobs"):
                knobs = knob_form([FineFinder], "hier-find")
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
