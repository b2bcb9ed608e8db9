"""A photo for the tab Edit directions: read, aligned, inverted while one watches, put on the shelf and edited at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engines.core.errors import FaceError, StudioError
from engines.core.images import to_picture
from engines.faces import dominates, pick_face
from studio.services.photo_pipeline import READING, aligned, aligned_face, face_names, face_number, forget, inverting, place, preview, use
from studio.state.moments import say
from studio.state.results import Kept
from studio.state.session import Session
from studio.state.visitor import PhotoState
from studio.ui import menus
from studio.ui.cell import Runner, runner
from studio.ui.inputs import photo_input
from studio.ui.lanes import AT_ONCE, PRIVATE
from studio.ui.run_control import Going, Stopper, Updates, connect_stop
from studio.ui.run_events import QUICK, spoken
from studio.ui.shelf_strip import Strip

UPLOAD = "Upload"
"""What the source is called while a photo is on its way."""

_SEVERAL = "{} Then press Invert and edit."
_NONE = "No face was found in this photo. The tab Invert lets you place the crop by hand; its inversion is edited here just the same."


@dataclass(frozen=True, eq=False)
class Upload:
    """The components of the upload."""

    group: gr.Column
    photo: gr.Image
    seen: gr.Image
    which: gr.Radio
    buttons: Runner


def upload_part(session: Session) -> Upload:
    """Build the components, hidden until the source is an upload."""
    with gr.Column(visible=False, elem_id="edit-upload") as group, gr.Row():
        with gr.Column(min_width=240):
            photo = photo_input(label="Photo", height=280, elem_id="edit-photo", buttons=[])
        with gr.Column(min_width=240):
            seen = gr.Image(
                label="The face, and the picture so far",
                height=280,
                interactive=False,
                format="jpeg",
                elem_id="edit-photo-seen",
                buttons=[],
            )
        with gr.Column(min_width=240):
            gr.Markdown(
                f"A portrait is inverted at once by **{session.default_inversion.card.title}**, put on the shelf and edited. "
                "Stop keeps the best so far. Use photos of people who agree to it.",
                elem_classes="status",
            )
            which = menus.radio([], label="Which face", visible=False, elem_id="edit-photo-which")
            buttons = runner("edit-photo", "Invert and edit")
    return Upload(group, photo, seen, which, buttons)


class Reader:
    """Answers what is asked about an upload; its photo is another than that of the tab Invert."""

    def __init__(self, session: Session, strip: Strip, part: Upload, kind: gr.Radio) -> None:
        self.session, self.strip, self.part, self.kind = session, strip, part, kind
        self.runs = Stopper(part.buttons, self.photo_state, session.lines)

    @property
    def finished(self) -> list[Any]:
        """What a run fills."""
        return [self.part.buttons.status, self.part.seen, self.kind, *self.strip.outputs]

    def photo_state(self, request: gr.Request) -> PhotoState:
        """The visitor's upload."""
        return self.session.visitors.visitor(request).own(self, PhotoState)

    def read(self, path: str | None, due: int, request: gr.Request) -> list[Any]:
        """Read a photo, find faces, align the largest; where one face alone can be meant, its run is due at once."""
        hidden, photo_state = gr.Radio(visible=False), self.photo_state(request)
        forget(photo_state)  # also where this one cannot be read
        if path is None:
            return [gr.skip() if photo_state.running else None, hidden, gr.skip() if photo_state.running else "", due]
        try:
            if photo_state.running:
                raise StudioError("Your last photo is still being inverted. Press Stop first, then choose this one again.")
            words = place(self.session, photo_state, path)
        except StudioError as error:
            gr.Warning(str(error), duration=12)
            return [gr.skip() if photo_state.running else None, hidden, f"⚠️ {error}", due]
        names = face_names(len(photo_state.faces))
        if len(names) > 1:
            choice, is_clear = gr.Radio(names, value=names[0], visible=True), dominates(photo_state.faces)
            return [aligned(photo_state), choice, words if is_clear else _SEVERAL.format(words), due + is_clear]
        return [aligned(photo_state), hidden, words if names else f"⚠️ {_NONE}", due + len(names)]

    @spoken
    def choose(self, name: str | None, request: gr.Request) -> list[Any]:
        """Align another of the faces found."""
        photo_state = self.photo_state(request)
        use(self.session, photo_state, pick_face(photo_state.faces, face_number(name)).alignment)
        return [aligned(photo_state), f"{name} is aligned. Press Invert and edit."]

    @spoken
    def claim(self, request: gr.Request) -> str:
        """Reserve the upload's one run, or say why not."""
        photo_state = self.photo_state(request)
        if photo_state.target is None:
            raise FaceError("There is no aligned face yet. Choose a photo first." if photo_state.photo is None else _NONE)
        aligned_face(photo_state)
        return self.runs.claim(photo_state)

    @spoken
    def run(self, request: gr.Request) -> Iterator[Updates]:
        """Invert the aligned face, then edit it."""
        yield from self.runs.going(request, self._inverted(request))

    def _inverted(self, request: gr.Request) -> Going:
        photo_state, engine = self.photo_state(request), self.session.default_inversion
        yield {self.part.seen: aligned(photo_state)}
        for moment, kept in inverting(self.session, photo_state, engine, engine.knob_set()):
            seen = moment.progress.preview if moment.result is None or kept is None else kept.images
            yield (last := {self.part.buttons.status: say(moment)} | ({} if seen is None else {self.part.seen: preview(seen)}))
        return last if kept is None else self._shelved(request, kept, say(moment))

    def _shelved(self, request: gr.Request, kept: Kept, words: str) -> Updates:
        """The code on the shelf and chosen there, which makes it the face that is edited."""
        visitor = self.session.visitors.visitor(request)
        item = visitor.put(kept.method, to_picture(kept.images), kept.inversion)
        words = f"{words} It is on the shelf and is what the sliders below turn."
        return {self.part.buttons.status: words, self.kind: "Shelf"} | self.strip.show(visitor, item.key)


def connect_upload(reader: Reader) -> Any:
    """The upload's events; returns that after which the source is the photo: a run that ends, by itself or by Stop."""
    part = reader.part
    due = gr.State(0)
    part.photo.change(None, part.photo, part.buttons.status, js=READING, **AT_ONCE)
    part.photo.change(
        reader.read,
        [part.photo, due],
        [part.seen, part.which, part.buttons.status, due],
        concurrency_id="photo",
        concurrency_limit=1,
        **PRIVATE,
    )
    part.which.input(reader.choose, part.which, [part.seen, part.buttons.status], **QUICK | PRIVATE)
    connect_stop(reader.runs)
    return reader.runs.connect(reader.run, None, reader.finished, reader.claim, triggers=[part.buttons.run.click, due.change])
