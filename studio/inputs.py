"""Inputs that the page adds to Gradio's own."""

from pathlib import Path
from types import MethodType
from typing import Any

import gradio as gr
from gradio.components.image_editor import EditorData
from gradio.data_classes import ImageData
from gradio.image_utils import decode_base64_to_file
from PIL import Image as Pil

CANVAS = 512
"""Side of the painting canvas in pixels."""

DIGIT_CANVAS = 280
"""Side of the canvas for a digit."""

PAINT = "rgba(37, 99, 235, 0.55)"
"""Masks are painted in a blue that the picture shows through."""

COLOURS = ("#2b1d14", "#8a5a33", "#d9b382", "#f1cdb6", "#b8434b", "#3b6ea5", "#f4f4f2", "#101010")
"""Of hair, skin, lips and eyes, and light and dark."""


def photo_input(**settings: Any) -> gr.Image:
    """An image input that hands over the uploaded file untouched: `engines.core.images.read_image` alone opens it.

    It takes uploads, the camera and the clipboard. Gradio has already checked that the path lies among this app's uploads.
    """
    image = gr.Image(type="filepath", image_mode=None, sources=["upload", "webcam", "clipboard"], **settings)
    # On the instance rather than in a subclass: Gradio would write a stub file beside the module of a subclass.
    image.preprocess = MethodType(_untouched, image)
    return image


def _untouched(image: gr.Image, payload: ImageData | None) -> str | None:
    if payload is None:
        return None
    if payload.url and payload.url.startswith("data:"):
        return str(decode_base64_to_file(payload.url, image.GRADIO_CACHE, "png"))
    return payload.path


def mask_canvas(**settings: Any) -> gr.ImageEditor:
    """A canvas to paint a mask on; it hands over the painted layers as encoded pictures, and `studio.mixing` alone opens them."""
    canvas = gr.ImageEditor(
        image_mode="RGBA",
        sources=(),
        transforms=(),
        layers=False,
        fixed_canvas=True,
        canvas_size=(CANVAS, CANVAS),
        brush=gr.Brush(default_size=24, colors=[PAINT], color_mode="fixed"),
        eraser=gr.Eraser(default_size=24),
        buttons=[],
        format="png",
        **settings,
    )
    canvas.preprocess = MethodType(_layers, canvas)
    return canvas


def scribble_canvas(**settings: Any) -> gr.ImageEditor:
    """A canvas to scribble on in colours; it hands over what `mask_canvas` does."""
    canvas = gr.ImageEditor(
        image_mode="RGBA",
        sources=(),
        transforms=(),
        layers=False,
        fixed_canvas=True,
        canvas_size=(CANVAS, CANVAS),
        brush=gr.Brush(default_size=24, default_color=COLOURS[0], colors=[*COLOURS], color_mode="defaults"),
        eraser=gr.Eraser(default_size=24),
        buttons=[],
        format="png",
        **settings,
    )
    canvas.preprocess = MethodType(_layers, canvas)
    return canvas


def digit_canvas(**settings: Any) -> gr.ImageEditor:
    """A canvas to draw a digit on with a broad pen; it hands over what `mask_canvas` does."""
    canvas = gr.ImageEditor(
        {"background": Pil.new("RGB", (DIGIT_CANVAS, DIGIT_CANVAS), "white"), "layers": [], "composite": None},
        image_mode="RGBA",
        sources=(),
        transforms=(),
        layers=False,
        fixed_canvas=True,
        canvas_size=(DIGIT_CANVAS, DIGIT_CANVAS),
        brush=gr.Brush(default_size=22, colors=["#101010"], color_mode="fixed"),
        eraser=gr.Eraser(default_size=30),
        buttons=[],
        format="png",
        **settings,
    )
    canvas.preprocess = MethodType(_layers, canvas)
    return canvas


def _layers(canvas: gr.ImageEditor, payload: EditorData | None) -> list[bytes]:
    if payload is None:
        return []
    sent = canvas.blob_storage.pop(payload.id, None) if payload.id is not None else payload
    layers = [] if sent is None else [layer for layer in sent.layers or [] if layer is not None]
    return [layer if isinstance(layer, bytes) else Path(layer.path).read_bytes() for layer in layers]
