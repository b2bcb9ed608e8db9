"""The shelf as every tab sees it: a strip of small pictures above the tabs, private to the visitor."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.events import QUICK, spoken
from studio.session import Session
from studio.shelf import Desk, Item

EMPTY = "Nothing here yet. Invert a photo or pick a face in the explorer, and put it on the shelf: every tab can use it."


@dataclass(frozen=True, eq=False)
class Strip:
    """The strip's components.

    Attributes:
        gallery: The pictures; clicking one chooses it.
        chosen: Key of the chosen item, or nothing.
        hint: What is on the shelf, in words.
        remove: Takes the chosen item off.
        strength: How much of the chosen item's weight change counts.
    """

    session: Session
    gallery: gr.Gallery
    chosen: gr.State
    hint: gr.Markdown
    remove: gr.Button
    strength: gr.Slider

    @property
    def outputs(self) -> list[Any]:
        """Components that `show` updates, in its order."""
        return [self.gallery, self.chosen, self.hint, self.remove, self.strength]

    def show(self, desk: Desk, chosen: str | None) -> list[Any]:
        """Updates after the shelf changed."""
        items = list(desk.shelf.values())
        keys = [item.key for item in items]
        index = keys.index(chosen) if chosen in keys else None
        pictures = [(item.thumbnail, _caption(item)) for item in items]
        words = f"{len(items)} on the shelf, {desk.used() / 2**20:.1f} MB. Yours alone, gone when you leave." if items else EMPTY
        return [
            gr.Gallery(pictures, selected_index=index, visible=bool(items)),
            chosen if index is not None else None,
            words,
            gr.Button(visible=bool(items)),
            _strength_of(desk.shelf.get(chosen or "")),
        ]

    def item(self, request: gr.Request, key: str | None) -> Item | None:
        """The chosen item, if it is still there."""
        return self.session.visitors.desk(request.session_hash).find(key or "")


def _caption(item: Item) -> str:
    """The title, and of a tuned one the size of its weight change and how much of it counts."""
    if not item.tuning_bytes:
        return item.title
    return f"{item.title} · tuned, {item.tuning_bytes / 2**20:.1f} MB{'' if item.strength == 1 else f', at {item.strength:.2f}'}"


def _strength_of(item: Item | None) -> gr.Slider:
    tuned = item is not None and item.tuning_bytes > 0
    if item is None or not tuned:
        return gr.Slider(visible=False)
    return gr.Slider(visible=True, value=item.strength, label=f"Tuning strength (weight change of {item.tuning_bytes / 2**20:.1f} MB)")


def strip(session: Session) -> Strip:
    """Build the strip and its own events."""
    with gr.Accordion("Shelf", open=True, elem_id="shelf"):
        hint = gr.Markdown(EMPTY, elem_classes="status")
        gallery = gr.Gallery(
            columns=8,
            fit_columns=False,
            height=150,
            allow_preview=False,
            show_label=False,
            visible=False,
            elem_id="shelf-strip",
            interactive=False,
            buttons=[],
            object_fit="cover",
        )
        strength = gr.Slider(
            0.0,
            1.0,
            1.0,
            step=0.05,
            label="Tuning strength",
            info="How much of the chosen picture's weight change counts, in every tab: 0 is the untuned generator.",
            elem_id="shelf-strength",
            visible=False,
        )
        remove = gr.Button("Take the chosen one off", size="sm", elem_id="shelf-remove", visible=False)
    built = Strip(session, gallery, gr.State(None), hint, remove, strength)

    def choose(event: gr.SelectData, request: gr.Request) -> list[Any]:
        items = list(session.visitors.desk(request.session_hash).shelf.values())
        item = items[event.index] if isinstance(event.index, int) and 0 <= event.index < len(items) else None
        return [item.key if item else None, _strength_of(item)]

    @spoken
    def weaken(key: str | None, strength: float, request: gr.Request) -> list[Any]:
        """Let less of the chosen item's weight change count; its key changes, and with it the picture in the other tabs."""
        desk = session.visitors.desk(request.session_hash)
        item = desk.weaken(key or "", strength)
        shown = built.show(desk, item.key)
        return [*shown[:2], f"{shown[2]} The chosen one's tuning counts at {item.strength:.2f}.", *shown[3:-1], gr.skip()]

    def take_off(key: str | None, request: gr.Request) -> list[Any]:
        desk = session.visitors.desk(request.session_hash)
        desk.take_off(key or "")
        return built.show(desk, None)

    gallery.select(choose, None, [built.chosen, strength], queue=False, api_visibility="private")
    strength.input(weaken, [built.chosen, strength], built.outputs, trigger_mode="always_last", show_progress="hidden", **QUICK)
    remove.click(take_off, built.chosen, built.outputs, queue=False, api_visibility="private")
    return built
