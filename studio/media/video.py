"""Moving pictures: frames become an MP4 that every browser plays, or a GIF that every chat takes; all in memory."""

import io
from collections.abc import Iterable
from fractions import Fraction
from threading import Lock

import av
import numpy as np
from PIL import Image as Pil

from engines.core.errors import StudioError

_NOTE = "Latent Studio: these pictures were made or changed by a generative model"
_OPTIONS = {"crf": "18", "preset": "veryfast", "tune": "animation"}
_PALETTE_SIDE = 128


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
    """

    def __init__(self, fps: float, side: int = 0) -> None:
        self.fps = fps
        self.side = side
        self.count = 0
        self._small: list[Pil.Image] = []
        self._buffer = io.BytesIO()
        self._container = av.open(self._buffer, "w", format="mp4")
        self._container.metadata["comment"] = _NOTE
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
