"""The shelf as every tab sees it: a strip of small pictures above the tabs, private to the visitor."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

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
    """

    session: Session
    gallery: gr.Gallery
    chosen: gr.State
    hint: gr.Markdown
    remove: gr.Button

    @property
    def outputs(self) -> list[Any]:
        """Components that `show` updates, in its order."""
        return [self.gallery, self.chosen, self.hint, self.remove]

    def show(self, desk: Desk, chosen: str | None) -> list[Any]:
        """Updates after the shelf changed."""
        items = list(desk.shelf.values())
        keys = [item.key for item in items]
        index = keys.index(chosen) if chosen in keys else None
        pictures = [(item.thumbnail, item.title) for item in items]
        words = f"{len(items)} on the shelf, {desk.used() / 2**20:.1f} MB. Yours alone, gone when you leave." if items else EMPTY
        return [
            gr.Gallery(pictures, selected_index=index, visible=bool(items)),
            chosen if index is not None else None,
            words,
            gr.Button(visible=bool(items)),
        ]

    def item(self, request: gr.Request, key: str | None) -> Item | None:
        """The chosen item, if it is still there."""
        return self.session.visitors.desk(request.session_hash).shelf.get(key or "")


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
        remove = gr.Button("Take the chosen one off", size="sm", elem_id="shelf-remove", visible=False)
    built = Strip(session, gallery, gr.State(None), hint, remove)

    def choose(event: gr.SelectData, request: gr.Request) -> str | None:
        keys = list(session.visitors.desk(request.session_hash).shelf)
        return keys[event.index] if isinstance(event.index, int) and 0 <= event.index < len(keys) else None

    def take_off(key: str | None, request: gr.Request) -> list[Any]:
        desk = session.visitors.desk(request.session_hash)
        desk.take_off(key or "")
        return built.show(desk, None)

    gallery.select(choose, None, built.chosen, queue=False, api_visibility="private")
    remove.click(take_off, built.chosen, built.outputs, queue=False, api_visibility="private")
    return built
