"""What the cell that moves is answered with: videos and grids, drawn frame by frame, and what Stop leaves of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from PIL import Image as Pil

from engines import Direction, Inversion
from engines.contract import Run
from engines.core.errors import StudioError
from engines.core.images import png_bytes, to_picture
from engines.spaces.directions import Edit, apply_directions
from studio.media.animation import Sheet, Way, between, fill, phases, shoot, sweep
from studio.media.video import Film
from studio.services.edit_recipe import EditRecipe
from studio.state.edits import MOST, Edits, Face, Turn
from studio.state.edits import reach as reach_of
from studio.state.moments import STOPPED, Moment, moments
from studio.state.visitor import Visitor
from studio.tabs.edit.context import EditContext
from studio.ui.afresh import afresh
from studio.ui.cell import Runner
from studio.ui.run_control import Going, Stopper, Updates, own_slots
from studio.ui.run_events import offer, spoken

SWEEP, MORPH = "Sweep a direction", "From this face to another"
STRAIGHT, ARC = "Straight line in W", "Arc (in Z between seeds, in W otherwise)"
GIF_SIDE = 320
MOST_FRAMES = 240
_LARGEST_TILE, _PREVIEW = 256, 384


@dataclass(frozen=True, eq=False)
class FilmParts:
    """The video's controls, in the order that `record` takes them, and what it fills."""

    inputs: list[Any]
    buttons: Runner
    preview: gr.Image
    video: gr.Video
    mp4: gr.DownloadButton
    gif: gr.DownloadButton

    @property
    def results(self) -> list[Any]:
        return [self.preview, self.video, self.mp4, self.gif]


@dataclass(frozen=True, eq=False)
class GridParts:
    """The grid's controls, in the order that `lay` takes them, and what it fills."""

    inputs: list[Any]
    buttons: Runner
    picture: gr.Image
    png: gr.DownloadButton


class AnimationHandlers:
    """What the cell's events are answered with."""

    def __init__(self, context: EditContext, film: FilmParts, grid: GridParts) -> None:
        self.context = context
        self.film = film
        self.grid = grid
        visitors, lines = context.session.visitors, context.session.lines
        self.filming, self.laying = (Stopper(each.buttons, own_slots(visitors), lines) for each in (film, grid))

    @spoken
    def record(self, request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Draw the frames, then offer the video."""
        yield from self.filming.going(request, afresh(self.film.results, self._filmed(request, *values)))

    def _filmed(
        self,
        request: gr.Request,
        face: Face,
        edits: Edits,
        what: str,
        key: str | None,
        reach: float,
        kind: str,
        seed: float | None,
        item: str | None,
        way: str,
        back: bool,
        frames: float | None,
        size: str,
        fps: float | None,
    ) -> Going:
        visitor, status = self.context.visitor(request), self.film.buttons.status
        times = phases(_whole(frames, 2, MOST_FRAMES, "Frames"), back)
        speed, side = _whole(fps, 1, 60, "Frames a second"), _one_of(size, sizes(self.context))
        end = edits
        if what == SWEEP:
            road, end = self.swept(visitor, face, edits, key, _reach(reach)), self._at_end(visitor, edits, key, reach)
        else:
            other = Face(kind, seed, face.truncation, item)
            road = self.crossed(visitor, face, other, edits, way == ARC)
        film = Film(speed, GIF_SIDE, EditRecipe(face, end, self.context.session.generator.name).text)
        yield {self.film.preview: gr.Image(visible=True), status: "Starting …"}
        run = shoot(self.context.session.generator, road, times, side, film)
        for moment in self._moments(run, self.filming, request):
            yield self._live(moment, self.film.preview, self.film.buttons, "Frame")
        if not film.count:
            return {status: STOPPED, self.film.preview: gr.Image(visible=False)}
        words = f"Stopped; the video has {film.count} frames." if moment.stopped else f"{film.count} frames in {moment.seconds:.1f} s."
        return self._shown(film, words)

    @spoken
    def lay(self, request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Draw the grid face by face."""
        yield from self.laying.going(request, afresh([self.grid.picture, self.grid.png], self._grid(request, *values)))

    def _grid(
        self,
        request: gr.Request,
        face: Face,
        edits: Edits,
        across: str | None,
        down: str | None,
        reach: float,
        count: str,
        size: str,
    ) -> Going:
        visitor, generator = self.context.visitor(request), self.context.session.generator
        if not across or not down or across == down:
            raise StudioError("Choose two different directions, one across and one down.")
        many, far = _one_of(count, [3, 5, 7]), _reach(reach)
        steps = [far * (2 * index / (many - 1) - 1) for index in range(many)]
        code, others = self._start(visitor, face, edits, {across, down})
        right, below = (self._direction(visitor, edits, key) for key in (across, down))
        columns, rows = ([step * reach_of(one).times for step in steps] for one in (right, below))
        side, title = _one_of(size, tile_sizes(self.context)), self.context.title
        sheet = Sheet(title(across, visitor), title(down, visitor), columns, rows, side)
        yield {self.grid.picture: gr.Image(sheet.picture, visible=True), self.grid.buttons.status: "Starting …"}
        codes = (
            (apply_directions(code, [*others, (below, y), (right, x)], generator, truncation=face.truncation) for x in columns)
            for y in rows
        )
        for moment in self._moments(fill(generator, codes, sheet), self.laying, request):
            yield self._live(moment, self.grid.picture, self.grid.buttons, "Face")
        return self._laid(sheet, STOPPED if moment.stopped else f"{many * many} faces in {moment.seconds:.1f} s.")

    def _moments(self, run: Run, runs: Stopper, request: gr.Request) -> Iterator[Moment]:
        """A run's moments, until its end or Stop; what is drawn is kept in the video or the sheet."""
        return moments(run, self.context.session.settings.run_seconds, runs.slot(request).is_stopping)

    def swept(self, visitor: Visitor, face: Face, edits: Edits, key: str | None, reach: float) -> Way:
        """From end to end of a direction, the other sliders as they are.

        Raises:
            StudioError: No direction is chosen, or one of Z for a face of the shelf.
        """
        if not key:
            raise StudioError("Choose the direction that should move.")
        code, others = self._start(visitor, face, edits, {key})
        direction = self._direction(visitor, edits, key)
        return sweep(self.context.session.generator, code, others, direction, reach * reach_of(direction).times, face.truncation)

    def _at_end(self, visitor: Visitor, edits: Edits, key: str | None, reach: float) -> Edits:
        """The sliders of a sweep's last frame, which its recipe tells."""
        own = next((turn for turn in edits.turns if turn.key == key), Turn(str(key)))
        far = round(reach * reach_of(self._direction(visitor, edits, own.key)).times, 2)
        whole = edits.with_turn(replace(own, strength=far))
        return whole if len(whole.turns) <= MOST else edits

    def crossed(self, visitor: Visitor, face: Face, other: Face, edits: Edits, spherical: bool) -> Way:
        """From the face to another one, the sliders the same for both.

        Raises:
            StudioError: There is no such other face.
        """
        code, pairs = self._start(visitor, face, edits, set())
        end = self.context.editor.code(visitor, other)
        return between(self.context.session.generator, code, end, pairs, spherical, face.truncation)

    def _start(self, visitor: Visitor, face: Face, edits: Edits, without: set[str]) -> tuple[Inversion, list[Edit]]:
        """The code before all edits, and the edits of the other sliders."""
        editor = self.context.editor
        pairs = [(editor.direction(visitor, turn, edits.keep), turn.strength) for turn in edits.moving if turn.key not in without]
        return editor.code(visitor, face), pairs

    def _direction(self, visitor: Visitor, edits: Edits, key: str) -> Direction:
        """A direction as its slider has it, or as it was found."""
        turn = next((turn for turn in edits.turns if turn.key == key), Turn(key))
        return self.context.editor.direction(visitor, turn, edits.keep)

    def _live(self, moment: Moment, picture: gr.Image, buttons: Runner, unit: str) -> Updates:
        progress = moment.progress
        changes: Updates = {buttons.status: f"{unit} {progress.step} of {progress.total} · {moment.seconds:.1f} s"}
        if progress.preview is not None:
            shown = to_picture(progress.preview)
            changes[picture] = shown if shown.width <= _PREVIEW else shown.resize((_PREVIEW, _PREVIEW), Pil.Resampling.BILINEAR)
        return changes

    def _shown(self, film: Film, words: str) -> Updates:
        """The finished video, played and offered."""
        path = offer("latent-studio.mp4", film.mp4())
        seconds = film.count / film.fps
        return {
            self.film.buttons.status: f"{words} It plays {seconds:.1f} s.",
            self.film.preview: gr.Image(visible=False),
            self.film.video: gr.Video(path, visible=True),
            self.film.mp4: gr.DownloadButton(value=path, interactive=True),
            self.film.gif: gr.DownloadButton(value=offer("latent-studio.gif", film.gif()), interactive=True),
        }

    def _laid(self, sheet: Sheet, words: str) -> Updates:
        return {
            self.grid.buttons.status: words,
            self.grid.picture: sheet.picture,
            self.grid.png: gr.DownloadButton(value=offer("grid.png", png_bytes(sheet.picture)), interactive=True),
        }


def sizes(context: EditContext) -> list[int]:
    """Sizes of a video: from 256 px up, or all that a small generator has."""
    exits = context.session.generator.exits
    return [size for size in exits if size >= 256] or list(exits)


def tile_sizes(context: EditContext) -> list[int]:
    """Sizes of a grid's tiles."""
    exits = context.session.generator.exits
    return [size for size in exits if 128 <= size <= _LARGEST_TILE] or [exits[-1]]


def _whole(value: float | None, low: int, high: int, name: str) -> int:
    if value is None or not low <= value <= high:
        raise StudioError(f"{name}: a whole number from {low} to {high} is wanted.")
    return int(value)


def _one_of(text: str, offered: list[int]) -> int:
    if not str(text).isdigit() or int(text) not in offered:
        raise StudioError(f"Choose one of {', '.join(map(str, offered))}.")
    return int(text)


def _reach(value: float) -> float:
    if not 0 < value <= 5:
        raise StudioError("The reach is a number above 0, and at most 5 sigma.")
    return float(value)
