"""A photo becomes a face to mix without leaving the tab: aligned, inverted, put on the shelf and chosen."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

import engines.invert
from engines import InvertRequest, Result
from engines.core.errors import FaceError, StudioError
from engines.core.images import to_picture, to_tensor
from studio.services.photo_pipeline import READING, face_names, face_number, preview, small, uploaded_face
from studio.serving.lines import PHOTO
from studio.state.edits import Face
from studio.state.mix import ROLES, Mix
from studio.state.moments import Moment, moments, say
from studio.state.visitor import Visitor
from studio.tabs.mix.handlers import MixHandlers
from studio.ui import menus
from studio.ui.afresh import afresh
from studio.ui.cell import Runner, runner
from studio.ui.inputs import photo_input
from studio.ui.lanes import AT_ONCE, PRIVATE
from studio.ui.run_control import Going, Stopper, Updates
from studio.ui.run_events import spoken

METHOD = "image2stylegan"


@dataclass(frozen=True, eq=False)
class UploadForm:
    """The components."""

    photo: gr.Image
    seen: gr.Image
    role: gr.Radio
    which: gr.Radio
    buttons: Runner


def upload_part() -> UploadForm:
    """A folded part: the photo, the picture so far, whose place it takes, Run and Stop."""
    with gr.Accordion("Upload a photo of your own", open=False, elem_id="mix-bring"), gr.Row():
        with gr.Column(min_width=240):
            photo = photo_input(label="Photo", height=220, elem_id="mix-photo", buttons=[])
        with gr.Column(min_width=240):
            label = "The picture so far"
            seen = gr.Image(label=label, height=220, interactive=False, format="jpeg", elem_id="mix-photo-seen", buttons=[])
        with gr.Column(min_width=240):
            role = gr.Radio(list(ROLES), value=ROLES[0], label="It becomes the", elem_id="mix-role")
            gr.Markdown(
                "It is inverted with Image2StyleGAN, which takes most of a minute and leaves the generator as it is: one pass draws the "
                "mix. The tab Invert has more methods and a larger view."
            )
            which = menus.radio([], label="Which face", visible=False, elem_id="mix-photo-which")
            buttons = runner("mix-bring", "Invert and use it")
    return UploadForm(photo, seen, role, which, buttons)


class UploadHandlers:
    """Answers Run; `shown` are the outputs of the strip and of `MixHandlers.arranged`, in that order."""

    def __init__(self, handlers: MixHandlers, shown: list[Any], part: UploadForm) -> None:
        self.handlers, self.shown, self.part, self.status = handlers, shown, part, part.buttons.status
        self.session = handlers.mixer.session
        self.runs = Stopper(part.buttons, handlers.visitor, handlers.mixer.session.lines)

    @property
    def finished(self) -> list[Any]:
        """What a run fills."""
        return [*self.shown, self.part.seen, self.status]

    @spoken
    def claim(self, request: gr.Request, path: str | None) -> str:
        """Reserve the visitor's one run, or say why not."""
        if path is None:
            raise FaceError("There is no photo yet. Choose one first.")
        return self.runs.claim(self.handlers.visitor(request))

    @spoken
    def first_look(self, path: str | None, request: gr.Request) -> list[Any]:
        """The largest face of another photo, or nothing once it was taken away."""
        return self.look(path, None, request)

    @spoken
    def look(self, path: str | None, name: str | None, request: gr.Request) -> list[Any]:
        """Show the face that would be inverted, say what was found, and offer the others; nothing while a run goes.

        Where the photo cannot be used, nothing of the one before is left.
        """
        hidden = gr.Radio(visible=False)
        if self.handlers.visitor(request).running:
            return [gr.skip(), hidden, gr.skip()]
        if path is None:
            return [None, hidden, ""]
        try:
            found = uploaded_face(self.session, path, face_number(name))
        except StudioError as error:
            gr.Warning(str(error), duration=12)
            return [None, hidden, f"⚠️ {error}"]
        names = face_names(found.faces)
        return [small(found.picture), gr.Radio(names, value=name or names[0], visible=len(names) > 1), found.words]

    @spoken
    def bring(self, request: gr.Request, mix: Mix, path: str, role: str, name: str | None) -> Iterator[Updates]:
        """Invert the photo's face and take it as the source or the reference."""
        yield from self.runs.going(request, afresh([self.part.seen], self._brought(self.handlers.visitor(request), mix, path, role, name)))

    def _brought(self, visitor: Visitor, mix: Mix, path: str, role: str, name: str | None) -> Going:
        for moment in self._inverting(visitor, path, name):
            seen = moment.progress.preview if moment.result is None else moment.result.images
            yield {self.status: say(moment)} | ({} if seen is None else {self.part.seen: preview(seen)})
        if moment.result is None:
            return {self.status: say(moment)}
        if moment.stopped:
            return {self.status: f"{say(moment)} The faces stay as they are: what was found so far is too little to go on with."}
        face = Face("Shelf", None, 1.0, _shelved(visitor, moment.result))
        mix = self.handlers.mixer.faced(visitor, mix, role, face)
        updates = [*self.handlers.strip.show(visitor, None).values(), *self.handlers.arranged(visitor, mix)]
        return {self.status: f"{say(moment)} It is on the shelf and is the {role}."} | dict(zip(self.shown, updates, strict=True))

    def _inverting(self, visitor: Visitor, path: str, name: str | None) -> Iterator[Moment]:
        session = self.session
        found = uploaded_face(session, path, None if name is None else face_number(name))
        target = to_tensor(found.picture).to(session.generator.device)
        names = [engine.card.name for engine in session.offered(engines.invert)]
        engine = session.engine(METHOD if METHOD in names else names[0])
        run = engine.run(InvertRequest(image=target), engine.knob_set())
        return moments(run, session.settings.run_seconds, visitor.is_stopping)


def _shelved(visitor: Visitor, result: Result) -> str:
    return visitor.put(f"Photo {time.strftime('%H:%M')}", to_picture(result.images), result.inversions[0]).key


def connect_look(bringer: UploadHandlers) -> None:
    """The events that look at a photo, and at another of its faces."""
    part, lane = bringer.part, {"concurrency_id": PHOTO} | PRIVATE
    shown = [part.seen, part.which, bringer.status]
    part.photo.change(None, part.photo, bringer.status, js=READING, **AT_ONCE)
    part.photo.change(bringer.first_look, part.photo, shown, **lane)
    part.which.input(bringer.look, [part.photo, part.which], shown, **lane)
