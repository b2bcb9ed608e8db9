"""A photo becomes a face to mix without leaving the tab: aligned, inverted, put on the shelf and chosen."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

import engines.invert
from engines import InvertRequest, Result
from engines.core.errors import FaceError, StudioError
from engines.core.images import read_image, to_picture, to_tensor
from engines.faces import align, only_face
from studio.cell import Runner, runner
from studio.edits import Face
from studio.events import moments, say, spoken
from studio.inputs import photo_input
from studio.mix import Mix
from studio.pages.mix.answers import Answers
from studio.shelf import Desk

METHOD = "image2stylegan"


def bring_cell() -> tuple[gr.Image, gr.Radio, Runner]:
    """A folded part: the photo, whose place it takes, Run and Stop."""
    with gr.Accordion("Bring a photo of your own", open=False, elem_id="mix-bring"), gr.Row():
        photo = photo_input(label="Photo with one face", height=220, elem_id="mix-photo", buttons=[])
        with gr.Column():
            role = gr.Radio(["source", "reference"], value="source", label="It becomes the", elem_id="mix-role")
            gr.Markdown(
                "It is inverted with Image2StyleGAN, which takes most of a minute. The tab Invert has more methods and a larger view."
            )
            buttons = runner("mix-bring", "Invert and use it")
    return photo, role, buttons


def bringer(answers: Answers, shown: list[Any], status: gr.Markdown) -> Callable[..., Iterator[dict[Any, Any]]]:
    """The answer to Run; `shown` are the outputs of the strip and of `Answers.arranged`, in that order."""
    session = answers.mixer.session

    @spoken
    def bring(mix: Mix, path: str | None, role: str, request: gr.Request) -> Iterator[dict[Any, Any]]:
        """Invert the photo's face and take it as the source or the reference."""
        desk = answers.desk(request)
        if path is None:
            raise FaceError("There is no photo yet. Choose one first.")
        if desk.running:
            raise StudioError("Your last run is still going. Wait for it, or press Stop first.")
        desk.running, found = True, list[Result]()
        try:
            photo = read_image(Path(path), session.settings.megapixels)
            target = to_tensor(align(photo, only_face(photo).alignment, session.generator.resolution)).to(session.generator.device)
            names = [engine.card.name for engine in session.offered(engines.invert)]
            engine = session.engine(METHOD if METHOD in names else names[0])
            run = engine.run(InvertRequest(image=target), engine.knob_set())
            for moment in moments(run, found.append, session.settings.run_seconds):
                yield {status: say(moment)}
        finally:  # a stopped run leaves its best behind, too
            key = _shelved(desk, found[-1]) if found else ""
            desk.running = False
        mix = mix.with_face(role, Face("Shelf", None, 1.0, key))
        updates = [*answers.strip.show(desk, None), *answers.arranged(desk, mix)]
        yield dict(zip(shown, updates, strict=True))

    return bring


def _shelved(desk: Desk, result: Result) -> str:
    return desk.put(f"Photo {time.strftime('%H:%M')}", to_picture(result.images), result.inversions[0]).key
