"""The explorer's cell of learnt changes: paths of single factors beside the space of changes that was learnt, linked frame by frame."""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from math import isnan
from pathlib import Path
from threading import Lock
from typing import Any

import gradio as gr
import torch

from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.data.changes import FRAMES, NEUTRAL, DeltaSpace, delta_space
from engines.edit.delta import Delta
from engines.explore.change_maps import ChangeMap, Frame, bends, delta_map, difference_map
from studio.media.export import data_url
from studio.services.direction_library import CHANGE, METHODS, Library
from studio.ui.cell import cell, lesson
from studio.ui.lanes import BACKGROUND, LANE, PRIVATE
from studio.ui.run_events import spoken

_SCRIPT = Path(__file__).with_name("changes.js")
_WIDTH, _HEIGHT, _MARGIN, _PEEK = 460, 420, 26, 96
_ALL, _DRAW = "all factors", "Draw the frames"
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a8a00", "#7a7a7a")
_PROSE = (
    "In each sequence one factor of a face changes. On the left its path in W+, dashed the straight chord between its ends; on the right "
    "the same frames as Delta-GAN-Encoder encodes their change. Draw the frames, then rest on a point to see its frame in both."
)


def change_cell(library: Library) -> Callable[[Any], None]:
    """The cell, nothing where no changes were learnt; what it returns fills it after an event."""
    generator = library.session.generator
    if not Delta.card.needs <= generator.capabilities:
        return lambda event: None
    plots = ChangePlots(library)
    with cell("Learnt changes: paths and Delta-space", _PROSE, folded=True):
        factor = gr.Radio(plots.choices, value=_ALL, label="Factor", elem_id="changes-factor")
        draw_frames = gr.Button(_DRAW, size="sm", elem_id="changes-frames")
        picture = gr.HTML("", js_on_load=_SCRIPT.read_text(encoding="utf-8"), elem_id="changes-map")
        lesson("delta")

    @spoken
    def draw(name: str) -> str:
        """Both maps of one factor, or of all."""
        return plots.drawn(name)

    @spoken
    def draw_all(name: str) -> Iterator[list[Any]]:
        """The same with a picture of every frame, factor by factor."""
        plots.drawn(name)
        for words in plots.drawing(name):
            yield [gr.skip(), gr.Button(words, interactive=False)]
        yield [plots.drawn(name), gr.Button(_DRAW, interactive=True)]

    factor.input(draw, factor, picture, **LANE)
    draw_frames.click(draw_all, factor, [picture, draw_frames], **LANE)
    return lambda event: event.then(draw, factor, picture, **BACKGROUND, **PRIVATE)


class ChangePlots:
    """Both maps as drawings, with a small picture of every frame; shared by all visitors.

    Args:
        library: What calls the factors by names, and whose generator draws.
    """

    def __init__(self, library: Library) -> None:
        self.library, self.generator = library, library.session.generator
        self._lock, self._pictures = Lock(), dict[Frame, str]()

    @property
    def space(self) -> DeltaSpace:
        """The changes that were learnt for the generator."""
        return delta_space(self.generator)

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What can be shown: all factors, or one by itself."""
        return [("All", _ALL), *((self.title(factor), factor) for factor in self.library.factors)]

    def title(self, factor: str) -> str:
        """What the page calls a factor."""
        return self.library.titles.get(factor, factor.replace("_", " ").capitalize())

    def drawn(self, name: str) -> str:
        """The two maps and what they say.

        Raises:
            StudioError: There is no such factor.
        """
        factors = self._factors(name)
        plain, learnt = difference_map(self.space, factors), delta_map(self.space, factors)
        maps = self._panel(plain, "Differences in W+", paths=True) + self._panel(learnt, "Learnt Δ")
        return f'<figure class="changes">{maps}<figcaption>{self._words(plain, learnt, factors)}</figcaption></figure>'

    def _factors(self, name: str) -> list[str]:
        if name not in (_ALL, *self.library.factors):
            raise StudioError(f"No changes of {name!r} were learnt. Choose one of {', '.join(self.library.factors)}.")
        return self.library.factors if name == _ALL else [name]

    def _words(self, plain: ChangeMap, learnt: ChangeMap, factors: Sequence[str]) -> str:
        shown = "".join(
            f"<li><i style='background:{self._colour(factor)}'></i>{escape(self.title(factor))}: {bends(self.space, factor):.2f}</li>"
            for factor in factors
        )
        shares = f"in {plain.told:.0%} by differences, in {learnt.told:.0%} by Δ"
        told = "" if isnan(learnt.told) else f" The other faces tell the factor of a frame {shares}."
        slider = f"Every factor has a slider: Edit directions, cards of {METHODS[CHANGE]}."
        return f"<ul>{shown}</ul><p>Numbers: arc over chord; at 1.00 the path is straight.{told} {slider}</p>"

    def _panel(self, found: ChangeMap, title: str, *, paths: bool = False) -> str:
        size = found.places.abs().amax(dim=0).clamp_min(1e-9)
        room = torch.tensor([_WIDTH / 2 - _MARGIN, _HEIGHT / 2 - _MARGIN])
        at = dict(zip(found.frames, (found.places / size * room * torch.tensor([1.0, -1.0])).tolist(), strict=True))
        sequences = dict.fromkeys((frame.factor, frame.place) for frame in at)
        lines = "".join(self._path(at, *sequence) for sequence in sequences) if paths else ""
        marks = "".join(self._mark(frame, x, y, paths) for frame, (x, y) in at.items())
        across, up = (f"{float(value):.0%}" for value in (*found.explained, 0.0)[:2])
        view = f"{-_WIDTH / 2} {-_HEIGHT / 2} {_WIDTH} {_HEIGHT}"
        words = f"{title}: {across} of the squared lengths across, {up} upwards"
        peek = f'<image class="frame" width="{_PEEK}" height="{_PEEK}" visibility="hidden"/>'
        return f'<div><b>{words}</b><svg viewBox="{view}" role="img" aria-label="{words}">{lines}{marks}{peek}</svg></div>'

    def _path(self, at: dict[Frame, list[float]], factor: str, place: int) -> str:
        points = [where for frame, where in at.items() if (frame.factor, frame.place) == (factor, place)]
        whole = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        ends = " ".join(f"{x:.1f},{y:.1f}" for x, y in (points[0], points[-1]))
        colour = self._colour(factor)
        return f'<polyline class="chord" points="{ends}" stroke="{colour}"/><polyline points="{whole}" stroke="{colour}"/>'

    def _mark(self, frame: Frame, x: float, y: float, pictured: bool) -> str:
        name = f"{frame.factor}-{frame.place}-{frame.number}"
        step = frame.number - NEUTRAL
        face = f"face {frame.place + 1}"
        words = f"{self.title(frame.factor)} {step:+d} of {FRAMES - 1 - NEUTRAL}, {face}" if step else f"{face.capitalize()} as it was"
        kept = f' data-picture="{self._pictures[frame]}"' if pictured and frame in self._pictures else ""
        radius = 3 + 0.7 * abs(step)
        return (
            f'<circle data-mark="{name}"{kept} cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{self._colour(frame.factor)}">'
            f"<title>{escape(words)}</title></circle>"
        )

    def _colour(self, factor: str) -> str:
        return _COLOURS[self.library.factors.index(factor) % len(_COLOURS)]

    def drawing(self, name: str) -> Iterator[str]:
        """Draw a small picture of every frame of a factor, or of all, once for all visitors; says before each factor how far it is."""
        factors = self._factors(name)
        for number, factor in enumerate(factors, start=1):
            yield f"Drawing the frames of {self.title(factor).lower()}, {number} of {len(factors)} …"
            with self._lock:
                if not any(frame.factor == factor for frame in self._pictures):
                    self._pictures |= self._drawn_frames(factor)

    @torch.no_grad()
    def _drawn_frames(self, factor: str) -> dict[Frame, str]:
        found = dict[Frame, str]()
        for place in range(len(self.space.identities)):
            numbers, codes = self.space.frames(self.generator, factor, place)
            for number, code in zip(numbers, codes, strict=True):
                drawn = self.generator.synthesize(code[None], size=self.generator.exits[0])
                found[Frame(factor, place, number)] = data_url(to_picture(drawn), _PEEK)
        return found
