"""Moving pictures: frames become an MP4 that every browser plays, or a GIF that every chat takes; all in memory."""

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from threading import Lock

import av
import numpy as np
from PIL import Image as Pil

from engines.core.errors import StudioError

_NOTE = "Latent Studio: these pictures were made or changed by a generative model"
_OPTIONS = {"crf": "18", "preset": "veryfast", "tune": "animation"}
_PALETTE_SIDE = 128
_LONGEST_RECIPE, _MOST_BOXES = 250_000, 1000
_SKIPPED = {b"meta": 4, b"data": 8}
"""Bytes before the inner boxes or the text: version and flags; type and language."""


def mp4(frames: Iterable[Pil.Image], fps: float) -> bytes:
    """H.264 in an MP4 file.

    Args:
        frames: At least one picture; all take the first one's size, an odd side losing a pixel.
        fps: Frames a second.

    Raises:
        StudioError: There are no frames.
    """
    film = Film(fps)
    for frame in frames:
        film.add(frame)
    return film.mp4()


def mp4_recipe(data: bytes) -> str:
    """What a film was given as its recipe; empty where there is none. Boxes of the file are walked, no frame is decoded.

    Raises:
        StudioError: It is no MP4.
    """
    if data[4:8] != b"ftyp":
        raise StudioError("This is no MP4. A video that was saved here as an MP4 carries its recipe.")
    inner = memoryview(data)
    for name in (b"moov", b"udta", b"meta", b"ilst", b"desc", b"data"):
        found = next((body for kind, body in _boxes(inner) if kind == name), None)
        if found is None:
            return ""
        inner = found[_SKIPPED.get(name, 0) :]
    return bytes(inner[:_LONGEST_RECIPE]).decode("utf-8", "replace")


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and body of each box (ISO/IEC 14496-12, section 4.2) that lies within the data."""
    at, count = 0, 0
    while at + 8 <= len(data) and count < _MOST_BOXES:
        size, head = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        end = len(data) if size == 0 else at + size
        if end < at + head:
            return
        yield bytes(data[at + 4 : at + 8]), data[at + head : end]
        at, count = end, count + 1


def gif(frames: Iterable[Pil.Image], fps: float, side: int) -> bytes:
    """A GIF that loops for ever, each frame within `side` pixels.

    Raises:
        StudioError: There are no frames.
    """
    small = [_within(frame, side) for frame in frames]
    if not small:
        raise StudioError("There are no frames to save yet. Press Run first.")
    palette = _palette(small)
    drawn = [frame.quantize(palette=palette, dither=Pil.Dither.FLOYDSTEINBERG) for frame in small]
    buffer = io.BytesIO()
    # GIF counts in hundredths of a second, and browsers slow down what is faster than two of them
    pause = max(20, 10 * round(100 / fps))
    drawn[0].save(
        buffer, format="GIF", save_all=True, append_images=drawn[1:], duration=pause, loop=0, comment=_NOTE.encode(), optimize=False
    )
    return buffer.getvalue()


class Film:
    """A video being recorded: each frame is encoded as it comes, so that a long one needs no memory and can end at any time.

    Args:
        fps: Frames a second.
        side: Longest side of the small copies kept for a GIF; 0 keeps none.
        recipe: What it can be made again from; `mp4_recipe` reads it back.
    """

    def __init__(self, fps: float, side: int = 0, recipe: str = "") -> None:
        self.fps = fps
        self.side = side
        self.count = 0
        self._small: list[Pil.Image] = []
        self._buffer = io.BytesIO()
        self._container = av.open(self._buffer, "w", format="mp4")
        self._container.metadata["comment"] = _NOTE
        if recipe:
            self._container.metadata["description"] = recipe
        self._stream: av.VideoStream | None = None
        self._data: bytes | None = None
        self._lock = Lock()

    def add(self, frame: Pil.Image) -> None:
        """Append a picture; after the end it is dropped."""
        with self._lock:
            if self._data is not None:
                return
            stream = self._stream or self._begin(frame.size)
            size = (stream.width, stream.height)
            picture = frame.convert("RGB") if frame.size == size else frame.convert("RGB").resize(size, Pil.Resampling.LANCZOS)
            self._container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
            if self.side:
                self._small.append(_within(picture, self.side))
            self.count += 1

    def mp4(self) -> bytes:
        """The video so far as a file; nothing can be added afterwards.

        Raises:
            StudioError: There are no frames.
        """
        with self._lock:
            if self._data is None:
                if self._stream is None:
                    raise StudioError("There are no frames to save yet. Press Run first.")
                self._container.mux(self._stream.encode(None))
                self._container.close()
                self._data = self._buffer.getvalue()
                self._buffer = io.BytesIO()
            return self._data

    def gif(self) -> bytes:
        """The small copies as a GIF.

        Raises:
            StudioError: There are no frames.
        """
        return gif(self._small, self.fps, self.side)

    def _begin(self, size: tuple[int, int]) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=Fraction(self.fps).limit_denominator(1000), options=_OPTIONS)
        stream.width, stream.height = (side - side % 2 for side in size)
        stream.pix_fmt = "yuv420p"
        self._stream = stream
        return stream


def _within(picture: Pil.Image, side: int) -> Pil.Image:
    small = picture.convert("RGB")
    small.thumbnail((side, side), Pil.Resampling.LANCZOS)
    return small


def _palette(frames: list[Pil.Image]) -> Pil.Image:
    """One palette for all frames, out of a contact sheet of some of them: a palette a frame would flicker."""
    shown = frames[:: max(1, len(frames) // 8)][:8]
    sheet = Pil.new("RGB", (_PALETTE_SIDE * len(shown), _PALETTE_SIDE))
    for index, frame in enumerate(shown):
        sheet.paste(frame.resize((_PALETTE_SIDE, _PALETTE_SIDE)), (_PALETTE_SIDE * index, 0))
    return sheet.quantize(256)
