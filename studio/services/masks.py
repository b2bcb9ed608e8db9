"""Painted layers, as canvases send and show them; a mask is an array of 0 to 255 at the canvas' size."""

import io

import numpy as np
from PIL import Image as Pil
from PIL import UnidentifiedImageError

from engines.core.errors import ImageError
from studio.state.mix import CANVAS, PAINT, Painted

_LARGEST_LAYER = 1024  # canvases send layers of their own size; a larger one costs memory and adds nothing


def blank() -> Painted:
    """A mask of nothing."""
    return np.zeros((CANVAS, CANVAS), np.uint8)


def opened_layer(data: bytes) -> Pil.Image:
    """A painted layer, RGBA, at the canvas' size.

    Raises:
        ImageError: Not a painted layer of a sensible size.
    """
    try:
        layer = Pil.open(io.BytesIO(data), formats=("PNG", "WEBP"))
        if max(layer.size) > _LARGEST_LAYER:
            raise ImageError(
                f"A mask of {layer.width} x {layer.height} pixels came; at most {_LARGEST_LAYER} a side are read. Paint it on the canvas."
            )
        if layer.width != layer.height:
            raise ImageError(f"A mask of {layer.width} x {layer.height} pixels came; wanted a square one, as the canvas paints it.")
        return layer.convert("RGBA").resize((CANVAS, CANVAS), Pil.Resampling.BILINEAR)
    except (UnidentifiedImageError, Pil.DecompressionBombError, Pil.DecompressionBombWarning, OSError, SyntaxError, ValueError) as error:
        raise ImageError("This mask could not be read. Clear the canvas and paint it again.") from error


def opened_mask(data: bytes) -> Painted:
    """A painted layer as a mask, by its opacity."""
    return np.asarray(opened_layer(data).getchannel("A"))


def as_layer(mask: Painted) -> Pil.Image:
    """A mask as the layer of a canvas."""
    layer = Pil.new("RGBA", (CANVAS, CANVAS), PAINT)
    layer.putalpha(Pil.fromarray(mask))
    return layer
