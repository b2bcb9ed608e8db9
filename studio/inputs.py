"""Inputs that the page adds to Gradio's own."""

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from gradio.image_utils import decode_base64_to_file


class PhotoInput(gr.Image):
    """An image input that hands over the uploaded file untouched: `engines.core.images.read_image` alone opens it.

    Gradio has already checked that the path lies among this app's uploads. Built by `photo_input`.
    """

    def get_block_name(self) -> str:
        """The browser draws it as the image input that it is."""
        return "image"

    def preprocess(self, payload: ImageData | None) -> str | None:  # type: ignore[override]
        """The path of the upload, or nothing."""
        if payload is None:
            return None
        if payload.url and payload.url.startswith("data:"):
            return str(decode_base64_to_file(payload.url, self.GRADIO_CACHE, "png"))
        return payload.path


def photo_input(**settings: Any) -> PhotoInput:
    """A `PhotoInput` for uploads, the camera and the clipboard."""
    return PhotoInput(type="filepath", image_mode=None, sources=["upload", "webcam", "clipboard"], **settings)
