"""A photo for the tab Edit directions: read, aligned, inverted while one watches, put on the shelf and edited at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr

from engines.core.errors import FaceError, StudioError
from engines.core.images import to_picture
from studio.cell import Runner, runner
from studio.events import QUICK, say, spoken
from studio.inputs import photo_input
from studio.pages.edit.context import PRIVATE
from studio.photo import aligned, inverting, place, preview, reserve, use
from studio.running import Going, Stopper, Updates, connect_stop
from studio.session import Session
from studio.shelf import Desk, Sitting
from studio.strip import Strip

UPLOAD = "Upload"
"""What the source is called while a photo is on its way."""

_SEVERAL = "{} faces found; the largest is aligned. Choose one, then press Invert and edit."
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
                f"A portrait with one face is inverted at once by **{session.default_inversion.card.title}**, put on the shelf and edited. "
                "Stop keeps the best so far. Use photos of people who agree to it.",
                elem_classes="status",
            )
            which = gr.Radio([], label="Which face", visible=False, elem_id="edit-photo-which")
            buttons = runner("edit-photo", "Invert and edit")
    return Upload(group, photo, seen, which, buttons)


class Reader:
    """Answers what is asked about an upload; a sitting of its own leaves the tab Invert as it is."""

    def __init__(self, session: Session, strip: Strip, part: Upload, kind: gr.Radio) -> None:
        self.session, self.strip, self.part, self.kind = session, strip, part, kind
        self.sittings: WeakKeyDictionary[Desk, Sitting] = WeakKeyDictionary()
        self.runs = Stopper(part.buttons, self.sitting)

    @property
    def finished(self) -> list[Any]:
        """What a run fills."""
        return [self.part.buttons.status, self.part.seen, self.kind, *self.strip.outputs]

    def sitting(self, request: gr.Request) -> Sitting:
        """The visitor's upload."""
        return self.sittings.setdefault(self.session.visitors.desk(request.session_hash), Sitting())

    def read(self, path: str | None, due: int, request: gr.Request) -> list[Any]:
        """Read a photo, find faces, align the largest; a photo with one face is due for its run at once."""
        hidden, sitting = gr.Radio(visible=False), self.sitting(request)
        if path is None:
            return [gr.skip() if sitting.running else None, hidden, gr.skip(), due]
        try:
            if sitting.running:
                raise StudioError("Your last photo is still being inverted. Press Stop first, then choose this one again.")
            words = place(self.session, sitting, path)
        except StudioError as error:
            gr.Warning(str(error), duration=12)
            return [gr.skip(), gr.skip(), f"⚠️ {error}", due]
        names = [f"Face {index + 1}" for index in range(len(sitting.faces))]
        if len(names) > 1:
            return [aligned(sitting), gr.Radio(names, value=names[0], visible=True), _SEVERAL.format(len(names)), due]
        if not names:
            sitting.target = None
        return [aligned(sitting), hidden, words if names else f"⚠️ {_NONE}", due + len(names)]

    @spoken
    def choose(self, name: str | None, request: gr.Request) -> list[Any]:
        """Align another of the faces found."""
        sitting, number = self.sitting(request), str(name or "").removeprefix("Face ")
        if not number.isdigit() or not 1 <= int(number) <= len(sitting.faces):
            raise FaceError("That face is no longer there. Choose the photo again.")
        use(self.session, sitting, sitting.faces[int(number) - 1].alignment)
        return [aligned(sitting), f"{name} is aligned. Press Invert and edit."]

    @spoken
    def claim(self, request: gr.Request) -> str:
        """Reserve the upload's one run, or say why not."""
        sitting = self.sitting(request)
        if sitting.target is None:
            raise FaceError("There is no aligned face yet. Choose a photo with a face first.")
        words = reserve(sitting, self.runs)
        sitting.kept = None
        return words

    @spoken
    def run(self, request: gr.Request) -> Iterator[Updates]:
        """Invert the aligned face, then edit it."""
        yield from self.runs.going(request, self._inverted(request))

    def _inverted(self, request: gr.Request) -> Going:
        sitting, engine = self.sitting(request), self.session.default_inversion
        for moment in inverting(self.session, sitting, engine, engine.knob_set()):
            seen = moment.progress.preview if moment.result is None else moment.result.images
            yield (last := {self.part.buttons.status: say(moment)} | ({} if seen is None else {self.part.seen: preview(seen)}))
        return last if moment.result is None else self._shelved(request, sitting, say(moment))

    def _shelved(self, request: gr.Request, sitting: Sitting, words: str) -> dict[Any, Any]:
        """The code on the shelf and chosen there, which makes it the face that is edited."""
        assert sitting.kept is not None
        desk, result = self.session.visitors.desk(request.session_hash), sitting.kept.result
        item = desk.put(sitting.kept.method, to_picture(result.images), result.inversions[0])
        shown = dict(zip(self.strip.outputs, self.strip.show(desk, item.key), strict=True))
        return {self.part.buttons.status: f"{words} It is on the shelf and is what the sliders below turn.", self.kind: "Shelf"} | shown


def connect_upload(reader: Reader) -> Any:
    """The upload's events; returns that after which the source is the photo: a run that ends, by itself or by Stop."""
    part = reader.part
    due = gr.State(0)
    part.photo.change(
        reader.read,
        [part.photo, due],
        [part.seen, part.which, part.buttons.status, due],
        concurrency_id="photo",
        concurrency_limit=1,
        api_visibility="private",
        show_progress_on=[part.seen],
    )
    part.which.input(reader.choose, part.which, [part.seen, part.buttons.status], **QUICK | PRIVATE)
    connect_stop(reader.runs)
    return reader.runs.connect(reader.run, None, reader.finished, reader.claim, triggers=[part.buttons.run.click, due.change])
