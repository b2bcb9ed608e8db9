"""A saved picture or video, or the page's address, taken up again: whose recipe it is decides which tab goes on with it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engines.core.errors import StudioError
from engines.core.images import png_recipe
from studio.media.video import mp4_recipe
from studio.services.recipe_text import brief, from_query, kind_of
from studio.serving.lines import FILES
from studio.state.visitor import Visitor
from studio.state.visitors import Visitors
from studio.ui.inputs import content
from studio.ui.lanes import AT_ONCE, IN_TURN, PRIVATE
from studio.ui.run_events import spoken
from studio.ui.ways import Ways

_RECIPE = """() => {
  const told = new URLSearchParams(location.search).get('recipe') ?? '';
  try {
    if (sessionStorage.getItem('latent-studio-recipe') === told) return '';
    sessionStorage.setItem('latent-studio-recipe', told);
  } catch { /* no memory: taken up at every opening */ }
  return told;
}"""
"""Once for a tab of the browser: after a reload, what was done since counts."""

NO_RECIPE = (
    "This file carries no recipe. Edits, mixtures and inversions that are downloaded here as PNG do, and videos of the tab Edit directions "
    "as MP4; a photo is for the cell Photo."
)


@dataclass(frozen=True, eq=False)
class _Taker:
    """What a tab does with recipes of one kind."""

    tab: str
    read: Callable[[str, Visitor], Any]
    take_up: Callable[[Any, gr.State], Any]


class Repeats:
    """All that is taken up on a page: told by its tabs while they are built, in whatever order, and laid when all stand.

    Args:
        visitors: Who brings something.
    """

    def __init__(self, visitors: Visitors) -> None:
        self._visitors = visitors
        self._takers: dict[str, _Taker] = {}
        self._buttons: list[gr.UploadButton] = []

    def taken_by(self, tab: str, kind: str, read: Callable[[str, Visitor], Any], take_up: Callable[[Any, gr.State], Any]) -> None:
        """A tab says how it takes up recipes of a kind.

        Args:
            tab: Its name.
            kind: As `studio.services.recipe_text.kind_of` tells it.
            read: Checks the JSON, from a stranger, and leaves with the visitor what the page is then to show.
            take_up: Given an event and a state, shows that once the event succeeded; the state holds when it came, and the JSON.
        """
        self._takers[kind] = _Taker(tab, read, take_up)

    def brought_by(self, button: gr.UploadButton) -> None:
        """A tab says by which button a picture of any kind is brought."""
        self._buttons.append(button)

    def lay(self, arrived: Any, ways: Ways) -> None:
        """Make the events.

        Args:
            arrived: The event of a page that opens, after which its address is looked at.
            ways: Where the ways to the tabs are planned.
        """
        # One for each kind, outside all tabs: the browser takes a skipped state in a tab that was never opened for a changed one.
        states, value = [gr.State(None) for _ in self._takers], gr.Textbox(visible=False, label="Recipe")
        arrived.success(self.link, value, states, js=_RECIPE, **IN_TURN)
        for button in self._buttons:  # one file at a time, since each may be large
            button.upload(self.picture, button, states, concurrency_id=FILES, **PRIVATE)
        for state, taker in zip(states, self._takers.values(), strict=True):
            came = state.change(lambda: None, None, None, **AT_ONCE)
            ways.lead(came, taker.tab)
            taker.take_up(came, state)

    @spoken
    def picture(self, path: str | None, request: gr.Request) -> list[Any]:
        """Take up what a picture or video that was saved here tells."""
        if path is None:
            raise StudioError("Choose a picture first.")
        data = content(path)[0]
        told = mp4_recipe(data) if data[4:8] == b"ftyp" else png_recipe(data)
        if not told:
            raise StudioError(NO_RECIPE)
        return self._taken_up(told, request)

    @spoken
    def link(self, value: str, request: gr.Request) -> list[Any]:
        """Take up what the page's address tells; nothing where it tells nothing."""
        return self._taken_up(from_query(value), request) if value else [gr.skip() for _ in self._takers]

    def _taken_up(self, text: str, request: gr.Request) -> list[Any]:
        """What was told and when, for the kind that it is of: equal words count again."""
        kind = kind_of(text)
        if kind not in self._takers:
            raise StudioError(f"The recipe's kind is {brief(kind)}; this page knows: {', '.join(self._takers)}.")
        self._takers[kind].read(text, self._visitors.visitor(request))
        return [(time.monotonic_ns(), text) if each == kind else gr.skip() for each in self._takers]
