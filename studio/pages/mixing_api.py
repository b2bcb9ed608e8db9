"""Local mixing for programs: two faces by seed and a mask, or two photos and a use of Image2StyleGAN++.

from gradio_client import Client, handle_file

client = Client("http://127.0.0.1:7860")
mixed = client.predict(7, 12, "mouth", None, {"strength": 0.8}, api_name="/mix_faces")
filled, figures = client.predict(handle_file("photo.jpg"), None, "mouth", None, {"use": "inpaint"}, api_name="/mix_photos")
"""

from dataclasses import replace
from typing import Any

import gradio as gr
import torch
from PIL import Image as Pil

import engines.invert
from engines.core.errors import ImageError, StudioError
from engines.core.images import area, to_picture, to_tensor
from engines.core.shapes import Image, Mask
from engines.faces import align, only_face
from engines.faces.parts import PARTS, part_mask
from engines.invert.optimize.local_embedding import INPAINT, LocalRequest
from studio.edits import Face
from studio.events import PREVIEW_LANE, RUN_LANE, moments, spoken
from studio.inputs import CANVAS, photo_input
from studio.mix import Mix
from studio.mixing import Mixer
from studio.photo import read_upload
from studio.searching import ENGINE
from studio.session import Session

_SETTINGS = ("strength", "layers", "edge", "carry", "right", "down", "truncation")


def build(session: Session, mixer: Mixer) -> None:
    """Endpoints `mix_faces` and `mix_photos`, over hidden components."""
    with gr.Row(visible=False):
        photo, second, painted = photo_input(), photo_input(), photo_input()
        source, reference = gr.Number(precision=0), gr.Number(precision=0)
        part, settings = gr.Textbox(), gr.JSON()
        picture, figures, button = gr.Image(type="pil", format="png"), gr.JSON(), gr.Button()

    def read_mask(path: str) -> Mask:
        """A picture as a mask (1,1,R,R): light is inside."""
        picture = read_upload(session, path)
        if picture.width != picture.height:
            raise ImageError(f"A mask of {picture.width} x {picture.height} pixels came; wanted a square one over the aligned face.")
        return (to_tensor(picture, session.generator.resolution)[:, :1] > 0).float()

    def face(path: str | None) -> Image:
        """The one face of a photo, aligned."""
        if path is None:
            raise StudioError("No photo came. Send one with handle_file(...).")
        upload = read_upload(session, path)
        return to_tensor(align(upload, only_face(upload).alignment, session.generator.resolution)).to(session.generator.device)

    @spoken
    def mix_faces(
        source: float, reference: float, part: str, painted: str | None, settings: dict[str, Any] | None, request: gr.Request
    ) -> Pil.Image:
        """The face of a seed with a part of another's.

        The part is one by name, or a mask picture whose light pixels are inside. Settings: strength, layers, edge, carry, right, down,
        truncation, as on the page.
        """
        desk = session.visitors.desk(request.session_hash)
        mix = _mix(source, reference, settings if isinstance(settings, dict) else {})
        if painted is None:
            keys = [mixer.ready_made(desk, face, [_known(part)]) for face in (mix.source, mix.reference)]
            return mixer.draw(desk, replace(mix, masks=(keys[0], keys[1])))
        values = (255 * area(read_mask(painted), CANVAS)[0, 0]).to(torch.uint8)
        return mixer.draw(desk, replace(mix, masks=(mixer.keep(desk, values.numpy()), "")))

    @spoken
    def mix_photos(
        photo: str | None, second: str | None, part: str, painted: str | None, settings: dict[str, Any] | None
    ) -> tuple[Pil.Image, dict[str, float]]:
        """A masked use of Image2StyleGAN++ on a photo, with a second one unless a hole is filled; settings are the engine's knobs.

        A mask picture lies over the first photo's aligned face.
        """
        offered = {engine.card.name: engine for engine in session.offered(engines.invert)}
        if ENGINE not in offered:
            raise StudioError("The loaded generator cannot do this.")
        knobs: Any = offered[ENGINE].knob_set.of(settings if isinstance(settings, dict) else {})
        image = face(photo)
        other = None if knobs.use == INPAINT else face(second)
        faces = [image] if other is None else [image, other]
        mask = part_mask(_known(part), *faces) if painted is None else read_mask(painted).to(image)
        run, found = session.engine(ENGINE).run(LocalRequest(image=image, other=other, mask=mask), knobs), None
        for moment in moments(run, lambda _: None, session.settings.run_seconds):
            found = moment.result or found
        assert found is not None
        return to_picture(found.images), dict(found.metrics)

    lane: dict[str, Any] = {"concurrency_id": PREVIEW_LANE, "concurrency_limit": 1}
    button.click(mix_faces, [source, reference, part, painted, settings], picture, api_name="mix_faces", **lane)
    inputs = [photo, second, part, painted, settings]
    button.click(mix_photos, inputs, [picture, figures], api_name="mix_photos", concurrency_id=RUN_LANE, concurrency_limit=1)


def _known(part: str) -> str:
    if part not in PARTS:
        raise StudioError(f"There is no part {part!r}; there are: {'; '.join(PARTS)}.")
    return part


def _mix(source: float, reference: float, settings: dict[str, Any]) -> Mix:
    """The mixture that an endpoint's values stand for."""
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
