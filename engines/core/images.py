"""Pictures in and out: the one reader of uploads, and the few conversions between pictures and tensors.

A file from outside is hostile until read: it is known by its content, refused by its header where that is enough, and decoded in a
process of its own (`engines.core.decoding`) with a bound on time and memory; what comes back is nothing but pixels.
"""

import contextlib
import io
import json
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import torch
import torch.nn.functional as F
from PIL import ExifTags, ImageOps, PngImagePlugin
from PIL import Image as Pil

from engines.core.decoding import DAMAGED, PROGRAM, strips
from engines.core.errors import ImageError
from engines.core.files import read_file
from engines.core.shapes import Image

LOCAL_MEGAPIXELS, PUBLIC_MEGAPIXELS = 100.0, 25.0
LOCAL_MEGABYTES = 400.0
"""Largest file that is read where its owner chose it: a picture of so many pixels without compression."""

PROTOCOL_SIDE = 256
"""Side at which every reconstruction is measured."""

_RECIPE, _LONGEST_RECIPE = "Latent Studio recipe", 2**18
PNG = b"\x89PNG\r\n\x1a\n"
"""How a PNG begins."""

_MADE_HERE = "Latent Studio: this picture was made or changed by a generative model"
_SECONDS, _SECONDS_A_MEGAPIXEL = 3.0, 0.12
"""Computing time that decoding may take; of time on the clock four times as much, for a busy machine."""

TOO_SLOW = "Decoding this picture takes far longer than one of its size should. Save it again as JPEG or PNG and retry."
_OUT_OF_TIME = (-signal.SIGKILL, -signal.SIGXCPU) if sys.platform != "win32" else (1,)
_MOST_WORDS = 10_000
_PACKAGE = Path(__file__).resolve().parents[1]

Pil.MAX_IMAGE_PIXELS = int(LOCAL_MEGAPIXELS * 1e6)


@dataclass(frozen=True, eq=False)
class Opened:
    """A picture as it came.

    Attributes:
        picture: Upright 8-bit RGB; of a mask RGBA.
        note: A sentence for the person where it was not read whole; otherwise empty.
        lossy: Whether its format keeps values only about.
    """

    picture: Pil.Image
    note: str = ""
    lossy: bool = False


def read_image(source: Path | bytes, megapixels: float = LOCAL_MEGAPIXELS, megabytes: float = LOCAL_MEGABYTES) -> Pil.Image:
    """Open a picture from outside as upright 8-bit sRGB without metadata; of an animation, the first frame.

    Args:
        source: A file or its bytes, of one of `engines.core.formats.FORMATS`.
        megapixels: Largest size that is decoded.
        megabytes: Largest file that is read.

    Raises:
        ImageError: Not such a picture, damaged, too large or too small, or no regular file.
    """
    return open_image(source, megapixels, megabytes).picture


def open_image(
    source: Path | bytes, megapixels: float = LOCAL_MEGAPIXELS, megabytes: float = LOCAL_MEGABYTES, *, as_mask: bool = False
) -> Opened:
    """As `read_image`, with what there is to say about it; as a mask RGBA, its values as they are in the file.

    Raises:
        ImageError: As `read_image`.
    """
    data = source if isinstance(source, bytes) else read_file(source, megabytes)
    seconds = round(_SECONDS + _SECONDS_A_MEGAPIXEL * megapixels)
    # Without the script's folder in the path (-P); the caller's own path of modules counts, so that Pillow is found where it is here.
    command = [sys.executable, "-P", "-c", PROGRAM, str(_PACKAGE), f"{megapixels}", f"{seconds}", "mask" if as_mask else "photo"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as room:
        clock = threading.Timer(4 * seconds, room.kill)
        clock.start()
        try:
            assert room.stdin is not None and room.stdout is not None
            _hand_over(room.stdin, data)
            opened = _taken(room.stdout)
            room.wait()
        finally:
            clock.cancel()
            room.kill()
    if opened is None:
        raise ImageError(TOO_SLOW if room.returncode in _OUT_OF_TIME else DAMAGED)
    return opened


def _hand_over(pipe: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, OSError), pipe:  # a process that has ended says why by other means
        pipe.write(data)


def _taken(pipe: IO[bytes]) -> Opened | None:
    """The picture that the process hands over, or nothing where it ended before its last pixel.

    Raises:
        ImageError: It says why there is none.
    """
    try:
        said = json.loads(pipe.readline(_MOST_WORDS) or b"{}")
    except ValueError:
        return None
    if "error" in said:
        raise ImageError(said["error"])
    if "size" not in said:
        return None
    mode, (width, height) = said["mode"], said["size"]
    picture, channels = Pil.new(mode, (width, height)), len(mode)
    for top, bottom in strips((width, height), channels):
        wanted = (bottom - top) * width * channels
        pixels = pipe.read(wanted)
        if len(pixels) < wanted:
            return None
        picture.paste(Pil.frombytes(mode, (width, bottom - top), pixels), (0, top))
    return Opened(picture, said["note"], said["lossy"])


def to_tensor(picture: Pil.Image, size: int | None = None) -> Image:
    """A picture as (1,3,H,W) in [-1, 1], resized to a square of `size` pixels if given."""
    if size is not None and picture.size != (size, size):
        picture = picture.resize((size, size), Pil.Resampling.LANCZOS)
    values = torch.from_numpy(np.asarray(picture.convert("RGB")).copy())[None]  # before the turn: strides as of any other such tensor
    return values.permute(0, 3, 1, 2).float() / 127.5 - 1


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


def png_bytes(picture: Pil.Image, recipe: str = "") -> bytes:
    """PNG data that says in its metadata that the picture was generated and, where given, how: `png_recipe` reads that."""
    note = PngImagePlugin.PngInfo()
    note.add_text("Software", _MADE_HERE)
    if recipe:
        note.add_text(_RECIPE, recipe)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", pnginfo=note, compress_level=3)
    return buffer.getvalue()


def png_recipe(data: bytes) -> str:
    """What `png_bytes` was given as the recipe, up to 256 kB of Latin letters; empty where there is none. No pixel is decoded.

    Raises:
        ImageError: It is no PNG.
    """
    if not data.startswith(PNG):
        raise ImageError("This is no PNG. A picture that was saved here as a PNG carries its recipe.")
    at = len(PNG)
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"IDAT":  # what is told stands before the pixels
            break
        words = data[at + 8 : at + 8 + min(size, _LONGEST_RECIPE)]
        if kind == b"tEXt" and words.startswith(_RECIPE.encode() + b"\0"):
            return words.split(b"\0", 1)[1].decode("latin-1")
        at += 12 + size
    return ""


def jpeg_bytes(picture: Pil.Image, quality: int = 95) -> bytes:
    """JPEG data with the same note."""
    note, buffer = Pil.Exif(), io.BytesIO()
    note[ExifTags.Base.Software] = _MADE_HERE
    picture.save(buffer, format="JPEG", quality=quality, exif=note)
    return buffer.getvalue()
