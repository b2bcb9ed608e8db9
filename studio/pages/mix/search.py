"""The cell that searches: code and noise are optimised to fill in, cross over, bring a style, follow a scribble or copy features."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

import engines.invert
from engines.core.errors import StudioError
from engines.core.images import png_bytes, to_picture
from engines.invert.optimize.local_embedding import ATTRIBUTE, CROSSOVER, INPAINT, SCRIBBLE, STYLE
from studio.cell import Runner, cell, code, lesson, runner
from studio.controls import Panel, control
from studio.edits import Face
from studio.events import QUICK, offer, say, spoken
from studio.figures import data_url
from studio.inputs import CANVAS, layers, scribble_canvas
from studio.mix import Mix
from studio.pages.edit.context import LANE
from studio.pages.mix.answers import Answers
from studio.pages.result import turned
from studio.photo import preview, small
from studio.running import Going, Stopper, Updates, connect_stop
from studio.searching import ENGINE, Found, Searcher
from studio.shelf import Desk

USES = {
    "Fill in what is painted": INPAINT,
    "Cross the two faces over": CROSSOVER,
    "Bring the reference's style": STYLE,
    "Follow a scribble": SCRIBBLE,
    "Copy the reference's features": ATTRIBUTE,
}
_OWN = {"tones": CROSSOVER, "style_weight": STYLE, "closeness": SCRIBBLE, "layer": ATTRIBUTE}
"""Knobs that only one use reads."""


@dataclass(frozen=True, eq=False)
class Search:
    """The cell's components."""

    use: gr.Radio
    canvas: gr.HTML
    knobs: Panel
    buttons: Runner
    preview: gr.Image
    slider: gr.ImageSlider
    stages: gr.Gallery
    figures: gr.Markdown
    keep: gr.Button
    file: gr.DownloadButton
    code: gr.Code

    @property
    def finished(self) -> list[Any]:
        """What a run fills at its end."""
        return [self.slider, self.stages, self.figures, self.keep, self.file, self.code]

    @property
    def own(self) -> list[Any]:
        """Controls that only one use reads, in the order of `_OWN`."""
        names = [declared.name for declared in self.knobs.engine.knob_set.declared()]
        return [self.knobs.controls[names.index(name)] for name in _OWN]


def search_cell(answers: Answers, number: int, mix: gr.State) -> Callable[[Any], None]:
    """The cell and its events; nothing where the method is not offered.

    Returns:
        What makes the canvas to scribble on follow an event after which the mixture may have another source.
    """
    session = answers.mixer.session
    engine = next((engine for engine in session.offered(engines.invert) if engine.card.name == ENGINE), None)
    if engine is None:
        return lambda event: None
    prose = (
        "The mask and the faces of the cells above, another way: code and noise are optimised until the generator draws what is asked. "
        "It takes a minute or two. A shelf entry that came from a photo stands for its photo."
    )
    with cell(number, "Or search for it", prose):
        search = _components(engine)
    return _connect(answers, search, mix)


def _components(engine: Any) -> Search:
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            use = gr.Radio(list(USES.items()), value=CROSSOVER, label="What the mask is for", elem_id="search-use")
            canvas = scribble_canvas(label="Scribble on the source", elem_id="search-canvas", visible=False)
            with gr.Accordion("Knobs", open=False, elem_id="search-knobs"):
                knobs = _panel(engine, use)
            lesson(ENGINE)
        with gr.Column(scale=1, min_width=280):
            buttons = runner("search")
            seen = gr.Image(label="The picture so far", height=280, interactive=False, format="jpeg", elem_id="search-preview", buttons=[])
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            slider = gr.ImageSlider(
                label="Source | found", height=520, max_height=520, interactive=False, elem_id="search-slider", format="webp"
            )
            stages = gr.Gallery(label="On the way", columns=3, height="auto", visible=False, elem_id="search-stages", format="webp")
        with gr.Column(scale=1, min_width=260):
            figures = gr.Markdown("", elem_id="search-figures")
            keep = gr.Button("Put on the shelf", variant="primary", interactive=False, elem_id="search-keep")
            file = gr.DownloadButton("Download the picture (PNG)", interactive=False, elem_id="search-download")
    return Search(use, canvas, knobs, buttons, seen, slider, stages, figures, keep, file, code("search"))


def _panel(engine: Any, use: gr.Radio) -> Panel:
    """Controls for the engine's knobs; its use is chosen above."""
    controls: dict[str, Any] = {"use": use}
    declared = [knob for knob in engine.knob_set.declared() if knob.name != "use"]
    for knob in declared:
        if not knob.knob.advanced:
            controls[knob.name] = control(knob, "search")
            controls[knob.name].visible = _OWN.get(knob.name, CROSSOVER) == CROSSOVER
    with gr.Accordion("More knobs, for those who read the paper", open=False):
        controls |= {knob.name: control(knob, "search") for knob in declared if knob.knob.advanced}
    return Panel(engine, tuple(controls[knob.name] for knob in engine.knob_set.declared()))


def _connect(answers: Answers, search: Search, mix: gr.State) -> Callable[[Any], None]:
    searcher, strip = Searcher(answers.mixer), answers.strip
    under = gr.State(None)
    status = search.buttons.status

    @spoken
    def choose(mix: Mix, use: str, request: gr.Request) -> list[Any]:
        """The controls of another use; for a scribble, the source to draw on."""
        shown = [type(control)(visible=use == only) for control, only in zip(search.own, _OWN.values(), strict=True)]
        if use != SCRIBBLE:
            return [None, gr.HTML(visible=False), *shown]
        return [mix.source, *_beneath(searcher, answers.desk(request), mix), *shown]

    @spoken
    def another(mix: Mix, use: str, face: Face | None, request: gr.Request) -> list[Any]:
        """The source beneath the scribble, if it is another one by now; what is drawn stays."""
        if use != SCRIBBLE or face == mix.source:
            return [gr.skip(), gr.skip()]
        return [mix.source, *_beneath(searcher, answers.desk(request), mix)]

    runs = Stopper(search.buttons, answers.desk)

    @spoken
    def run(request: gr.Request, mix: Mix, scribble: str, *values: Any) -> Iterator[Updates]:
        """Search for the picture that is asked for."""
        yield from runs.going(request, searched(answers.desk(request), mix, layers(scribble), values))

    def searched(desk: Desk, mix: Mix, drawn: list[bytes], values: tuple[Any, ...]) -> Going:
        knobs: Any = search.knobs.knobs(values)
        for moment in searcher.run(desk, mix, drawn, knobs):
            seen = moment.progress.preview if moment.result is None else None
            yield {status: say(moment)} | ({} if seen is None else {search.preview: preview(seen)})
        found = searcher.found(desk)
        if found is None:
            return {status: say(moment)}
        return {status: say(moment)} | concluded(search, found) | {search.code: recipe(mix, knobs)}

    @spoken
    def put(request: gr.Request) -> list[Any]:
        """Keep the picture for the other tabs."""
        desk = answers.desk(request)
        found = searcher.found(desk)
        if found is None or desk.running:
            raise StudioError("There is nothing to put on the shelf yet. Press Run first, and wait for its end or press Stop.")
        item = desk.put("Searched", to_picture(found.result.images), found.inversion)
        gr.Success("On the shelf. Choose it above as the source of the next change.")
        return strip.show(desk, item.key)

    search.use.input(choose, [mix, search.use], [under, search.canvas, *search.own], **LANE)
    outputs = [status, search.preview, *search.finished]
    runs.connect(run, [mix, search.canvas, *search.knobs.controls], outputs)
    connect_stop(runs)
    search.keep.click(put, None, strip.outputs, **QUICK)
    return lambda event: event.success(another, [mix, search.use, under], [under, search.canvas], trigger_mode="always_last", **LANE)


def _beneath(searcher: Searcher, desk: Desk, mix: Mix) -> list[gr.HTML]:
    """The canvas with the source beneath what is drawn."""
    source = to_picture(searcher.picture(desk, mix.source)).resize((CANVAS, CANVAS))
    return [gr.HTML(background=data_url(source, CANVAS), visible=True)]


def concluded(search: Search, found: Found) -> dict[Any, Any]:
    """What a run leaves on the page."""
    picture, metrics = to_picture(found.result.images), found.result.metrics
    shown = [(small(to_picture(image)), name) for name, image in found.result.stages.items()]
    words = f"{found.seconds:.1f} s."
    if metrics:
        words = (
            f"Outside the mask the picture differs from the source by an MSE of **{metrics['mse_outside']:.4f}**; along the mask's "
            f"border it jumps **{metrics['border']:.2f}** times as much as on average: clearly above 1, the border shows. {words}"
        )
    return {
        search.slider: (to_picture(found.source), picture),
        search.stages: gr.Gallery(shown, visible=bool(shown)),
        search.figures: words,
        search.keep: gr.Button(interactive=True),
        search.file: gr.DownloadButton(value=offer("searched.png", png_bytes(picture)), interactive=True),
    }


def recipe(mix: Mix, knobs: Any) -> str:
    """The lines of Python that do the same."""
    other = {INPAINT: "", SCRIBBLE: ', other=face("scribbled.png")'}.get(knobs.use, f", other={_face(mix.reference, 'second.jpg')}")
    if knobs.use != INPAINT:
        other += _start("start", mix.source) + (_start("other_start", mix.reference) if knobs.use == ATTRIBUTE else "")
    return f'''from pathlib import Path

from engines import Latent, create, load_generator
from engines.core.images import area, read_image, to_picture, to_tensor
from engines.faces import align, find_faces
from engines.invert.optimize import LocalRequest
from engines.spaces.statistics import random_w


def face(path):
    photo = read_image(Path(path))
    return to_tensor(align(photo, find_faces(photo)[0].alignment))


generator = load_generator("ffhq")
source = {_face(mix.source, "photo.jpg")}
mask = area((to_tensor(read_image(Path("mask.png")))[:, :1] > 0).float(), generator.resolution)  # as cell 3 saves it
request = LocalRequest(image=source, mask=mask{other})
result = create("{ENGINE}", generator)(request{turned(knobs)})
to_picture(result.images).save("searched.png")
'''


def _face(face: Face, path: str) -> str:
    return f"generator.synthesize({_code(face)}).detach().clamp(-1, 1)" if face.kind == "Seed" else f'face("{path}")'


def _start(name: str, face: Face) -> str:
    return f', {name}=Latent("w", {_code(face)})' if face.kind == "Seed" else ""


def _code(face: Face) -> str:
    return f"random_w(generator, {int(face.seed or 0)}, {face.truncation:g})"
