"""The cell of direction cards: each direction as a strip of three small pictures of the face at hand; a click gives it a slider."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from engines.core.errors import StudioError
from engines.core.memory import give_back
from engines.edit.locality import LOCAL
from studio.cell import lesson
from studio.editor import Editor
from studio.edits import MOST, Edits, Face, Turn
from studio.events import QUICK, spoken
from studio.library import LAYERS, METHODS, MINE, REGION
from studio.pages.edit.context import BACKGROUND, IN_TURN, PRIVATE
from studio.shelf import Desk

FIRST = 12
"""Cards shown at first, and added by each "More"."""

_BETWEEN_UPDATES, _QUIET, _PATIENCE = 0.5, 0.5, 3.0
_TITLES = {
    "interfacegan": "InterFaceGAN in W",
    "ganspace": "GANSpace",
    "sefa": "SeFa",
    "stylespace": "StyleSpace",
    REGION: "StyleSpace by region",
    MINE: "Mine",
}


@dataclass(frozen=True, eq=False)
class Cards:
    """The cell's components."""

    method: gr.Radio
    part: gr.Radio
    gallery: gr.Gallery
    status: gr.Markdown
    more: gr.Button
    keys: gr.State
    shown: gr.State

    @property
    def inputs(self) -> list[Any]:
        return [self.method, self.part, self.shown]

    @property
    def outputs(self) -> list[Any]:
        return [self.gallery, self.keys, self.status, self.more]


def choose_cell(editor: Editor) -> Cards:
    """Build the components."""
    offered = [(_TITLES.get(name, title), name) for name, title in METHODS.items() if name != REGION or editor.library.local]
    with gr.Row():
        method = gr.Radio(offered, value=offered[0][1], label="Method", elem_id="edit-method")
        part = gr.Radio([], label="Layers", visible=False, elem_id="edit-part")
    status = gr.Markdown("", elem_id="edit-cards-status", elem_classes="status")
    gallery = gr.Gallery(
        columns=4,
        height="auto",
        allow_preview=False,
        show_label=False,
        elem_id="edit-cards",
        interactive=False,
        buttons=[],
        format="jpeg",
        object_fit="contain",
    )
    more = gr.Button("More directions of this method", size="sm", visible=False, elem_id="edit-more")
    lesson("interfacegan", "ganspace", "sefa", "stylespace")
    return Cards(method, part, gallery, status, more, gr.State(()), gr.State(FIRST))


class Dealer:
    """Answers the cell's events."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor

    def parts(self, method: str) -> list[Any]:
        """The second menu that some methods have, and the number of cards back at the start."""
        if method == "sefa":
            return [gr.Radio(list(LAYERS), value=LAYERS[0], label="Layers", visible=True), FIRST]
        if method == "stylespace":
            titles = self.editor.library.titles
            choices = [(title, name) for name, title in titles.items()]
            return [gr.Radio(choices, value="smile" if "smile" in titles else choices[0][1], label="Attribute", visible=True), FIRST]
        if method == REGION:
            regions = [(region.capitalize(), region) for region in self.editor.library.local]
            return [gr.Radio(regions, value="mouth", label="Region", visible=True), FIRST]
        return [gr.Radio(visible=False), FIRST]

    @spoken
    def deal(self, face: Face, method: str, part: str | None, shown: int, request: gr.Request) -> Iterator[list[Any]]:
        """Cards one after another, in the background: a hand on a slider goes first, and a newer deal ends an older one."""
        desk = self.editor.session.visitors.desk(request.session_hash)
        newest = self.editor.deal(desk)
        quiet = gr.skip()
        yield [gr.skip(), gr.skip(), "Finding the directions …", quiet]
        shelf = f"{method}/{part}" if method in ("sefa", "stylespace", REGION) else method
        try:
            every = self.editor.library.keys(shelf, desk)
            keys = every[:shown]
            cards: list[Any] = []
            updated = 0.0
            for number, key in enumerate(keys, start=1):
                _give_way(desk)
                if not newest():
                    return
                cards.append((self.editor.card(desk, face, key), self._caption(desk, face, key)))
                if time.monotonic() - updated > _BETWEEN_UPDATES and number < len(keys):
                    updated = time.monotonic()
                    yield [gr.Gallery(cards, selected_index=None), keys[:number], f"Drawing card {number} of {len(keys)} …", quiet]
        except StudioError as error:
            yield [gr.Gallery([], selected_index=None), (), f"⚠️ {error}", gr.Button(visible=False)]
            return
        give_back()
        far = sorted({self.editor.library.reach(key, desk).card for key in keys})
        ends = " or ".join(f"-{each:g}, 0 and +{each:g}" for each in far)
        words = f"Each card: the face at {ends} sigma, and where it stands now. Click one to get its slider."
        if method == REGION and self.editor.library.local.get(part or "", 0) > LOCAL:
            words += f" No single channel of the {part} keeps all but a tenth of its change inside it; these come closest."
        if not keys:
            words = "Nothing of your own yet: the workshop below makes, fits and imports directions."
        yield [gr.Gallery(cards, selected_index=None), keys, words, gr.Button(visible=len(every) > shown)]

    def _caption(self, desk: Desk, face: Face, key: str) -> str:
        """The direction's name, and the signed distance of the face at hand."""
        title, score = self.editor.library.title(key, desk).rpartition(" · ")[0], self.editor.score(desk, face, Edits(), key)
        return title if score is None else f"{title} ({score:+.1f} sigma)"

    @spoken
    def take(self, edits: Edits, keys: tuple[str, ...], event: gr.SelectData) -> list[Any]:
        """A slider for the card that was clicked."""
        if not isinstance(event.index, int) or not 0 <= event.index < len(keys):
            return [edits, gr.skip()]
        return [taken(edits, keys[event.index]), gr.Gallery(selected_index=None)]


def taken(edits: Edits, key: str) -> Edits:
    """The edits with a slider for a direction.

    Raises:
        StudioError: All sliders are in use.
    """
    if key in edits.keys:
        gr.Info("That direction has a slider already.")
        return edits
    if len(edits.turns) == MOST:
        raise StudioError(f"All {MOST} sliders are in use. Remove one first.")
    return replace(edits, turns=(*edits.turns, Turn(key)))


def _give_way(desk: Desk) -> None:
    """Wait while a hand moves a slider, a few seconds at most."""
    begun = time.monotonic()
    while time.monotonic() - desk.moved_at < _QUIET and time.monotonic() - begun < _PATIENCE:
        time.sleep(0.05)


def connect_cards(cards: Cards, dealer: Dealer, face: gr.State, edits: gr.State, arrange_after: Callable[[Any], None]) -> None:
    """Events of the cell alone; `deal_after` is for those of others."""
    deal_after(
        cards.method.input(dealer.parts, cards.method, [cards.part, cards.shown], **QUICK, show_progress="hidden"), cards, dealer, face
    )
    deal_after(cards.part.input(lambda: FIRST, None, cards.shown, **QUICK, show_progress="hidden"), cards, dealer, face)
    deal_after(
        cards.more.click(lambda shown: shown + FIRST, cards.shown, cards.shown, **QUICK, show_progress="hidden"), cards, dealer, face
    )
    arrange_after(cards.gallery.select(dealer.take, [edits, cards.keys], [edits, cards.gallery], **IN_TURN))


def deal_after(event: Any, cards: Cards, dealer: Dealer, face: gr.State) -> None:
    """Draw the cards again once an event succeeded."""
    event.success(dealer.deal, [face, *cards.inputs], cards.outputs, trigger_mode="multiple", **BACKGROUND, **PRIVATE)
