"""Pictures in and out: the one reader of uploads, and the few conversions between pictures and tensors.

A file from outside is hostile until read: its format is checked by content, its size by header before any pixel is decoded,
its orientation applied, and everything but the pixels dropped.
"""

import io
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import ExifTags, ImageOps, PngImagePlugin, UnidentifiedImageError
from PIL import Image as Pil

from engines.core.errors import ImageError
from engines.core.shapes import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
LOCAL_MEGAPIXELS, PUBLIC_MEGAPIXELS = 100.0, 25.0
SMALLEST_SIDE = 32
PROTOCOL_SIDE = 256
"""Side at which every reconstruction is measured."""

_MADE_HERE = "Latent Studio: this picture was made or changed by a generative model"

Pil.MAX_IMAGE_PIXELS = int(LOCAL_MEGAPIXELS * 1e6)


def read_image(source: Path | bytes, megapixels: float = LOCAL_MEGAPIXELS) -> Pil.Image:
    """Open a picture from outside as upright 8-bit RGB without metadata; of an animation, the first frame.

    Args:
        source: A file or its bytes: JPEG, PNG, WebP or GIF.
        megapixels: Largest size that is decoded.

    Raises:
        ImageError: Not such a picture, damaged, too large or too small.
    """
    data = source if isinstance(source, bytes) else _bytes_of(source)
    if not data:
        raise ImageError("The file is empty. Choose a JPEG, PNG or WebP picture.")
    try:
        picture = Pil.open(io.BytesIO(data), formats=FORMATS)
        _check_size(picture.size, megapixels)
        picture.seek(0)
        return _plain(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError as error:
        raise ImageError(
            "This file is not a picture that can be read here, whatever its name says. Save it as JPEG, PNG or WebP and try again."
        ) from error
    except (Pil.DecompressionBombError, Pil.DecompressionBombWarning) as error:
        raise ImageError(
            f"This picture has far too many pixels. At most {megapixels:g} megapixels are read; make it smaller and try again."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageError("This picture is damaged or cut off: it could not be decoded. Save it again and retry.") from error


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"The file {path.name} cannot be opened: {error.strerror}. Check its name and its permissions.") from error


def _check_size(size: tuple[int, int], megapixels: float) -> None:
    width, height = size
    if width * height > megapixels * 1e6:
        raise ImageError(
            f"This picture has {width} x {height} = {width * height / 1e6:.3g} megapixels; "
            f"at most {megapixels:g} are read. Make it smaller and try again."
        )
    if min(size) < SMALLEST_SIDE:
        raise ImageError(
            f"This picture has {width} x {height} pixels; at least {SMALLEST_SIDE} on each side are needed. Choose a larger one."
        )


def _plain(picture: Pil.Image) -> Pil.Image:
    """8-bit RGB on white, nothing else kept."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, dtype=np.float64)
        scale = 255 / 65535 if picture.mode.startswith("I;16") or values.max() > 255 else 1.0
        picture = Pil.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Pil.alpha_composite(Pil.new("RGBA", layer.size, "white"), layer)
    return Pil.fromarray(np.asarray(picture.convert("RGB")))


def to_tensor(picture: Pil.Image, size: int | None = None) -> Image:
    """A picture as (1,3,H,W) in [-1, 1], resized to a square of `size` pixels if given."""
    if size is not None and picture.size != (size, size):
        picture = picture.resize((size, size), Pil.Resampling.LANCZOS)
    values = torch.from_numpy(np.asarray(picture.convert("RGB")).copy())
    return values.permute(2, 0, 1)[None].float() / 127.5 - 1


def square(picture: Pil.Image, size: int) -> Pil.Image:
    """The middle square of a picture, averaged down to `size` pixels."""
    return ImageOps.fit(picture, (size, size), Pil.Resampling.BOX)


def to_picture(image: Image) -> Pil.Image:
    """The first of a batch as an 8-bit picture, clamped to [-1, 1]."""
    values = image[0].detach().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return Pil.fromarray(values.permute(1, 2, 0).contiguous().cpu().numpy())


def side_by_side(images: Image) -> Image:
    """A batch (B,3,H,W) as one picture (1,3,H,B*W), first to last from the left."""
    return torch.cat(images.split(1), dim=3)


def area(image: Image, size: int) -> Image:
    """A square picture averaged down to `size` pixels, or as it is if it has that size.

    A smaller one is enlarged bilinearly.
    """
    if image.shape[-1] == size:
        return image
    if image.shape[-1] < size:
        return F.interpolate(image, (size, size), mode="bilinear", align_corners=False)
    return F.interpolate(image, (size, size), mode="area")


def png_bytes(picture: Pil.Image) -> bytes:
    """PNG data that says in its metadata that the picture was generated, and nothing else."""
    note = PngImagePlugin.PngInfo()
    note.add_text("Software", _MADE_HERE)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", pnginfo=note, compress_level=3)
    return buffer.getvalue()


def jpeg_bytes(picture: Pil.Image, quality: int = 95) -> bytes:
    """JPEG data with the same note."""
    note, buffer = Pil.Exif(), io.BytesIO()
    note[ExifTags.Base.Software] = _MADE_HERE
    picture.save(buffer, format="JPEG", quality=quality, exif=note)
    return buffer.getvalue()
