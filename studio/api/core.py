"""The same functions for programs: named endpoints over hidden components, so that uploads pass the same checks as on the page.

from gradio_client import Client, handle_file

client = Client("http://127.0.0.1:7860")
picture, figures = client.predict(handle_file("photo.jpg"), "image2stylegan", {"steps": 40}, api_name="/invert")
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from PIL import Image as Pil

import engines.invert
from engines import InvertRequest, catalogue
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.generators.incremental import draw_inversion
from engines.spaces.statistics import random_w
from studio.api import hierarchy, mixing
from studio.api.progress import Told, going, sent, tell, waiting
from studio.services.direction_library import Library
from studio.services.editor import Editor
from studio.services.finegan_sampler import Sampler
from studio.services.mixer import Mixer
from studio.services.photo_pipeline import face_setting, reading_for
from studio.serving.lines import PROGRAM, RUN, told
from studio.state.edits import MOST, Edits, Face, Turn
from studio.state.moments import moments
from studio.state.session import Session
from studio.ui.inputs import photo_input
from studio.ui.run_events import spoken

MOST_SIGMA = 20
"""Strongest edit, in sigma: what StyleSpace uses for single channels."""


def build(session: Session, library: Library, sampler: Sampler) -> None:
    """Endpoints `engines`, `random_face`, `align`, `align_face`, `invert`, `list_directions`, `edit_face`; of mixing and the hierarchy."""
    with gr.Row(visible=False):
        photo, name, settings = photo_input(), gr.Textbox(), gr.JSON()
        seed, truncation = gr.Number(precision=0), gr.Number(value=0.7)
        picture, figures, table = gr.Image(type="pil", format="png"), gr.JSON(), gr.JSON()
        button = gr.Button()

    editor = Editor(session, library)

    def list_engines() -> list[dict[str, Any]]:
        """Every engine with its knobs, ranges and defaults."""
        return [
            {
                "name": card.name,
                "title": card.title,
                "paper": card.paper,
                "knobs": [
                    {
                        "name": d.name,
                        "default": d.default,
                        "lo": d.knob.lo,
                        "hi": d.knob.hi,
                        "choices": list(d.offered),
                        "help": d.help,
                    }
                    for d in engine.knob_set.declared()
                ],
            }
            for engine in catalogue().values()
            for card in [engine.card]
        ]

    @spoken
    def random_face(seed: float, truncation: float) -> Pil.Image:
        """The full-size face that a seed stands for, at a truncation from 0 to 1."""
        if not (0 <= seed < 2**31 and 0 <= truncation <= 1):
            raise StudioError("The seed is a whole number from 0 to 2147483647, the truncation a number from 0 to 1.")
        with torch.no_grad():
            return to_picture(session.generator.synthesize(random_w(session.generator, int(seed), float(truncation))))

    def face_of(photo: str | None, number: int | None = None) -> Pil.Image:
        """A face of a photo, aligned; of several the client is told which."""
        reading = reading_for(session)
        found = reading.aligned(Path(sent(photo)), number)
        tell(reading)
        return found.picture

    @spoken
    def align_photo(photo: str | None) -> Pil.Image:
        """The face of a photo, aligned as FFHQ is; of several the largest, where it clearly dominates."""
        return face_of(photo)

    @spoken
    def align_face(photo: str | None, settings: dict[str, Any] | None = None) -> Pil.Image:
        """As `align`, with the setting "face": the number of the face to align, from 1 (the largest)."""
        given = dict(settings) if isinstance(settings, dict) else {}
        number = face_setting(given)
        if given:
            raise StudioError(f"There is no setting {min(given)!r}; there is: face.")
        return face_of(photo, number)

    @spoken
    def invert(photo: str | None, name: str, settings: dict[str, Any] | None) -> Iterator[Told]:
        """Invert a photo's face with an engine; the last answer is the picture and its figures.

        Settings are the engine's knobs, and "face": the number of the face, from 1 (the largest), where none clearly dominates. Answers
        before the last have no picture: the place in line while it waits, then the step.
        """
        offered = {engine.card.name: engine for engine in session.offered(engines.invert, InvertRequest)}
        if name not in offered:
            raise StudioError(f"There is no inversion engine {name!r}; there are: {', '.join(offered)}.")
        given = dict(settings) if isinstance(settings, dict) else {}
        number = face_setting(given)
        knobs = offered[name].knob_set.of(given)
        request, last = InvertRequest.of({"image": sent(photo), "face": number}, reading := reading_for(session)), None
        tell(reading)
        for moment in moments(session.engine(name).run(request, knobs), session.settings.run_seconds):
            last = moment.result or last
            yield going(moment)
        assert last is not None
        image = draw_inversion(session.generator, last.inversions[0])
        yield to_picture(image), session.reconstruction(image, request.image)

    def line_of(photo: str | None, name: str, settings: dict[str, Any] | None) -> tuple[str, str]:
        """In which line an inversion waits."""
        return session.line_of(name) if name in catalogue() else RUN, name

    @spoken
    def directions(name: str, request: gr.Request) -> list[dict[str, Any]]:
        """Directions of a method, such as "interfacegan", "ganspace", "sefa/coarse" or "stylespace/smile", by key."""
        found = library.directions(name, session.visitors.visitor(request))
        return [{"key": key, "name": d.name, "space": d.space, "sigma": d.sigma, "source": d.source} for key, d in found.items()]

    @spoken
    def edit(seed: float, truncation: float, settings: dict[str, Any] | None, request: gr.Request) -> Pil.Image:
        """The full-size face of a seed with edits, {key: strength in sigma}."""
        turns = tuple(Turn(key, _strength(value)) for key, value in (settings if isinstance(settings, dict) else {}).items())
        if len(turns) > MOST or not 0 <= truncation <= 1:
            raise StudioError(f"At most {MOST} edits are taken at a time, and a truncation from 0 to 1.")
        visitor = session.visitors.visitor(request)
        return editor.draw(visitor, Face(seed=seed, truncation=float(truncation)), Edits(turns))

    mixing.build(session, Mixer(editor))
    hierarchy.build(sampler)
    button.click(list_engines, None, table, api_name="engines", queue=False)
    button.click(random_face, [seed, truncation], picture, api_name="random_face", concurrency_id=PROGRAM)
    button.click(align_photo, photo, picture, api_name="align", concurrency_id=PROGRAM)
    button.click(align_face, [photo, settings], picture, api_name="align_face", concurrency_id=PROGRAM)
    button.click(directions, name, table, api_name="list_directions", concurrency_id=PROGRAM)
    button.click(edit, [seed, truncation, settings], picture, api_name="edit_face", concurrency_id=PROGRAM)
    inverting = told(invert, session.lines, line_of, waiting)
    button.click(inverting, [photo, name, settings], [picture, figures], api_name="invert", concurrency_limit=None)


def _strength(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MOST_SIGMA <= value <= MOST_SIGMA:
        raise StudioError(f"A strength is a number of sigma from -{MOST_SIGMA} to {MOST_SIGMA}.")
    return float(value)
