"""Inputs that the page adds to Gradio's own."""

from types import MethodType
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from gradio.image_utils import decode_base64_to_file


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
