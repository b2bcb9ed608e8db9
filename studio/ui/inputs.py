"""Inputs that the page adds to Gradio's own."""

import base64
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from gradio.processing_utils import save_bytes_to_cache
from PIL import Image as Pil

from engines.core.errors import ImageError, StudioError
from engines.core.images import png_bytes
from studio.media.export import data_url
from studio.state.mix import CANVAS, PAINT
from studio.ui.menus import kind

COLOURS = ("#2b1d14", "#8a5a33", "#d9b382", "#f1cdb6", "#b8434b", "#3b6ea5", "#f4f4f2", "#101010")
"""Of hair, skin, lips and eyes, and light and dark."""

_CANVAS = Path(__file__).with_name("canvas.js")
_PNG, _MOST = "data:image/png;base64,", 4_000_000


MOST_MEGABYTES = 32
"""Of a file of directions or codes."""


def content(path: str, most: int = MOST_MEGABYTES) -> tuple[bytes, str]:
    """An uploaded file and its name.

    Raises:
        StudioError: It is too large.
    """
    file = Path(path)
    size = file.stat().st_size
    if size > most * 2**20:
        raise StudioError(f"The file has {size / 2**20:.0f} MB; at most {most} are read.")
    return file.read_bytes(), file.name


def photo_input(**settings: Any) -> gr.Image:
    """An image input that hands over the uploaded file untouched: `engines.core.images.read_image` alone opens it.

    It takes uploads, the camera and the clipboard. `studio.ui.intake` has already checked that the path is one of this page's uploads.
    """
    return _Photo(type="filepath", image_mode=None, sources=["upload", "webcam", "clipboard"], **settings)


def _untouched(image: gr.Image, payload: ImageData | None) -> str | None:
    if payload is None:
        return None
    if payload.path is None and payload.url:
        try:
            data = base64.b64decode(payload.url.partition(",")[2], validate=True)
        except ValueError as error:
            raise ImageError("This picture came as a data URL that is damaged. Send it as a file.") from error
        return str(save_bytes_to_cache(data, "picture", image.GRADIO_CACHE))
    return payload.path


_Photo = kind(gr.Image, _untouched)


def seed_input(value: float | None, elem_id: str, *, label: str = "Seed", **settings: Any) -> gr.Number:
    """A seed; `seeds.js` puts a die beside it, and a way back to the seed before, where its classes say `seed`.

    One that has a button of its own for another seed says `with-button`, too, and gets no die.
    """
    return gr.Number(value, precision=0, minimum=0, maximum=2**31 - 1, label=label, elem_id=elem_id, **{"elem_classes": "seed"} | settings)


def mask_canvas(**settings: Any) -> gr.HTML:
    """A canvas to paint a mask on; it hands over what `layers` reads.

    One that is `movable` lets what is painted be dragged: its event `drag` says `x` and `y`, how far it lies now to the right and down of
    where it was painted, as shares of the side, and its property `shift` is where it is shown.
    """
    return _canvas("mask", {"Brush": PAINT}, **settings)


def scribble_canvas(**settings: Any) -> gr.HTML:
    """A canvas to scribble on in colours; as `mask_canvas`."""
    return _canvas("scribble", {f"Colour {number}": colour for number, colour in enumerate(COLOURS, 1)}, own_steps=True, **settings)


def digit_canvas(**settings: Any) -> gr.HTML:
    """A canvas to draw a digit on with a broad pen; as `mask_canvas`."""
    return _canvas("digit", {"Pen": "#101010"}, pen=40, own_steps=True, **settings)


def hung(background: Pil.Image, layer: Pil.Image | None = None, **settings: Any) -> gr.HTML:
    """A canvas that shows another picture, and what is painted on it."""
    painted = "" if layer is None else _PNG + base64.b64encode(png_bytes(layer)).decode()
    return gr.HTML(value=painted, background=data_url(background, CANVAS), **settings)


def _canvas(
    kind: str, pens: dict[str, str], *, label: str, pen: int = 24, own_steps: bool = False, movable: bool = False, **settings: Any
) -> gr.HTML:
    """A square canvas with its pens; `own_steps` gives it its own ways to step back and to clear, `movable` a hand to drag with."""
    shown = [
        f"<button type='button' data-pen='{colour}' style='--pen: {colour}' aria-label='{name}' title='{name}'><i></i>"
        f"{name if len(pens) == 1 else ''}</button>"
        for name, colour in pens.items()
    ]
    shown.append("<button type='button' data-pen='eraser'>Eraser</button>")
    if movable:
        shown.append("<button type='button' data-pen='move' title='Drag what is painted to another place'>Move</button>")
    shown.append(f"<label>Size <input type='range' min='4' max='120' value='{pen}'></label>")
    if own_steps:
        shown += [f"<button type='button' data-act='{act}'>{act.title()}</button>" for act in ("undo", "clear")]
    template = (
        f"<div class='painting {kind}'><span class='title'>{label}</span><div class='sheet'><img class='under' alt='' hidden>"
        f"<canvas width='{CANVAS}' height='{CANVAS}' role='img' aria-label='{label}: paint here'></canvas><i class='dot' hidden></i></div>"
        f"<div class='pens' role='toolbar' aria-label='Pens of {label}'>{''.join(shown)}</div></div>"
    )
    return gr.HTML(
        "",
        html_template=template,
        js_on_load=_CANVAS.read_text(encoding="utf-8"),
        label=label,
        background="",
        shift=[0, 0],
        apply_default_css=False,
        **settings,
    )


def layers(value: object) -> list[bytes]:
    """What a canvas sent: its painted layer out of a data URL; nothing for anything else, or for more than a canvas can hold."""
    if not isinstance(value, str) or not value.startswith(_PNG) or len(value) > _MOST:
        return []
    try:
        return [base64.b64decode(value.removeprefix(_PNG), validate=True)]
    except ValueError:
        return []
