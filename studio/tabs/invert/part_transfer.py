"""The Invert tab's last cell: a part of another face is pasted into the aligned one, and the generator makes one face of the two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch

import engines.invert
from engines.core.errors import FaceError, StudioError
from engines.core.images import area, png_bytes, side_by_side, to_picture, to_tensor
from engines.faces.parts import PARTS, part_mask, rectangle_mask
from engines.invert.optimize import DiffusionRequest
from engines.invert.optimize.semantic_diffusion import paste
from engines.metrics.seam import seam
from engines.plugins import AnyEngine
from engines.spaces.statistics import random_w
from studio.services.photo_pipeline import READING, aligned_face, face_names, face_number, in_full, preview, redrawing, small, uploaded_face
from studio.services.snippets import knob_arguments, program
from studio.state.moments import say
from studio.state.results import Transferred
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.ui import menus
from studio.ui.afresh import READY, afresh
from studio.ui.cell import Runner, cell, code, lesson, runner
from studio.ui.inputs import photo_input
from studio.ui.knob_controls import KnobForm, knob_form
from studio.ui.lanes import AT_ONCE, PRIVATE
from studio.ui.run_control import Going, Stopper, Updates, connect_stop
from studio.ui.run_events import QUICK, offer, spoken
from studio.ui.shelf_strip import Strip

NAME, RECTANGLE = "semantic_diffusion", "rectangle"
_FIRST_SEED = 910_001


@dataclass(frozen=True, eq=False)
class TransferParts:
    """The cell's components."""

    photo: gr.Image
    which: gr.Radio
    generated: gr.Button
    seed: gr.State
    part: gr.Radio
    place: gr.Column
    sliders: tuple[gr.Slider, ...]
    pasted: gr.Image
    sentence: gr.Markdown
    knobs: KnobForm
    buttons: Runner
    preview: gr.Image
    slider: gr.ImageSlider
    figures: gr.Markdown
    keep: gr.Button
    file: gr.DownloadButton
    code: gr.Code

    @property
    def chosen(self) -> list[Any]:
        return [self.part, *self.sliders]


def build(session: Session, strip: Strip, faced: Sequence[Any] = ()) -> None:
    """The cell and its events; nothing where the method is not offered.

    Args:
        session: The generator and the engines.
        strip: The shelf above the tabs.
        faced: Events after which another face receives, or none.
    """
    engine = next((engine for engine in session.offered(engines.invert) if engine.card.name == NAME), None)
    if engine is None:
        return
    with cell(
        "Semantic diffusion: a part of another face",
        "The face of the cell Photo is the target, a second one the source. A plain copy shows its border, semantic diffusion does not.",
        folded=True,
    ):
        parts = _components(engine)
    _connect(session, strip, parts, faced)


def _components(engine: type[AnyEngine]) -> TransferParts:
    with gr.Row():
        with gr.Column(min_width=260):
            photo = photo_input(label="The source face", height=260, elem_id="diffuse-photo", buttons=[])
            which = menus.radio([], label="Which face", visible=False, elem_id="diffuse-which")
            generated = gr.Button("Take a generated face instead", elem_id="diffuse-generated")
        with gr.Column(min_width=260):
            part = gr.Radio([*PARTS, RECTANGLE], value="eyes, nose and mouth", label="Part", elem_id="diffuse-part")
            with gr.Column(visible=False) as place:
                sliders = tuple(
                    gr.Slider(0, 1, value, step=0.01, label=label, elem_id=f"diffuse-{name}")
                    for name, value, label in (
                        ("x", 0.5, "Middle, from the left"),
                        ("y", 0.65, "Middle, from the top"),
                        ("width", 0.4, "Width"),
                        ("height", 0.3, "Height"),
                    )
                )
            with gr.Accordion("Knobs", open=False, elem_id="diffuse-knobs"):
                knobs = knob_form([engine], "diffuse")
        with gr.Column(min_width=260):
            pasted = gr.Image(
                label="Gives | copied", height=260, interactive=False, elem_id="diffuse-pasted", format="jpeg", buttons=["fullscreen"]
            )
            sentence = gr.Markdown("", elem_id="diffuse-sentence", elem_classes="status")
    lesson(NAME)
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            buttons = runner("diffuse")
            preview = gr.Image(
                label="The picture so far", height=260, interactive=False, format="jpeg", elem_id="diffuse-preview", buttons=[]
            )
            figures = gr.Markdown("", elem_id="diffuse-figures")
            keep = gr.Button("Put on the shelf", variant="primary", interactive=False, elem_id="diffuse-keep")
            file = gr.DownloadButton("Download the face (PNG)", interactive=False, elem_id="diffuse-download")
        with gr.Column(scale=2, min_width=280):
            slider = gr.ImageSlider(
                label="Copied | one face", height=560, max_height=560, interactive=False, elem_id="diffuse-slider", format="webp"
            )
    lines, seed = code("diffuse"), gr.State(_FIRST_SEED)
    return TransferParts(
        photo, which, generated, seed, part, place, sliders, pasted, sentence, knobs, buttons, preview, slider, figures, keep, file, lines
    )


def marked(session: Session, visitor: Visitor, part: str, *place: float) -> DiffusionRequest:
    """The visitor's two faces and the part between them.

    Raises:
        FaceError: One of the faces is not there yet.
        StudioError: A part that is not offered.
    """
    if visitor.photo is None and visitor.target is None:
        raise FaceError("There is no target face yet. Choose a photo in the cell Photo.")
    receiver = aligned_face(visitor)
    if visitor.giver is None:
        raise FaceError("There is no face to give yet. Choose a second photo, or take a generated face.")
    if part not in (*PARTS, RECTANGLE):
        raise StudioError(f"There is no part {part!r}; there are: {', '.join((*PARTS, RECTANGLE))}.")
    is_drawn = part == RECTANGLE
    mask = rectangle_mask(session.generator.resolution, *place) if is_drawn else part_mask(part, visitor.giver, receiver)
    return DiffusionRequest(image=visitor.giver, context=receiver, mask=mask)


def _connect(session: Session, strip: Strip, parts: TransferParts, faced: Sequence[Any]) -> None:
    finished = [parts.slider, parts.figures, parts.keep, parts.file, parts.code]
    quick: dict[str, Any] = {"concurrency_id": "photo"} | PRIVATE

    def visitor_at(request: gr.Request) -> Visitor:
        return session.visitors.visitor(request)

    runs = Stopper(parts.buttons, visitor_at, session.lines)

    def seen(picture: Any, words: str) -> Updates:
        return {parts.pasted: picture, parts.sentence: words}

    def copied(visitor: Visitor, *chosen: Any) -> Updates:
        """The plain copy as a preview, as far as both faces are there."""
        if visitor.giver is None:
            return seen(None, "")
        if visitor.target is None:
            return seen(small(to_picture(visitor.giver), 512), "Now choose the target, in the cell Photo.")
        asked = marked(session, visitor, *chosen)
        both = side_by_side(torch.cat([area(picture, 512) for picture in (asked.image, paste(asked)[1])]))
        return seen(to_picture(both), "The source face, and the plain copy. Run makes one face of it.")

    def give(visitor: Visitor, path: str, name: str | None, chosen: tuple[Any, ...]) -> Updates:
        """A face of the second photo, and what was found in it."""
        found = uploaded_face(session, path, face_number(name))
        visitor.giver = to_tensor(found.picture)
        names = face_names(found.faces)
        updates = copied(visitor, *chosen)
        words, radio = f"{found.words} {updates[parts.sentence]}", gr.Radio(names, value=name or names[0], visible=len(names) > 1)
        return updates | {parts.sentence: words, parts.which: radio}

    @spoken
    def choose_giver(path: str | None, request: gr.Request, *chosen: Any) -> Updates:
        """Read a second photo and align its largest face; the one before is forgotten, also where this one cannot be used."""
        visitor, hidden = visitor_at(request), {parts.which: gr.Radio(visible=False)}
        if path is None and visitor.is_giver_drawn:  # the photo made room for a generated face
            return copied(visitor, *chosen) | hidden
        visitor.giver, visitor.is_giver_drawn = None, False
        if path is None:
            return copied(visitor, *chosen) | hidden
        try:
            return give(visitor, path, None, chosen)
        except StudioError as error:
            gr.Warning(str(error), duration=12)
            return seen(None, f"⚠️ {error}") | hidden

    @spoken
    def choose_face(path: str | None, name: str | None, request: gr.Request, *chosen: Any) -> Updates:
        """Align another of its faces."""
        if path is None:
            raise FaceError("There is no second photo any more. Choose it again.")
        return give(visitor_at(request), path, name, chosen)

    @spoken
    def look(request: gr.Request, *chosen: Any) -> Updates:
        """The plain copy anew: another face receives it, or none."""
        return copied(visitor_at(request), *chosen)

    @spoken
    def take_generated(seed: int, request: gr.Request, *chosen: Any) -> Updates:
        """Draw a face to give instead of a photo; the next click draws another."""
        visitor = visitor_at(request)
        with torch.no_grad():
            visitor.giver = session.generator.synthesize(random_w(session.generator, seed)).clamp(-1, 1).cpu()
        visitor.is_giver_drawn = True
        return copied(visitor, *chosen) | {parts.which: gr.Radio(visible=False), parts.seed: seed + 1, parts.photo: None}

    @spoken
    def choose_part(part: str, request: gr.Request, *place: float) -> Updates:
        """Show the plain copy of another part."""
        visitor = visitor_at(request)
        waiting = visitor.giver is None or visitor.target is None
        return {parts.place: gr.Column(visible=part == RECTANGLE)} | ({} if waiting else copied(visitor, part, *place))

    @spoken
    def claim(request: gr.Request) -> str:
        """Reserve the visitor's one run, or say why not."""
        visitor = visitor_at(request)
        if visitor.giver is None or (visitor.target is None and visitor.photo is None):
            raise FaceError("Two faces are needed: the target in the cell Photo, and the source here.")
        aligned_face(visitor)
        return runs.claim(visitor)

    def diffused(visitor: Visitor, values: tuple[Any, ...]) -> Going:
        """One face of the two, drawn in full at last."""
        chosen, knobs = values[: len(parts.chosen)], parts.knobs.knobs(NAME, values[-1])
        asked = marked(session, visitor, *chosen)
        mask, pasted = paste(asked)
        visitor.results.transferred = None
        yield {parts.buttons.status: READY}
        run, title = session.engine(NAME).run(asked, knobs), parts.knobs.engine(NAME).card.title
        for moment, kept in redrawing(session, visitor, run, title, pasted):
            visitor.results.transferred = None if kept is None else Transferred(kept, mask)
            last: Updates = {parts.buttons.status: say(moment)}
            so_far = moment.progress.preview if moment.result is None else None
            yield last if so_far is None else last | {parts.preview: preview(so_far)}
        if kept is None:
            return last
        done = visitor.results.transferred = Transferred(in_full(session, kept), mask)
        return last | {parts.code: snippet(chosen, knobs)} | shown(done, parts)

    @spoken
    def run_method(request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Make one face of the two."""
        yield from runs.going(request, afresh([parts.preview, *finished], diffused(visitor_at(request), values)))

    @spoken
    def put_on_shelf(request: gr.Request) -> Updates:
        """Keep the face for the other tabs."""
        visitor = visitor_at(request)
        done = visitor.results.transferred
        if done is None or visitor.running:
            raise StudioError("There is nothing to put on the shelf yet. Press Run first, and wait for its end or press Stop.")
        item = visitor.put(done.kept.method, to_picture(done.kept.images), done.kept.inversion)
        gr.Success("On the shelf. The tab Edit directions picks it up.")
        return strip.show(visitor, item.key)

    copy = [parts.pasted, parts.sentence]
    given = [*copy, parts.which]
    parts.photo.change(None, parts.photo, parts.sentence, js=READING, **AT_ONCE)
    parts.photo.change(choose_giver, [parts.photo, *parts.chosen], given, **quick)
    parts.which.input(choose_face, [parts.photo, parts.which, *parts.chosen], given, **quick)
    parts.generated.click(take_generated, [parts.seed, *parts.chosen], [*given, parts.seed, parts.photo], **quick)
    for event in faced:
        event.success(look, parts.chosen, copy, **quick)
    gr.on([control.input for control in parts.chosen], choose_part, parts.chosen, [parts.place, *copy], trigger_mode="always_last", **quick)
    runs.connect(run_method, [*parts.chosen, parts.knobs.component], [parts.buttons.status, parts.preview, *finished], claim)
    connect_stop(runs)
    parts.keep.click(put_on_shelf, None, strip.outputs, **QUICK | PRIVATE)


def shown(done: Transferred, parts: TransferParts) -> Updates:
    """The face of two on the page, and what became of the border."""
    kept = done.kept
    before, after = seam(kept.target, done.part), seam(kept.images, done.part)
    picture = to_picture(kept.images)
    words = (
        f"**Border** (how much more neighbouring pixels differ across it than beside it): {before:.3f} in the copy, "
        f"**{after:.3f}** in the face. {kept.seconds:.1f} s."
    )
    return {
        parts.slider: (to_picture(kept.target), picture),
        parts.figures: words,
        parts.keep: gr.Button(interactive=True),
        parts.file: gr.DownloadButton(value=offer("one-face.png", png_bytes(picture)), interactive=True),
    }


def snippet(chosen: Any, knobs: Any) -> str:
    """The lines of Python that do the same."""
    part, place = chosen[0], chosen[1:]
    drawn = ", ".join(map(str, place))
    mask = f"part_mask({part!r}, source, target)" if part in PARTS else f"rectangle_mask(generator.resolution, {drawn})"
    return program(f'''
def face(path):
    photo = read_image(Path(path))
    return to_tensor(align(photo, find_faces(photo)[0].alignment))


generator = load_generator("ffhq")
target, source = face("photo.jpg"), face("second.jpg")
request = DiffusionRequest(image=source, context=target, mask={mask})
result = create("{NAME}", generator)(request{knob_arguments(knobs)})
to_picture(result.images).save("one-face.png")
''')
