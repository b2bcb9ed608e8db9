"""What a video or a grid shows: codes on their way, drawn one after another."""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import torch
from PIL import Image as Pil
from PIL import ImageDraw, ImageFont

from engines import Direction, Inversion, Latent, Progress, Result
from engines.contract import Run
from engines.core.errors import StudioError
from engines.core.images import to_picture, to_tensor
from engines.generators.base import Generator
from engines.generators.incremental import IncrementalRenderer
from engines.spaces.directions import Edit, apply_directions
from engines.spaces.paths import fade, lerp, slerp
from engines.spaces.statistics import statistics
from studio.media.video import Film

INK, PAPER = (30, 41, 59), (255, 255, 255)
Way = Callable[[float], Inversion]
"""The code at each point of a way, from 0 to 1."""


def phases(frames: int, back: bool) -> list[float]:
    """How far along its way each frame lies, 0 to 1: from end to end at an even pace, or there and back, resting a little at both ends."""
    if back:
        return [(1 - math.cos(2 * math.pi * index / frames)) / 2 for index in range(frames)]
    return [index / (frames - 1) for index in range(frames)]


def sweep(generator: Generator, code: Inversion, others: Sequence[Edit], direction: Direction, reach: float, truncation: float) -> Way:
    """From -reach to reach sigma along a direction, other edits as they are."""
    return lambda t: apply_directions(code, [*others, (direction, (2 * t - 1) * reach)], generator, truncation=truncation)


def between(generator: Generator, a: Inversion, b: Inversion, edits: Sequence[Edit], spherical: bool, truncation: float) -> Way:
    """From one code to another, both with the same edits.

    Arcs turn around zero in Z, where both codes must lie there, and around the mean of W otherwise.

    Raises:
        StudioError: A code of S, or features that cannot be blended.
    """
    if spherical and a.latent.space == b.latent.space == "z":
        start, end = a.latent.codes, b.latent.codes
        return lambda t: apply_directions(Latent("z", slerp(start, end, t)), edits, generator, truncation=truncation)
    ends = [apply_directions(code, edits, generator, truncation=truncation) for code in (a, b)]
    if any(code.latent.space not in ("w", "w_plus") for code in ends):
        raise StudioError("A face kept as styles (S) has no way in W to another one. Choose a face by seed, or another of the shelf.")
    return lambda t: blend(generator, ends[0], ends[1], t, spherical)


def blend(generator: Generator, a: Inversion, b: Inversion, t: float, spherical: bool) -> Inversion:
    """The point `t` between two codes of W or W+; weight changes and features fade from one to the other.

    Raises:
        StudioError: One has maps of styles, which fade into nothing sensible.
    """
    start, end = (generator.slots.spread(code.latent.codes) for code in (a, b))
    codes = slerp(start, end, t, centre=statistics(generator).mean) if spherical else lerp(start, end, t)
    tuning = {name: fade(a.tuning.get(name), b.tuning.get(name), t) for name in {*a.tuning, *b.tuning}}
    features = {}
    for name in sorted({*a.features, *b.features}):
        kind, _, layer = name.partition("/")
        if kind not in ("grid", "noise", "shift", "feature"):
            raise StudioError("One of these faces is drawn from a map of styles and cannot fade into another. Choose a different one.")
        rest = generator.noise()[layer] if kind == "noise" else None
        features[name] = fade(a.features.get(name, rest), b.features.get(name, rest), t)
    return Inversion(Latent("w_plus", codes), tuning, features)


def shoot(generator: Generator, way: Way, times: Sequence[float], size: int, film: Film) -> Run:
    """Draw each frame, layers that did not change left as they are, and add it to the film."""
    sketch = IncrementalRenderer(generator)
    result = Result(torch.zeros(1, 3, 1, 1))
    for step, t in enumerate(times, start=1):
        with torch.no_grad():
            image = sketch.draw(way(t), size)
        film.add(to_picture(image))
        result = Result(image)
        yield Progress(step, len(times), image, best=result)
    return result


def record(run: Run, film: Film, shown: Callable[[Pil.Image], Pil.Image]) -> Run:
    """A run whose previews bring the frames drawn since the last one: each is added to the video as it is to be shown."""
    try:
        while True:
            progress = next(run)
            for frame in progress.preview.split(1) if progress.preview is not None else ():
                film.add(shown(to_picture(frame)))
            yield progress
    except StopIteration as stop:
        return stop.value
    finally:
        run.close()


def fill(generator: Generator, codes: Iterable[Iterable[Inversion]], sheet: "Sheet") -> Run:
    """Draw the cells of a sheet row by row."""
    sketch = IncrementalRenderer(generator)
    count = sheet.count
    for step, code in enumerate(chain.from_iterable(codes), start=1):
        with torch.no_grad():
            sheet.place(*divmod(step - 1, count), to_picture(sketch.draw(code, sheet.side)))
        shown = to_tensor(sheet.picture)
        yield Progress(step, count**2, shown, best=Result(shown))
    return Result(to_tensor(sheet.picture))


class Sheet:
    """One picture of faces in rows and columns, with what moves across and down written at its edges.

    Args:
        across: What changes from left to right.
        down: What changes from top to bottom.
        columns: From left to right, strengths in sigma, or what is written instead.
        rows: The same from top to bottom.
        side: Of a tile in pixels.
    """

    def __init__(self, across: str, down: str, columns: Sequence[float | str], rows: Sequence[float | str], side: int) -> None:
        self.count = len(columns)
        self.side = side
        self._letters = max(10.0, min(20.0, side / 8))
        self._font = ImageFont.load_default(size=self._letters)
        self._line = round(self._letters * 1.4)
        self._margin = 3 * self._line
        width, height = len(columns) * side, len(rows) * side
        self.picture = Pil.new("RGB", (self._margin + width, self._margin + height), PAPER)
        self.picture.paste(self._text(across, width), (self._margin, self._line // 4))
        self.picture.paste(self._text(down, height).rotate(90, expand=True), (self._line // 4, self._margin))
        for index, x in enumerate(columns):
            self.picture.paste(self._text(_label(x), side), (self._margin + index * side, 3 * self._line // 2))
        for index, y in enumerate(rows):
            self.picture.paste(self._text(_label(y), side).rotate(90, expand=True), (3 * self._line // 2, self._margin + index * side))

    def place(self, row: int, column: int, picture: Pil.Image) -> None:
        """Put a face in its place."""
        tile = picture if picture.width == self.side else picture.resize((self.side, self.side), Pil.Resampling.LANCZOS)
        self.picture.paste(tile, (self._margin + column * self.side, self._margin + row * self.side))

    def _text(self, text: str, width: int) -> Pil.Image:
        """A line of text in the middle of a strip."""
        strip = Pil.new("RGB", (width, self._line), PAPER)
        pen = ImageDraw.Draw(strip)
        font, wide = self._font, pen.textlength(text, font=self._font)
        if wide > width:
            font = ImageFont.load_default(size=max(6.0, self._letters * width / wide))
            wide = pen.textlength(text, font=font)
        pen.text((max(0.0, (width - wide) / 2), 0), text, fill=INK, font=font)
        return strip


def _label(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:+.1f}"
