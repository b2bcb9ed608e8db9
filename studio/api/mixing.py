"""Local mixing for programs: two faces by seed and a mask, or two photos and a use of Image2StyleGAN++.

from gradio_client import Client, handle_file

client = Client("http://127.0.0.1:7860")
mixed = client.predict(7, 12, "mouth", None, {"strength": 0.8}, api_name="/mix_faces")
filled, figures = client.predict(handle_file("photo.jpg"), None, "mouth", None, {"use": "inpaint"}, api_name="/mix_photos")
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from PIL import Image as Pil

import engines.invert
from engines.core.errors import StudioError
from engines.core.images import area, to_picture
from engines.faces.parts import PARTS
from engines.invert.optimize.local_embedding import INPAINT, LocalRequest
from studio.api.progress import Told, going, sent, tell, waiting
from studio.services.mask_search import ENGINE
from studio.services.mixer import Mixer
from studio.services.photo_pipeline import face_setting, reading_for
from studio.serving.lines import PROGRAM, RUN, told
from studio.state.edits import Face
from studio.state.mix import CANVAS, Mix
from studio.state.moments import moments
from studio.state.session import Session
from studio.ui.inputs import photo_input
from studio.ui.run_events import spoken

_SETTINGS = ("strength", "layers", "edge", "carry", "right", "down", "truncation")


def build(session: Session, mixer: Mixer) -> None:
    """Endpoints `mix_faces` and `mix_photos`, over hidden components."""
    with gr.Row(visible=False):
        photo, second, painted = photo_input(), photo_input(), photo_input()
        source, reference = gr.Number(precision=0), gr.Number(precision=0)
        part, settings = gr.Textbox(), gr.JSON()
        picture, figures, button = gr.Image(type="pil", format="png"), gr.JSON(), gr.Button()

    @spoken
    def mix_faces(
        source: float, reference: float, part: str, painted: str | None, settings: dict[str, Any] | None, request: gr.Request
    ) -> Pil.Image:
        """The face of a seed with a part of another's.

        The part is one by name, or a mask picture: what is painted on transparent or erased from a photo, or else what is light, is
        inside. Settings: strength, layers, edge, carry, right, down,
        truncation, as on the page.
        """
        visitor = session.visitors.visitor(request)
        mix = _mix(source, reference, settings if isinstance(settings, dict) else {})
        if painted is None:
            keys = [mixer.ready_made(visitor, face, [_known(part)]) for face in (mix.source, mix.reference)]
            return mixer.draw(visitor, replace(mix, masks=(keys[0], keys[1])))
        values = (255 * area(reading_for(session).mask(Path(painted)), CANVAS)[0, 0]).to(torch.uint8)
        return mixer.draw(visitor, replace(mix, masks=(mixer.keep(visitor, values.numpy()), "")))

    @spoken
    def mix_photos(
        photo: str | None, second: str | None, part: str, painted: str | None, settings: dict[str, Any] | None
    ) -> Iterator[Told]:
        """A masked use of Image2StyleGAN++ on a photo, with a second one unless a hole is filled; settings are the engine's knobs.

        A mask picture lies over the first photo's aligned face. Of a photo with several faces the largest is taken where it clearly
        dominates; the settings "face" and "second_face" are the number of another, from 1 (the largest).
        """
        offered = {engine.card.name: engine for engine in session.offered(engines.invert)}
        if ENGINE not in offered:
            raise StudioError("The loaded generator cannot do this.")
        given = dict(settings) if isinstance(settings, dict) else {}
        number, second_number = face_setting(given), face_setting(given, "second_face")
        knobs: Any = offered[ENGINE].knob_set.of(given)
        words: dict[str, Any] = {"image": sent(photo), "face": number, "part": part, "mask": painted}
        if knobs.use != INPAINT:
            words |= {"context": sent(second), "context_face": second_number}
        reading = reading_for(session)
        run, found = session.engine(ENGINE).run(LocalRequest.of(words, reading), knobs), None
        tell(reading)
        for moment in moments(run, session.settings.run_seconds):
            found = moment.result or found
            yield going(moment)
        assert found is not None
        yield to_picture(found.images), dict(found.metrics)

    button.click(mix_faces, [source, reference, part, painted, settings], picture, api_name="mix_faces", concurrency_id=PROGRAM)
    inputs = [photo, second, part, painted, settings]
    searching = told(mix_photos, session.lines, lambda *_: (RUN, ENGINE), waiting)
    button.click(searching, inputs, [picture, figures], api_name="mix_photos", concurrency_limit=None)


def _known(part: str) -> str:
    if part not in PARTS:
        raise StudioError(f"There is no part {part!r}; there are: {'; '.join(PARTS)}.")
    return part


def _mix(source: float, reference: float, settings: dict[str, Any]) -> Mix:
    """The mix that an endpoint's values stand for."""
    unknown = sorted(set(settings) - set(_SETTINGS))
    if unknown:
        raise StudioError(f"There is no setting {unknown[0]!r}; there are: {', '.join(_SETTINGS)}.")
    usual = Mix()
    numbers = {"strength": usual.strength, "edge": usual.edge, "right": 0.0, "down": 0.0, "truncation": usual.source.truncation}
    for name in numbers:
        value = settings.get(name, numbers[name])
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise StudioError(f"The setting {name!r} is a number.")
        numbers[name] = float(value)
    if not all(0 <= seed < 2**31 for seed in (source, reference)) or not 0 <= numbers["truncation"] <= 1:
        raise StudioError("Seeds are whole numbers from 0 to 2147483647, the truncation a number from 0 to 1.")
    faces = [Face("Seed", int(seed), numbers["truncation"]) for seed in (source, reference)]
    return Mix(
        faces[0],
        faces[1],
        strength=numbers["strength"],
        layers=str(settings.get("layers", usual.layers)),
        edge=numbers["edge"],
        shift=(numbers["right"], numbers["down"]),
        carry=str(settings.get("carry", usual.carry)),
    )
