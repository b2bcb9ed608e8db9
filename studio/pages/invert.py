"""The tab Invert: a photo becomes a code, while one watches."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

import engines.invert
from engines import InvertRequest
from engines.core.errors import FaceError, StudioError
from engines.core.images import to_picture
from engines.faces import alignment_from_box
from studio import along
from studio.cell import Runner, cell, lesson, runner
from studio.controls import Panel, panel
from studio.events import QUICK, Moment, say, spoken
from studio.inputs import photo_input
from studio.library import Library
from studio.pages import compare, diffuse, published
from studio.pages.result import Outputs, conclusion, result_cell, snippet, viewed
from studio.photo import aligned as aligned_of
from studio.photo import inverting, overlay, place, preview, reserve, use
from studio.plots import loss_curve
from studio.running import Going, Stopper, Updates, connect_stop
from studio.session import Session, examples
from studio.shelf import Desk
from studio.strip import Strip


def build(session: Session, strip: Strip, library: Library) -> None:
    """The tab's cells and events."""
    with cell(
        1,
        "A photo",
        "Choose a portrait. It is read on this machine, aligned as the generator's training faces were, and forgotten when you leave.",
    ):
        _photo_cell(session)
    with cell(
        2,
        "Invert it",
        "Pick a method and press Run: the code moves step by step until the generator redraws the face. Stop keeps the best so far.",
    ):
        panels, method, company, buttons, preview, curve = _method_cell(session)
        checkpoint = published.accordion(session)
    with cell(
        3,
        "Look at it",
        "Drag the divider, or choose a view (Tab and Space do it too). Then put the inversion on the shelf: the other tabs edit it.",
    ):
        out = result_cell(session, preview, curve)
    _connect(session, strip, panels, method, company, buttons, out)
    published.connect(session, checkpoint, out)
    compare.build(session, strip, library, 4)
    diffuse.build(session, strip, 5)


def _photo_cell(session: Session) -> None:
    with gr.Row():
        with gr.Column(min_width=260):
            photo = photo_input(label="Photo", height=320, elem_id="photo", buttons=[])
            gr.Markdown("Use photos of people who agree to it.", elem_classes="status")
            gr.Examples([[str(path)] for path in examples()], [photo], label="Examples", elem_id="photo-examples", api_visibility="private")
        with gr.Column(min_width=260):
            found = gr.Image(
                label="What was found", height=320, interactive=False, elem_id="photo-found", format="jpeg", buttons=["fullscreen"]
            )
            sentence = gr.Markdown("", elem_id="photo-sentence", elem_classes="status")
            which = gr.Radio([], label="Which face", visible=False, elem_id="photo-which")
            with gr.Accordion("Place the crop by hand", open=False, elem_id="photo-box") as box:
                x = gr.Slider(0, 1, 0.5, step=0.01, label="Middle, from the left", elem_id="box-x")
                y = gr.Slider(0, 1, 0.45, step=0.01, label="Middle, from the top", elem_id="box-y")
                side = gr.Slider(0.05, 1.5, 0.8, step=0.01, label="Side, as a share of the photo's shorter side", elem_id="box-side")
        with gr.Column(min_width=260):
            aligned = gr.Image(
                label="Aligned", height=320, interactive=False, elem_id="photo-aligned", format="jpeg", buttons=["fullscreen"]
            )

    outputs = [found, sentence, which, box, aligned]

    def choose_photo(path: str | None, request: gr.Request) -> list[Any]:
        """Read, find faces, align the largest."""
        desk = session.visitors.desk(request.session_hash)
        if path is None:
            return [None, "", gr.Radio(visible=False), gr.skip(), None]
        try:
            words = place(session, desk, path)
        except StudioError as error:
            gr.Warning(str(error), duration=12)
            return [None, f"⚠️ {error}", gr.Radio(visible=False), gr.skip(), None]
        names = [f"Face {index + 1}" for index in range(len(desk.faces))]
        radio = gr.Radio(names, value=names[0] if names else None, visible=len(names) > 1)
        return [overlay(desk), words, radio, gr.Accordion(open=not names), aligned_of(desk)]

    @spoken
    def choose_face(name: str | None, request: gr.Request) -> list[Any]:
        """Align another of the faces found."""
        desk = session.visitors.desk(request.session_hash)
        index = int((name or "Face 1").removeprefix("Face ")) - 1
        if not 0 <= index < len(desk.faces):
            raise FaceError("That face is no longer there. Choose the photo again.")
        use(session, desk, desk.faces[index].alignment)
        return [overlay(desk), desk.faces[index].warning or f"{name} is aligned.", aligned_of(desk)]

    @spoken
    def choose_box(x: float, y: float, side: float, request: gr.Request) -> list[Any]:
        """Align by the box placed by hand."""
        desk = session.visitors.desk(request.session_hash)
        if desk.photo is None:
            raise FaceError("There is no photo yet. Choose one, or click an example.")
        use(session, desk, alignment_from_box(desk.photo.size, x, y, side))
        return [overlay(desk), "Aligned by hand.", aligned_of(desk)]

    photo.change(
        choose_photo, photo, outputs, concurrency_id="photo", concurrency_limit=1, api_visibility="private", show_progress_on=[found]
    )
    which.input(choose_face, which, [found, sentence, aligned], **QUICK)
    gr.on(
        [slider.input for slider in (x, y, side)],
        choose_box,
        [x, y, side],
        [found, sentence, aligned],
        trigger_mode="always_last",
        show_progress="hidden",
        concurrency_id="photo",
        api_visibility="private",
    )


def _method_cell(session: Session) -> tuple[list[Panel], gr.Radio, gr.Checkbox, Runner, gr.Image, gr.HTML]:
    offered = session.offered(engines.invert, InvertRequest)
    titles = [(engine.card.title, engine.card.name) for engine in offered]
    default = session.default_inversion.card.name
    with gr.Row():
        with gr.Column(scale=2):
            method = gr.Radio(titles, value=default, label="Method", elem_id="invert-method")
            panels, groups = [], []
            for engine in offered:
                with gr.Column(visible=engine.card.name == default, elem_classes="knobs") as group:
                    panels.append(panel(engine, f"invert-{engine.card.name}"))
                    lesson(engine.card.name)
                groups.append(group)
            company = gr.Checkbox(
                False,
                label="Tune the photos on the shelf along",
                info=along.HINT,
                visible=session.default_inversion.tunes_along,
                elem_id="invert-along",
            )
        with gr.Column(scale=1, min_width=300):
            buttons = runner("invert")
            preview = gr.Image(
                label="The picture so far", height=300, interactive=False, format="jpeg", elem_id="invert-preview", buttons=[]
            )
            curve = gr.HTML("", elem_id="invert-curve")
    method.change(
        lambda name: [
            *(gr.Column(visible=engine.card.name == name) for engine in offered),
            gr.Checkbox(visible=any(engine.card.name == name and engine.tunes_along for engine in offered)),
        ],
        method,
        [*groups, company],
        queue=False,
        api_visibility="private",
    )
    return panels, method, company, buttons, preview, curve


def _connect(
    session: Session, strip: Strip, panels: list[Panel], method: gr.Radio, company: gr.Checkbox, buttons: Runner, out: Outputs
) -> None:
    controls = [control for each in panels for control in each.controls]
    finished = [
        out.slider,
        out.picture,
        out.view,
        out.metrics,
        out.inversion_file,
        out.pasted_file,
        out.code_file,
        out.keep,
        out.code,
        out.stages,
    ]

    def desk_of(request: gr.Request) -> Desk:
        return session.visitors.desk(request.session_hash)

    runs = Stopper(buttons, desk_of)

    @spoken
    def claim(request: gr.Request) -> str:
        """Reserve the visitor's one run, or say why not."""
        return reserve(desk_of(request), runs)

    def inverted(desk: Desk, name: str, together: bool, values: tuple[Any, ...]) -> Going:
        """The chosen method on the aligned photo, then its result drawn in full and measured."""
        chosen, knobs = _chosen(panels, name, values)
        others = desk.others(to_picture(desk.target)) if together and chosen.engine.tunes_along and desk.target is not None else []
        for moment in inverting(session, desk, chosen.engine, knobs, others):
            yield (last := _live(moment, buttons, out))
        if moment.result is None:
            return last
        return {buttons.status: say(moment), out.code: snippet(chosen, knobs)} | conclusion(session, desk, out)

    @spoken
    def run_method(request: gr.Request, name: str, together: bool, *values: Any) -> Iterator[Updates]:
        """Run the chosen method."""
        yield from runs.going(request, inverted(desk_of(request), name, together, values))

    @spoken
    def show(name: str, request: gr.Request) -> list[Any]:
        """Switch the view."""
        kept = desk_of(request).kept
        if kept is None:
            return [gr.skip(), gr.skip()]
        picture = viewed(kept, name)
        return [gr.ImageSlider(visible=picture is None), gr.Image(picture, visible=picture is not None)]

    @spoken
    def put_on_shelf(request: gr.Request) -> list[Any]:
        """Keep the inversion for the other tabs."""
        desk = desk_of(request)
        if desk.kept is None or desk.running:
            raise StudioError("There is nothing to put on the shelf yet. Press Run first, and wait for its end or press Stop.")
        item = along.shelve(session, desk, desk.kept)
        gr.Success("On the shelf. The tab Edit directions picks it up.")
        return strip.show(desk, item.key)

    runs.connect(run_method, [method, company, *controls], [buttons.status, out.preview, out.curve, *finished], claim)
    connect_stop(runs)
    out.view.change(show, out.view, [out.slider, out.picture], show_progress="hidden", **QUICK)
    out.keep.click(put_on_shelf, None, strip.outputs, **QUICK)


def _chosen(panels: list[Panel], name: str, values: tuple[Any, ...]) -> tuple[Panel, Any]:
    """The chosen engine's panel and its knobs, out of the values of all panels side by side."""
    position = 0
    for candidate in panels:
        count = len(candidate.controls)
        if candidate.engine.card.name == name:
            return candidate, candidate.knobs(values[position : position + count])
        position += count
    raise StudioError(f"There is no method {name!r} here. Choose one of the list.")


def _live(moment: Moment, buttons: Runner, out: Outputs) -> dict[Any, Any]:
    changes: dict[Any, Any] = {buttons.status: say(moment)}
    if moment.history:
        changes[out.curve] = loss_curve(moment.history)
    if moment.progress.preview is not None and moment.result is None:
        changes[out.preview] = preview(moment.progress.preview)
    return changes
