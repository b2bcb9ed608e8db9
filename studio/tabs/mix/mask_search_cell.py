"""The cell that searches: code and noise are optimised to fill in, cross over, bring a style, follow a scribble or copy features."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

import engines.invert
from engines.core.errors import StudioError
from engines.core.images import png_bytes, to_picture
from engines.core.knobs import Value
from engines.invert.optimize.local_embedding import ATTRIBUTE, CROSSOVER, INPAINT, SCRIBBLE, STYLE
from studio.media.export import data_url
from studio.services.mask_search import ENGINE, Searcher
from studio.services.photo_pipeline import preview, small
from studio.services.snippets import knob_arguments, program
from studio.state.edits import Face
from studio.state.mix import CANVAS, Mix
from studio.state.moments import say
from studio.state.results import Found
from studio.state.visitor import Visitor
from studio.tabs.mix.handlers import MixHandlers
from studio.ui.afresh import afresh
from studio.ui.cell import Runner, cell, code, lesson, runner
from studio.ui.inputs import layers, scribble_canvas
from studio.ui.knob_controls import KnobForm, knob_form
from studio.ui.lanes import AT_ONCE, LANE, PRIVATE
from studio.ui.run_control import Going, Stopper, Updates, connect_stop
from studio.ui.run_events import QUICK, offer, spoken

USES = {
    "Fill in what is painted": INPAINT,
    "Cross the two faces over": CROSSOVER,
    "Bring the reference's style": STYLE,
    "Follow a scribble": SCRIBBLE,
    "Copy the reference's features": ATTRIBUTE,
}
_HERE: dict[str, tuple[Value, ...]] = {"quick_steps": ("use", INPAINT)}
"""Knobs that count in this cell with one use alone: for the others, the codes of both faces are known to begin with."""


@dataclass(frozen=True, eq=False)
class Search:
    """The cell's components."""

    use: gr.Radio
    canvas: gr.HTML
    knobs: KnobForm
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


def search_cell(handlers: MixHandlers, mix: gr.State) -> Callable[[Any], None]:
    """The cell and its events; nothing where the method is not offered.

    Returns:
        What makes the canvas to scribble on follow an event after which the mix may have another source.
    """
    session = handlers.mixer.session
    engine = next((engine for engine in session.offered(engines.invert) if engine.card.name == ENGINE), None)
    if engine is None:
        return lambda event: None
    prose = (
        "The mask and the faces of the cells above, another way: code and noise are optimised until the generator draws what is asked. "
        "It takes a minute or two. A shelf entry that came from a photo stands for its photo."
    )
    with cell("Optimise inside the mask (Image2StyleGAN++)", prose, folded=True):
        search = _components(engine)
    return _connect(handlers, search, mix)


def _components(engine: Any) -> Search:
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            use = gr.Radio(list(USES.items()), value=CROSSOVER, label="What the mask is for", elem_id="search-use")
            canvas = scribble_canvas(label="Scribble on the source", elem_id="search-canvas", visible=False)
            with gr.Accordion("Knobs", open=False, elem_id="search-knobs"):
                knobs = knob_form([engine], "search", given={"use": CROSSOVER}, only=_HERE)
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


def _connect(handlers: MixHandlers, search: Search, mix: gr.State) -> Callable[[Any], None]:
    searcher, strip = Searcher(handlers.mixer), handlers.strip
    under = gr.State(None)
    status, results = search.buttons.status, [search.preview, *search.finished]

    @spoken
    def choose(mix: Mix, use: str, request: gr.Request) -> list[Any]:
        """For a scribble, the source to draw on."""
        if use != SCRIBBLE:
            return [None, gr.HTML(visible=False)]
        return [mix.source, *_beneath(searcher, handlers.visitor(request), mix)]

    @spoken
    def another(mix: Mix, use: str, face: Face | None, request: gr.Request) -> list[Any]:
        """The source beneath the scribble, if it is another one by now; what is drawn stays."""
        if use != SCRIBBLE or face == mix.source:
            return [gr.skip(), gr.skip()]
        return [mix.source, *_beneath(searcher, handlers.visitor(request), mix)]

    runs = Stopper(search.buttons, handlers.visitor, handlers.mixer.session.lines)

    @spoken
    def run(request: gr.Request, mix: Mix, scribble: str, use: str, settings: Any) -> Iterator[Updates]:
        """Search for the picture that is asked for."""
        yield from runs.going(request, afresh(results, searched(handlers.visitor(request), mix, layers(scribble), use, settings)))

    def searched(visitor: Visitor, mix: Mix, drawn: list[bytes], use: str, settings: Any) -> Going:
        knobs: Any = search.knobs.knobs(ENGINE, settings, use=use)
        visitor.results.found = None
        for moment, found in searcher.run(visitor, mix, drawn, knobs):
            visitor.results.found = found
            seen = moment.progress.preview if moment.result is None else None
            yield {status: say(moment)} | ({} if seen is None else {search.preview: preview(seen)})
        found = searcher.found(visitor)
        if found is None:
            return {status: say(moment)}
        return {status: say(moment)} | concluded(search, found) | {search.code: recipe(mix, knobs)}

    @spoken
    def put(request: gr.Request) -> Updates:
        """Keep the picture for the other tabs."""
        visitor = handlers.visitor(request)
        found = searcher.found(visitor)
        if found is None or visitor.running:
            raise StudioError("There is nothing to put on the shelf yet. Press Run first, and wait for its end or press Stop.")
        item = visitor.put("Searched", to_picture(found.result.images), found.inversion)
        gr.Success("On the shelf. Choose it above as the source of the next change.")
        return strip.show(visitor, item.key)

    search.use.input(lambda use: search.knobs.show(use=use), search.use, search.knobs.component, **AT_ONCE)
    search.use.input(choose, [mix, search.use], [under, search.canvas], **LANE)
    runs.connect(run, [mix, search.canvas, search.use, search.knobs.component], [status, *results])
    connect_stop(runs)
    search.keep.click(put, None, strip.outputs, **QUICK | PRIVATE)
    return lambda event: event.success(another, [mix, search.use, under], [under, search.canvas], trigger_mode="always_last", **LANE)


def _beneath(searcher: Searcher, visitor: Visitor, mix: Mix) -> list[gr.HTML]:
    """The canvas with the source beneath what is drawn."""
    source = to_picture(searcher.picture(visitor, mix.source)).resize((CANVAS, CANVAS))
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
    return program(f'''
def face(path):
    photo = read_image(Path(path))
    return to_tensor(align(photo, find_faces(photo)[0].alignment))


generator = load_generator("ffhq")
source = {_face(mix.source, "photo.jpg")}
mask = (to_tensor(read_image(Path("mask.png")), generator.resolution)[:, :1] > 0).float()  # as the cell Save and export writes it
request = LocalRequest(image=source, mask=mask{other})
result = create("{ENGINE}", generator)(request{knob_arguments(knobs)})
to_picture(result.images).save("searched.png")
''')


def _face(face: Face, path: str) -> str:
    return f"generator.synthesize({_code(face)}).detach().clamp(-1, 1)" if face.kind == "Seed" else f'face("{path}")'


def _start(name: str, face: Face) -> str:
    return f', {name}=Latent("w", {_code(face)})' if face.kind == "Seed" else ""


def _code(face: Face) -> str:
    return f"random_w(generator, {int(face.seed or 0)}, {face.truncation:g})"
