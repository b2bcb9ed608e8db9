"""A photo becomes a face to mix without leaving the tab: aligned, inverted, put on the shelf and chosen."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

import engines.invert
from engines import InvertRequest, Result
from engines.core.errors import FaceError
from engines.core.images import read_image, to_picture, to_tensor
from engines.faces import align, only_face
from studio.cell import Runner, runner
from studio.edits import Face
from studio.events import Moment, moments, say, spoken
from studio.inputs import photo_input
from studio.mix import ROLES, Mix
from studio.pages.mix.answers import Answers
from studio.photo import preview
from studio.running import Going, Stopper, Updates
from studio.shelf import Desk

METHOD = "image2stylegan"


@dataclass(frozen=True, eq=False)
class Bring:
    """The components."""

    photo: gr.Image
    seen: gr.Image
    role: gr.Radio
    buttons: Runner


def bring_part() -> Bring:
    """A folded part: the photo, the picture so far, whose place it takes, Run and Stop."""
    with gr.Accordion("Bring a photo of your own", open=False, elem_id="mix-bring"), gr.Row():
        with gr.Column(min_width=240):
            photo = photo_input(label="Photo with one face", height=220, elem_id="mix-photo", buttons=[])
        with gr.Column(min_width=240):
            label = "The picture so far"
            seen = gr.Image(label=label, height=220, interactive=False, format="jpeg", elem_id="mix-photo-seen", buttons=[])
        with gr.Column(min_width=240):
            role = gr.Radio(list(ROLES), value=ROLES[0], label="It becomes the", elem_id="mix-role")
            gr.Markdown(
                "It is inverted with Image2StyleGAN, which takes most of a minute and leaves the generator as it is: one pass draws the "
                "mixture. The tab Invert has more methods and a larger view."
            )
            buttons = runner("mix-bring", "Invert and use it")
    return Bring(photo, seen, role, buttons)


class Bringer:
    """Answers Run; `shown` are the outputs of the strip and of `Answers.arranged`, in that order."""

    def __init__(self, answers: Answers, shown: list[Any], part: Bring) -> None:
        self.answers, self.shown, self.part, self.status = answers, shown, part, part.buttons.status
        self.session = answers.mixer.session
        self.runs = Stopper(part.buttons, answers.desk)

    @property
    def finished(self) -> list[Any]:
        """What a run fills."""
        return [*self.shown, self.part.seen, self.status]

    @spoken
    def claim(self, request: gr.Request, path: str | None) -> str:
        """Reserve the visitor's one run, or say why not."""
        if path is None:
            raise FaceError("There is no photo yet. Choose one first.")
        return self.runs.claim(self.answers.desk(request))

    @spoken
    def bring(self, request: gr.Request, mix: Mix, path: str, role: str) -> Iterator[Updates]:
        """Invert the photo's face and take it as the source or the reference."""
        yield from self.runs.going(request, self._brought(self.answers.desk(request), mix, path, role))

    def _brought(self, desk: Desk, mix: Mix, path: str, role: str) -> Going:
        for moment in self._inverting(desk, path):
            seen = moment.progress.preview if moment.result is None else moment.result.images
            yield {self.status: say(moment)} | ({} if seen is None else {self.part.seen: preview(seen)})
        if moment.result is None:
            return {self.status: say(moment)}
        if moment.stopped:
            return {self.status: f"{say(moment)} The faces stay as they are: what was found so far is too little to go on with."}
        face = Face("Shelf", None, 1.0, _shelved(desk, moment.result))
        mix = self.answers.mixer.faced(desk, mix, role, face)
        updates = [*self.answers.strip.show(desk, None), *self.answers.arranged(desk, mix)]
        return {self.status: f"{say(moment)} It is on the shelf and is the {role}."} | dict(zip(self.shown, updates, strict=True))

    def _inverting(self, desk: Desk, path: str) -> Iterator[Moment]:
        session = self.session
        photo = read_image(Path(path), session.settings.megapixels)
        target = to_tensor(align(photo, only_face(photo).alignment, session.generator.resolution)).to(session.generator.device)
        names = [engine.card.name for engine in session.offered(engines.invert)]
        engine = session.engine(METHOD if METHOD in names else names[0])
        run = engine.run(InvertRequest(image=target), engine.knob_set())
        return moments(run, lambda _: None, session.settings.run_seconds, desk.is_stopping)


def _shelved(desk: Desk, result: Result) -> str:
    return desk.put(f"Photo {time.strftime('%H:%M')}", to_picture(result.images), result.inversions[0]).key
