"""The Invert tab's last cell: a part of another face is pasted into the aligned one, and the generator makes one face of the two."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import torch

import engines.invert
from engines import Result
from engines.core.errors import FaceError, StudioError
from engines.core.images import area, png_bytes, read_image, side_by_side, to_picture, to_tensor
from engines.faces import align, find_faces
from engines.faces.parts import PARTS, part_mask, rectangle
from engines.invert.optimize import DiffusionRequest
from engines.invert.optimize.semantic_diffusion import paste
from engines.metrics.seam import seam
from engines.spaces.statistics import random_w
from studio.cell import Runner, cell, code, lesson, runner
from studio.controls import Panel, panel
from studio.events import QUICK, moments, offer, say, spoken
from studio.inputs import photo_input
from studio.pages.result import in_full, turned
from studio.photo import preview, small
from studio.running import Going, Stopper, Updates, connect_stop
from studio.session import Session
from studio.shelf import Desk, Kept
from studio.strip import Strip

NAME, RECTANGLE = "semantic_diffusion", "rectangle"
_FIRST_SEED = 910_001


@dataclass(frozen=True, eq=False)
class Parts:
    """The cell's components."""

    photo: gr.Image
    generated: gr.Button
    seed: gr.State
    part: gr.Radio
    place: gr.Column
    sliders: tuple[gr.Slider, ...]
    pasted: gr.Image
    sentence: gr.Markdown
    knobs: Panel
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


def build(session: Session, strip: Strip, number: int) -> None:
    """The cell and its events; nothing where the method is not offered."""
    engine = next((engine for engine in session.offered(engines.invert) if engine.card.name == NAME), None)
    if engine is None:
        return
    with cell(
        number,
        "Give it a part of another face",
        "The face of cell 1 receives, a second one gives. A plain copy shows its border; semantic diffusion asks which face this could be.",
    ):
        parts = _components(panel_of=lambda: panel(engine, "diffuse"))
    _connect(session, strip, parts)


def _components(panel_of: Any) -> Parts:
    with gr.Row():
        with gr.Column(min_width=260):
            photo = photo_input(label="The face that gives", height=260, elem_id="diffuse-photo", buttons=[])
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
                knobs = panel_of()
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
    return Parts(
        photo, generated, seed, part, place, sliders, pasted, sentence, knobs, buttons, preview, slider, figures, keep, file, lines
    )


def marked(session: Session, desk: Desk, part: str, *place: float) -> DiffusionRequest:
    """The visitor's two faces and the part between them.

    Raises:
        FaceError: One of the faces is not there yet.
        StudioError: A part that is not offered.
    """
    if desk.target is None:
        raise FaceError("There is no face to receive it yet. Choose a photo in cell 1.")
    if desk.giver is None:
        raise FaceError("There is no face to give yet. Choose a second photo, or take a generated face.")
    if part not in (*PARTS, RECTANGLE):
        raise StudioError(f"There is no part {part!r}; there are: {', '.join((*PARTS, RECTANGLE))}.")
    is_drawn = part == RECTANGLE
    mask = rectangle(session.generator.resolution, *place) if is_drawn else part_mask(part, desk.giver, desk.target)
    return DiffusionRequest(image=desk.giver, context=desk.target, mask=mask)


def _connect(session: Session, strip: Strip, parts: Parts) -> None:
    finished = [parts.slider, parts.figures, parts.keep, parts.file, parts.code]
    quick = {"concurrency_id": "photo", "api_visibility": "private", "show_progress_on": [parts.pasted]}

    def desk_of(request: gr.Request) -> Desk:
        return session.visitors.desk(request.session_hash)

    runs = Stopper(parts.buttons, desk_of)

    def copied(desk: Desk, *chosen: Any) -> list[Any]:
        """The plain copy as a preview, as far as both faces are there."""
        if desk.target is None and desk.giver is not None:
            return [small(to_picture(desk.giver), 512), "Now choose the photo that receives, in cell 1."]
        asked = marked(session, desk, *chosen)
        both = side_by_side(torch.cat([area(picture, 512) for picture in (asked.image, paste(asked)[1])]))
        return [to_picture(both), "The face that gives, and the plain copy. Run makes one face of it."]

    @spoken
    def choose_giver(path: str | None, request: gr.Request, *chosen: Any) -> list[Any]:
        """Read a second photo and align its largest face."""
        desk = desk_of(request)
        if path is None:
            return [None, ""]
        photo = read_image(Path(path), session.settings.megapixels)
        faces = find_faces(photo)
        if not faces:
            raise FaceError("No face was found in the second photo. Choose another that shows one from the front.")
        desk.giver = to_tensor(align(photo, faces[0].alignment, session.generator.resolution))
        return copied(desk, *chosen)

    @spoken
    def take_generated(seed: int, request: gr.Request, *chosen: Any) -> list[Any]:
        """Draw a face to give instead of a photo; the next click draws another."""
        desk = desk_of(request)
        with torch.no_grad():
            desk.giver = session.generator.synthesize(random_w(session.generator, seed)).clamp(-1, 1).cpu()
        return [*copied(desk, *chosen), seed + 1]

    @spoken
    def choose_part(part: str, request: gr.Request, *place: float) -> list[Any]:
        """Show the plain copy of another part."""
        desk = desk_of(request)
        waiting = desk.giver is None or desk.target is None
        return [gr.Column(visible=part == RECTANGLE), *([gr.skip(), gr.skip()] if waiting else copied(desk, part, *place))]

    @spoken
    def claim(request: gr.Request) -> str:
        """Reserve the visitor's one run, or say why not."""
        desk = desk_of(request)
        if desk.target is None or desk.giver is None:
            raise FaceError("Two faces are needed: a photo in cell 1 that receives, and a second one here that gives.")
        return runs.claim(desk)

    def diffused(desk: Desk, values: tuple[Any, ...]) -> Going:
        """One face of the two, drawn in full at last."""
        chosen, knobs = values[: len(parts.chosen)], parts.knobs.knobs(values[len(parts.chosen) :])
        asked, start = marked(session, desk, *chosen), time.perf_counter()
        mask, pasted = paste(asked)
        alignment, photo = desk.alignment, desk.photo
        assert alignment is not None and photo is not None
        desk.part, desk.diffused = mask, None

        def keep(result: Result) -> None:
            desk.diffused = Kept(result, pasted, alignment, photo, parts.knobs.engine.card.title, time.perf_counter() - start)

        for moment in moments(session.engine(NAME).run(asked, knobs), keep, session.settings.run_seconds, desk.is_stopping):
            last: Updates = {parts.buttons.status: say(moment)}
            seen = moment.progress.preview if moment.result is None else None
            yield last if seen is None else last | {parts.preview: preview(seen)}
        if moment.result is None:
            return last
        return last | {parts.code: snippet(chosen, knobs)} | conclusion(session, desk, parts)

    @spoken
    def run_method(request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Make one face of the two."""
        yield from runs.going(request, diffused(desk_of(request), values))

    @spoken
    def put_on_shelf(request: gr.Request) -> list[Any]:
        """Keep the face for the other tabs."""
        desk = desk_of(request)
        if desk.diffused is None or desk.running:
            raise StudioError("There is nothing to put on the shelf yet. Press Run first, and wait for its end or press Stop.")
        item = desk.put(desk.diffused.method, to_picture(desk.diffused.result.images), desk.diffused.result.inversions[0])
        gr.Success("On the shelf. The tab Edit directions picks it up.")
        return strip.show(desk, item.key)

    parts.photo.change(choose_giver, [parts.photo, *parts.chosen], [parts.pasted, parts.sentence], **quick)
    parts.generated.click(take_generated, [parts.seed, *parts.chosen], [parts.pasted, parts.sentence, parts.seed], **quick)
    shown = [parts.place, parts.pasted, parts.sentence]
    gr.on([control.input for control in parts.chosen], choose_part, parts.chosen, shown, trigger_mode="always_last", **quick)
    runs.connect(run_method, [*parts.chosen, *parts.knobs.controls], [parts.buttons.status, parts.preview, *finished], claim)
    connect_stop(runs)
    parts.keep.click(put_on_shelf, None, strip.outputs, **QUICK)


def conclusion(session: Session, desk: Desk, parts: Parts) -> dict[Any, Any]:
    """Draw what is kept in full, and say what became of the border."""
    assert desk.diffused is not None and desk.part is not None
    kept = desk.diffused = in_full(session, desk.diffused)
    before, after = seam(kept.target, desk.part), seam(kept.result.images.cpu(), desk.part)
    picture = to_picture(kept.result.images)
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
    named = part in PARTS
    mask = f"part_mask({part!r}, giver, receiver)" if named else f"rectangle(generator.resolution, {', '.join(map(str, place))})"
    return f'''from pathlib import Path

from engines import create, load_generator
from engines.core.images import read_image, to_picture, to_tensor
from engines.faces import align, find_faces
from engines.faces.parts import {"part_mask" if named else "rectangle"}
from engines.invert.optimize import DiffusionRequest


def face(path):
    photo = read_image(Path(path))
    return to_tensor(align(photo, find_faces(photo)[0].alignment))


generator = load_generator("ffhq")
receiver, giver = face("photo.jpg"), face("second.jpg")
request = DiffusionRequest(image=giver, context=receiver, mask={mask})
result = create("{NAME}", generator)(request{turned(knobs)})
to_picture(result.images).save("one-face.png")
'''
