"""What the tab's events are answered with: another pick, its picture in all stages, and the controls as they then stand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from engines.generators.finegan import FineCodes
from studio.edits import History
from studio.events import spoken
from studio.pages.hierarchy.board import KINDS, Board, arrange, show, thumbnails
from studio.staged import BACKGROUND, CHILD, MOST_SEED, PARENT, Pick, Sampler, read_codes, shifted, whole

Steps = History[Pick]


class Answers:
    """Every event takes the pick and its history first, and returns them first, then controls, then what is drawn."""

    def __init__(self, sampler: Sampler, board: Board, pick: gr.State, history: gr.State) -> None:
        self.sampler, self.board = sampler, board
        self.told = [pick, history]
        self.shown = [pick, history, *board.controls, *board.drawn]

    @spoken
    def open(self, pick: Pick, history: Steps, opened: bool) -> list[Any]:
        """The tab at its first look: thumbnails, then the picture."""
        if opened:
            return [gr.skip() for _ in range(1 + len(KINDS))]
        return [True, *thumbnails(self.sampler.thumbnails())]

    @spoken
    def first(self, pick: Pick, history: Steps) -> list[Any]:
        """The picture as it stands."""
        return self.settled(pick, history, pick)

    def select(self, kind: str) -> Callable[..., list[Any]]:
        """Answers a click on a thumbnail."""

        @spoken
        def answer(pick: Pick, history: Steps, event: gr.SelectData) -> list[Any]:
            if not isinstance(event.index, int) or event.index == getattr(pick.codes, kind):  # also the echo of a change from here
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
        return [moved, *show(moved, self.sampler.draw(moved.codes))]

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
        return [pick, history.settled(before).settled(pick), *arrange(self.board, pick), *show(pick, drawn)]

    def unchanged(self) -> list[Any]:
        """Nothing new."""
        return [gr.skip() for _ in self.shown]

    def _with(self, pick: Pick, kind: str, value: int) -> Pick:
        change = {PARENT: self.sampler.parent, CHILD: self.sampler.child, BACKGROUND: self.sampler.background}
        return change[kind](pick, value)

    def _stepped(self, history: Steps, pick: Pick) -> list[Any]:
        now = history.past[-1]
        return [now, history, *arrange(self.board, now), *show(now, self.sampler.draw(now.codes))] if now != pick else self.unchanged()
