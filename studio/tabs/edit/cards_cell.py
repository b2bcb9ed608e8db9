"""The cell of direction cards: each direction as a strip of three small pictures of the face at hand; a click gives it a slider."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from engines.core.errors import StudioError
from engines.core.memory import give_back
from engines.edit.locality import LOCAL
from studio.services.direction_library import CHANGE, LAYERS, METHODS, MINE, REGION
from studio.services.editor import Editor
from studio.state.edits import MOST, Edits, Face, Turn
from studio.state.visitor import Visitor
from studio.tabs.edit.menus import Choice
from studio.ui import menus
from studio.ui.cell import fold, lesson
from studio.ui.lanes import BACKGROUND, IN_TURN, PRIVATE
from studio.ui.run_events import QUICK, spoken

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
    there = {shelf.partition("/")[0] for shelf in editor.library.shelves}
    offered = [(_TITLES.get(name, title), name) for name, title in METHODS.items() if name in there]
    with gr.Row():
        method = gr.Radio(offered, value=offered[0][1], label="Method", elem_id="edit-method")
        part = menus.radio([], label="Layers", visible=False, elem_id="edit-part")
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
    with fold("How the methods work"):
        for each in ("interfacegan", "delta", "ganspace", "sefa", "stylespace"):
            lesson(each)
    return Cards(method, part, gallery, status, more, gr.State(()), gr.State(FIRST))


@dataclass(eq=False)
class _Wish:
    """What a visitor asked for last: a method, and the choice of its second menu."""

    cards: tuple[str, str | None] | None = None


class CardHandlers:
    """Answer the cell's events."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor

    def menu(self, method: str) -> tuple[str, list[Choice], str | None]:
        """The second menu that some methods have: its label, its choices, and the usual one; nothing to choose for the others."""
        library = self.editor.library
        if method == "sefa":
            return "Layers", [(name, name) for name in LAYERS], LAYERS[0]
        if method == "stylespace":
            choices = [(title, name) for name, title in library.titles.items()]
            return "Attribute", choices, "smile" if "smile" in library.titles else choices[0][1]
        if method == REGION and library.local:
            return "Region", [(name.capitalize(), name) for name in library.local], menus.chosen("mouth", list(library.local), None)
        return "", [], None

    def asked(self, method: str, part: str | None) -> tuple[str, str | None]:
        """Which cards are wanted; of a choice that belongs to another method, the usual one."""
        _, choices, usual = self.menu(method)
        return method, menus.chosen(part, [name for _, name in choices], usual)

    def parts(self, method: str, request: gr.Request) -> list[Any]:
        """The second menu that belongs to a method, and the number of cards back at the start."""
        label, choices, usual = self.menu(method)
        self._want(request, method, usual)
        if not choices:
            return [gr.Radio(visible=False), FIRST]
        return [gr.Radio(choices, value=usual, label=label, visible=True), FIRST]

    def part(self, method: str, part: str | None, request: gr.Request) -> int:
        """Another choice of the second menu, and the number of cards back at the start."""
        self._want(request, method, part)
        return FIRST

    def begin(self, request: gr.Request) -> None:
        """Note that the page was opened anew, with its usual menus: what was asked for on the one before counts no more."""
        self._wish(request).cards = None

    def _want(self, request: gr.Request, method: str, part: str | None) -> None:
        """Note what was asked for last: whoever browses quickly waits for nothing that they left behind."""
        self._wish(request).cards = self.asked(method, part)

    def _wish(self, request: gr.Request) -> "_Wish":
        return self.editor.session.visitors.visitor(request).own(self, _Wish)

    @spoken
    def deal(self, face: Face, method: str, part: str | None, shown: int, request: gr.Request) -> Iterator[list[Any]]:
        """Cards one after another, in the background: a hand on a slider goes first, and a newer wish ends an older one."""
        visitor, wish, wished = self.editor.session.visitors.visitor(request), self.asked(method, part), self._wish(request)
        if wished.cards not in (None, wish):
            return
        part = wish[1]
        newest = self.editor.deal(visitor)
        quiet = gr.skip()
        yield [gr.skip(), gr.skip(), "Finding the directions …", quiet]
        shelf = f"{method}/{part}" if method in ("sefa", "stylespace", REGION) else method
        try:
            every = self.editor.library.keys(shelf, visitor)
            keys = every[:shown]
            cards: list[Any] = []
            updated = 0.0
            for number, key in enumerate(keys, start=1):
                _give_way(visitor)
                if not newest() or wished.cards not in (None, wish):
                    return
                cards.append((self.editor.card(visitor, face, key), self._caption(visitor, face, key)))
                if time.monotonic() - updated > _BETWEEN_UPDATES and number < len(keys):
                    updated = time.monotonic()
                    yield [gr.Gallery(cards, selected_index=None), keys[:number], f"Drawing card {number} of {len(keys)} …", quiet]
        except StudioError as error:
            yield [gr.Gallery([], selected_index=None), (), f"⚠️ {error}", gr.Button(visible=False)]
            return
        give_back()
        far = sorted({self.editor.library.reach(key, visitor).card for key in keys})
        ends = " or ".join(f"-{each:g}, 0 and +{each:g}" for each in far)
        unit = "of the change" if method == CHANGE else "sigma, and where it stands now"
        words = f"Each card: the face at {ends} {unit}. Click one to get its slider."
        if method == REGION and self.editor.library.local.get(part or "", 0) > LOCAL:
            words += f" No single channel of the {part} keeps all but a tenth of its change inside it; these come closest."
        if not keys:
            words = "Nothing of your own yet: the workshop below makes, fits and imports directions."
        yield [gr.Gallery(cards, selected_index=None), keys, words, gr.Button(visible=len(every) > shown)]

    def _caption(self, visitor: Visitor, face: Face, key: str) -> str:
        """The direction's name, and the signed distance of the face at hand."""
        title, score = self.editor.library.title(key, visitor).rpartition(" · ")[0], self.editor.score(visitor, face, Edits(), key)
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


def _give_way(visitor: Visitor) -> None:
    """Wait while a hand moves a slider, a few seconds at most."""
    begun = time.monotonic()
    while time.monotonic() - visitor.moved_at < _QUIET and time.monotonic() - begun < _PATIENCE:
        time.sleep(0.05)


def connect_cards(cards: Cards, dealer: CardHandlers, face: gr.State, edits: gr.State, arrange_after: Callable[[Any], None]) -> None:
    """Events of the cell alone; `draw_cards_after` is for those of others."""
    draw_cards_after(
        cards.method.input(dealer.parts, cards.method, [cards.part, cards.shown], **QUICK, show_progress="hidden"), cards, dealer, face
    )
    draw_cards_after(
        cards.part.input(dealer.part, [cards.method, cards.part], cards.shown, **QUICK, show_progress="hidden"), cards, dealer, face
    )
    draw_cards_after(
        cards.more.click(lambda shown: shown + FIRST, cards.shown, cards.shown, **QUICK, show_progress="hidden"), cards, dealer, face
    )
    arrange_after(cards.gallery.select(dealer.take, [edits, cards.keys], [edits, cards.gallery], **IN_TURN))


def draw_cards_after(event: Any, cards: Cards, dealer: CardHandlers, face: gr.State) -> None:
    """Draw the cards again once an event succeeded."""
    event.success(dealer.deal, [face, *cards.inputs], cards.outputs, trigger_mode="multiple", **BACKGROUND, **PRIVATE)
