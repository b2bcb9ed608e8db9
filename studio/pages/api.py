"""The same functions for programs: named endpoints over hidden components, so that uploads pass the same checks as on the page.

from gradio_client import Client, handle_file

client = Client("http://127.0.0.1:7860")
picture, figures = client.predict(handle_file("photo.jpg"), "image2stylegan", {"steps": 40}, api_name="/invert")
"""

from typing import Any

import gradio as gr
import torch
from PIL import Image as Pil

import engines.invert
from engines import InvertRequest, catalogue
from engines.core.errors import StudioError
from engines.core.images import to_picture, to_tensor
from engines.faces import align, only_face
from engines.spaces.statistics import random_w
from studio.editor import Editor
from studio.edits import MOST, Edits, Face, Turn
from studio.events import PREVIEW_LANE, RUN_LANE, moments, spoken
from studio.inputs import photo_input
from studio.library import Library
from studio.mixing import Mixer
from studio.pages import hierarchy_api, mixing_api
from studio.photo import read_upload
from studio.session import Session
from studio.staged import Sampler

MOST_SIGMA = 20
"""Strongest edit, in sigma: what StyleSpace uses for single channels."""


def build(session: Session, library: Library, sampler: Sampler) -> None:
    """Endpoints `engines`, `random_face`, `align`, `invert`, `list_directions`, `edit_face`; local mixing's; the hierarchy's."""
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
                        "choices": list(d.choices),
                        "help": d.knob.help,
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

    @spoken
    def align_face(photo: str | None) -> Pil.Image:
        """The largest face of a photo, aligned as FFHQ is."""
        if photo is None:
            raise StudioError("No photo came. Send one with handle_file(...).")
        upload = read_upload(session, photo)
        return align(upload, only_face(upload).alignment, session.generator.resolution)

    @spoken
    def invert(photo: str | None, name: str, settings: dict[str, Any] | None) -> tuple[Pil.Image, dict[str, float]]:
        """Invert the largest face of a photo with an engine and its knobs; returns the picture and its figures."""
        offered = {engine.card.name: engine for engine in session.offered(engines.invert, InvertRequest)}
        if name not in offered:
            raise StudioError(f"There is no inversion engine {name!r}; there are: {', '.join(offered)}.")
        knobs = offered[name].knob_set.of(settings if isinstance(settings, dict) else {})
        target = to_tensor(align_face(photo)).to(session.generator.device)
        last = None
        for moment in moments(session.engine(name).run(InvertRequest(image=target), knobs), lambda _: None, session.settings.run_seconds):
            last = moment.result or last
        assert last is not None
        inversion = last.inversions[0]
        with torch.no_grad():
            image = session.generator.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features)
        return to_picture(image), session.reconstruction(image, target)

    @spoken
    def directions(name: str, request: gr.Request) -> list[dict[str, Any]]:
        """Directions of a method, such as "interfacegan", "ganspace", "sefa/coarse" or "stylespace/smile", by key."""
        found = library.directions(name, session.visitors.desk(request.session_hash))
        return [{"key": key, "name": d.name, "space": d.space, "sigma": d.sigma, "source": d.source} for key, d in found.items()]

    @spoken
    def edit(seed: float, truncation: float, settings: dict[str, Any] | None, request: gr.Request) -> Pil.Image:
        """The full-size face of a seed with edits, {key: strength in sigma}."""
        turns = tuple(Turn(key, _strength(value)) for key, value in (settings if isinstance(settings, dict) else {}).items())
        if len(turns) > MOST or not 0 <= truncation <= 1:
            raise StudioError(f"At most {MOST} edits are taken at a time, and a truncation from 0 to 1.")
        desk = session.visitors.desk(request.session_hash)
        return editor.draw(desk, Face(seed=seed, truncation=float(truncation)), Edits(turns))

    mixing_api.build(session, Mixer(editor))
    hierarchy_api.build(sampler)
    button.click(list_engines, None, table, api_name="engines", queue=False)
    button.click(random_face, [seed, truncation], picture, api_name="random_face", concurrency_id=PREVIEW_LANE, concurrency_limit=1)
    button.click(align_face, photo, picture, api_name="align", concurrency_id=PREVIEW_LANE, concurrency_limit=1)
    button.click(directions, name, table, api_name="list_directions", concurrency_id=PREVIEW_LANE, concurrency_limit=1)
    button.click(edit, [seed, truncation, settings], picture, api_name="edit_face", concurrency_id=PREVIEW_LANE, concurrency_limit=1)
    button.click(invert, [photo, name, settings], [picture, figures], api_name="invert", concurrency_id=RUN_LANE, concurrency_limit=1)


def _strength(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MOST_SIGMA <= value <= MOST_SIGMA:
        raise StudioError(f"A strength is a number of sigma from -{MOST_SIGMA} to {MOST_SIGMA}.")
    return float(value)
