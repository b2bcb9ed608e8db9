"""What the tab's events are answered with: another pick, its picture in all stages, and the controls as they then stand."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr

from engines import Result
from engines.core.images import to_picture
from engines.generators.finegan import FineCodes
from studio.services.finegan_sampler import BACKGROUND, CHILD, MOST_SEED, PARENT, Pick, Sampler, read_codes, shifted, whole
from studio.serving.lines import asking
from studio.state.edits import History
from studio.state.lab_book import Made
from studio.state.visitor import Visitor
from studio.tabs.hierarchy.code_picker import KINDS, CodePicker, arrange, recipe, say, show, thumbnails
from studio.ui.run_events import spoken

Steps = History[Pick]


@dataclass(eq=False)
class _Left:
    """Where a visitor's picking stands: a page that is loaded again goes on from there."""

    pick: Pick | None = None
    history: Steps = field(default_factory=Steps)


class SamplerHandlers:
    """Every event takes the pick and its history first, and returns them first, then controls, then what is drawn."""

    def __init__(self, sampler: Sampler, board: CodePicker, pick: gr.State, history: gr.State) -> None:
        self.sampler, self.board = sampler, board
        self.told = [pick, history]
        self.shown = [pick, history, *board.controls, *board.drawn]

    @property
    def name(self) -> str:
        """Of the generator."""
        return self.sampler.finegan.name

    @spoken
    def open(self, pick: Pick, history: Steps, opened: bool) -> list[Any]:
        """The tab at its first look: thumbnails, then the picture."""
        if opened:
            return [gr.skip() for _ in range(1 + len(KINDS))]
        return [True, *thumbnails(self.sampler.thumbnails())]

    @spoken
    def first(self, pick: Pick, history: Steps) -> list[Any]:
        """The picture as it stands, or as it stood before the page was loaded again."""
        left = self._left()
        return self._shown(left.pick, left.history) if left.pick is not None else self.settled(pick, history, pick)

    def select(self, kind: str) -> Callable[..., list[Any]]:
        """Answers a click on a thumbnail."""

        @spoken
        def answer(pick: Pick, history: Steps, event: gr.SelectData) -> list[Any]:
            there = isinstance(event.index, int) and 0 <= event.index < self.sampler.count(kind)
            if not there or event.index == getattr(pick.codes, kind):  # also the echo of a change from here
                return self.unchanged()
            return self.settled(pick, history, self._with(pick, kind, event.index))

        return answer

    def number(self, kind: str) -> Callable[..., list[Any]]:
        """Answers a number that was typed."""

        @spoken
        def answer(pick: Pick, history: Steps, value: float | None) -> list[Any]:
            chosen = whole(value, self.sampler.count(kind), kind.capitalize())
            return self.unchanged() if chosen == getattr(pick.codes, kind) else self.settled(pick, history, self._with(pick, kind, chosen))

        return answer

    @spoken
    def tie(self, pick: Pick, history: Steps, shape: bool, place: bool) -> list[Any]:
        """Codes tied or freed."""
        return self.settled(pick, history, self.sampler.tie(pick, shape, place))

    @spoken
    def seed(self, pick: Pick, history: Steps, value: float | None) -> list[Any]:
        """Another z, by its seed."""
        seed = whole(value, MOST_SEED + 1, "Seed")
        if seed == pick.codes.seed and pick.codes.z is None:
            return self.unchanged()
        return self.settled(pick, history, replace(pick, codes=replace(pick.codes, seed=seed, z=None)))

    @spoken
    def another(self, pick: Pick, history: Steps) -> list[Any]:
        """The next seed's z."""
        seed = (pick.codes.seed + 1) % (MOST_SEED + 1)
        return self.settled(pick, history, replace(pick, codes=replace(pick.codes, seed=seed, z=None)))

    @spoken
    def slide(self, pick: Pick, *values: Any) -> list[Any]:
        """The picture under a moving slider, which is no step yet."""
        moved = replace(pick, codes=replace(pick.codes, shifts=shifted(values)))
        self._left().pick = moved
        return [moved, *show(self.name, moved, self.sampler.draw(moved.codes))]

    @spoken
    def reset(self, pick: Pick, history: Steps) -> list[Any]:
        """All components of z as the seed has them."""
        return self.settled(pick, history, replace(pick, codes=replace(pick.codes, shifts=())))

    @spoken
    def back(self, pick: Pick, history: Steps) -> list[Any]:
        """A step back."""
        return self._stepped(history.settled(pick).back(), pick)

    @spoken
    def forth(self, pick: Pick, history: Steps) -> list[Any]:
        """A step forth."""
        return self._stepped(history.settled(pick).forth(), pick)

    @spoken
    def bring(self, pick: Pick, history: Steps, data: bytes | None) -> list[Any]:
        """Codes of a file that was saved here."""
        return self.unchanged() if data is None else self.adopt(pick, history, read_codes(data))

    def adopt(self, pick: Pick, history: Steps, codes: FineCodes) -> list[Any]:
        """Codes from another cell."""
        return self.settled(pick, history, self.sampler.adopt(pick, codes))

    def settled(self, before: Pick, history: Steps, pick: Pick) -> list[Any]:
        """A new pick, as a step that can be taken back."""
        drawn = self.sampler.draw(pick.codes)
        if pick != before:
            made = Made("Codes", "FineGAN", say(pick), recipe(self.name, pick), "bird.png", follows="bird")
            self._visitor().book.note(made, to_picture(drawn.images))
        return self._shown(pick, history.settled(before).settled(pick), drawn)

    def unchanged(self) -> list[Any]:
        """Nothing new."""
        return [gr.skip() for _ in self.shown]

    def _with(self, pick: Pick, kind: str, value: int) -> Pick:
        change = {PARENT: self.sampler.parent, CHILD: self.sampler.child, BACKGROUND: self.sampler.background}
        return change[kind](pick, value)

    def _stepped(self, history: Steps, pick: Pick) -> list[Any]:
        now = history.past[-1]
        if now == pick:
            return self.unchanged()
        return self._shown(now, history)

    def _shown(self, pick: Pick, history: Steps, drawn: Result | None = None) -> list[Any]:
        """A pick as it stands from now on: its controls, and its picture unless that is drawn already."""
        left = self._left()
        left.pick, left.history = pick, history
        return [pick, history, *arrange(self.board, pick), *show(self.name, pick, drawn or self.sampler.draw(pick.codes))]

    def _left(self) -> _Left:
        return self._visitor().own(self, _Left)

    def _visitor(self) -> Visitor:
        return self.sampler.session.visitors.visitor(asking())
