"""The shelf as every tab sees it: a drawer above the tabs, private to the visitor; closed, it is one line of small pictures."""

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import gradio as gr

from engines.core.errors import StudioError
from engines.edit.codes import write_codes
from studio.serving.lines import FILES
from studio.state.session import Session
from studio.state.visitor import Item, Visitor
from studio.ui.lanes import AT_ONCE, PRIVATE
from studio.ui.run_control import Updates
from studio.ui.run_events import QUICK, offer, spoken

EMPTY = "**Shelf** · Nothing here yet: faces that you invert or pick go here, and every tab can use them."
_TOGGLE = """() => {
  const shelf = document.getElementById('shelf'), open = shelf.classList.toggle('drawn');
  const button = document.querySelector('button#shelf-more');
  button.setAttribute('aria-expanded', String(open));
  button.textContent = open ? 'Close' : 'Open';
}"""
_FETCH = "() => { setTimeout(() => document.querySelector('#shelf-file').click(), 200); }"
_LONGEST_NAME = 60


@dataclass(frozen=True, eq=False)
class Strip:
    """The strip's components.

    Attributes:
        gallery: The pictures; clicking one chooses it.
        chosen: Key of the chosen item, or nothing.
        hint: What is on the shelf, in words.
        more: Opens and closes the drawer.
        name: What the chosen item is called.
        remove: Takes the chosen item off.
        archive: Packs all codes into one file, and has the browser fetch it.
        file: That file.
        strength: How much of the chosen item's weight change counts.
    """

    session: Session
    gallery: gr.Gallery
    chosen: gr.State
    hint: gr.Markdown
    more: gr.Button
    name: gr.Textbox
    remove: gr.Button
    archive: gr.Button
    file: gr.DownloadButton
    strength: gr.Slider

    @property
    def outputs(self) -> list[Any]:
        """Components that `show` updates."""
        return [self.gallery, self.chosen, self.hint, self.more, *self.of_chosen]

    @property
    def of_chosen(self) -> list[Any]:
        """What belongs to the chosen item."""
        return [self.name, self.remove, self.strength]

    def show(self, visitor: Visitor, chosen: str | None) -> Updates:
        """Updates after the shelf changed."""
        items = list(visitor.shelf.values())
        keys = [item.key for item in items]
        index = keys.index(chosen) if chosen in keys else None
        pictures = [(item.thumbnail, _caption(item)) for item in items]
        words = f"**Shelf** · {len(items)} on the shelf, {visitor.used() / 2**20:.1f} MB. Yours alone." if items else EMPTY
        return {
            self.gallery: gr.Gallery(pictures, selected_index=index, visible=bool(items)),
            self.chosen: chosen if index is not None else None,
            self.hint: words,
            self.more: gr.Button(visible=bool(items)),
        } | self.show_item(visitor.shelf.get(chosen or ""))

    def show_item(self, item: Item | None) -> Updates:
        """Name, removal and strength of the chosen item; hidden where none is chosen."""
        name = gr.Textbox(visible=False) if item is None else gr.Textbox(value=item.title, visible=True)
        return {self.name: name, self.remove: gr.Button(visible=item is not None), self.strength: _strength_of(item)}

    def item(self, request: gr.Request, key: str | None) -> Item | None:
        """The chosen item, if it is still there."""
        return self.session.visitors.visitor(request).find(key or "")


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
    """Build the drawer and its own events."""
    with gr.Column(elem_id="shelf"):
        with gr.Row(elem_id="shelf-line"):
            hint = gr.Markdown(EMPTY, elem_id="shelf-hint", elem_classes="status")
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
            more = gr.Button("Open", size="sm", elem_id="shelf-more", visible=False, scale=0, min_width=70)
        with gr.Row(elem_id="shelf-drawer"):
            label, info = "Name of the chosen one", "Press Enter to rename it."
            name = gr.Textbox(label=label, info=info, elem_id="shelf-name", visible=False, max_length=_LONGEST_NAME, min_width=200)
            strength = gr.Slider(
                0.0,
                1.0,
                1.0,
                step=0.05,
                label="Tuning strength",
                info="How much of the chosen picture's weight change counts, in every tab: 0 is the untuned generator.",
                elem_id="shelf-strength",
                visible=False,
                min_width=260,
            )
            remove = gr.Button("Remove from the shelf", size="sm", elem_id="shelf-remove", visible=False, min_width=150)
            archive = gr.Button("Download all codes (ZIP)", size="sm", elem_id="shelf-archive", min_width=150)
            file = gr.DownloadButton("ZIP", elem_id="shelf-file", visible="hidden")
    built = Strip(session, gallery, gr.State(None), hint, more, name, remove, archive, file, strength)
    _connect(session, built)
    return built


def _connect(session: Session, built: Strip) -> None:
    def choose(event: gr.SelectData, request: gr.Request) -> Updates:
        items = list(session.visitors.visitor(request).shelf.values())
        item = items[event.index] if isinstance(event.index, int) and 0 <= event.index < len(items) else None
        return {built.chosen: item.key if item else None} | built.show_item(item)

    @spoken
    def weaken(key: str | None, strength: float, request: gr.Request) -> Updates:
        """Let less of the chosen item's weight change count; its key changes, and with it the picture in the other tabs."""
        visitor = session.visitors.visitor(request)
        item = visitor.weaken(key or "", strength)
        shown = built.show(visitor, item.key)
        words = f"{shown[built.hint]} The chosen one's tuning counts at {item.strength:.2f}."
        return shown | {built.hint: words, built.strength: gr.skip()}

    @spoken
    def rename(key: str | None, name: str, request: gr.Request) -> Updates:
        """Another name for the chosen item."""
        visitor = session.visitors.visitor(request)
        item = visitor.rename(key or "", " ".join(name.split())[:_LONGEST_NAME])
        return built.show(visitor, item.key)

    @spoken
    def pack(request: gr.Request) -> gr.DownloadButton:
        """All codes in one archive, made when it is asked for."""
        items = list(session.visitors.visitor(request).shelf.values())
        if not items:
            raise StudioError("The shelf is empty: there is nothing to download yet.")
        return gr.DownloadButton(value=offer("shelf.zip", archive_of(items)))

    def take_off(key: str | None, request: gr.Request) -> Updates:
        visitor = session.visitors.visitor(request)
        visitor.take_off(key or "")
        return built.show(visitor, None)

    built.gallery.select(choose, None, [built.chosen, *built.of_chosen], **AT_ONCE)
    built.more.click(None, None, None, js=_TOGGLE, **AT_ONCE)
    built.name.submit(rename, [built.chosen, built.name], built.outputs, **QUICK | PRIVATE)
    built.strength.input(weaken, [built.chosen, built.strength], built.outputs, trigger_mode="always_last", show_progress="hidden", **QUICK)
    built.remove.click(take_off, built.chosen, built.outputs, **AT_ONCE)
    # one shelf at a time in memory
    packed = built.archive.click(pack, None, built.file, concurrency_id=FILES, **PRIVATE)
    packed.success(None, None, None, js=_FETCH, **AT_ONCE)


def archive_of(items: list[Item]) -> bytes:
    """A ZIP with one file of safetensors for each item, by number and name; `studio.tabs.edit.bring` takes each back."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for number, item in enumerate(items, start=1):
            name = re.sub(r"[^A-Za-z0-9]+", "-", item.title).strip("-").lower() or "face"
            archive.writestr(f"{number:02}-{name}.safetensors", write_codes(item.whole))
    return written.getvalue()
