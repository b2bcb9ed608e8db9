"""The lab book, above the tabs: what was made in this visit, with pictures, figures and the lines that make it again."""

from typing import Any

import gradio as gr

from studio.services.editor import Editor
from studio.serving.lines import FILES
from studio.tabs.book.handlers import NOTHING, BookHandlers, BookParts
from studio.tabs.tab import TabContext
from studio.ui.lanes import AT_ONCE, IN_TURN, PRIVATE
from studio.ui.run_events import QUICK
from studio.ui.ways import EDIT

_SECONDS = 2.0
_SESSION = "A session holds the shelf, your own directions, what you edit and the lab book, and opens on another machine too."
_FETCH = "() => { setTimeout(() => document.querySelector('#%s').click(), 200); }"


def build(context: TabContext) -> None:
    """The panel and its events; while it is open, it follows what is made."""
    strip = context.shelf
    with gr.Accordion("Lab book", open=False, elem_id="book") as panel:
        with gr.Row():
            with gr.Column(scale=3, min_width=300):
                hint = gr.Markdown(NOTHING, elem_id="book-hint", elem_classes="status")
                words = gr.Textbox("", label="Search", placeholder="A method, a cell, a figure", elem_id="book-search", max_length=200)
                gallery = gr.Gallery(
                    columns=6,
                    height=300,
                    allow_preview=False,
                    show_label=False,
                    visible=False,
                    elem_id="book-entries",
                    interactive=False,
                    buttons=[],
                    object_fit="cover",
                    format="webp",
                )
            with gr.Column(scale=2, min_width=280, elem_classes="results"):
                said = gr.Markdown("", elem_id="book-entry")
                again = gr.Button("Take it up again", variant="primary", visible=False, elem_id="book-again")
                remove = gr.Button("Delete the entry", size="sm", visible=False, elem_id="book-remove")
                code = gr.Code("", language="python", elem_id="book-code", show_label=False, interactive=False, visible=False, max_lines=14)
                with gr.Row():
                    notebook = gr.Button("Export notebook", elem_id="book-notebook", min_width=120)
                    script = gr.Button("Export script", elem_id="book-script", min_width=120)
                with gr.Row():
                    save = gr.Button("Save the session", elem_id="book-save", min_width=120)
                    bring = gr.UploadButton("Open a session", file_types=[".zip"], elem_id="book-open", min_width=120)
                gr.Markdown(_SESSION, elem_classes="status")
        files = [gr.DownloadButton(name, visible="hidden", elem_id=f"book-{name}-file") for name in ("notebook", "script", "session")]
        timer = gr.Timer(_SECONDS, active=False)
    number, seen, recipe = gr.State(None), gr.State(-1), gr.Textbox(visible=False, label="Recipe of an entry")
    parts = BookParts(gallery, hint, seen, number, said, code, again, remove, recipe)
    handlers = BookHandlers(Editor(context.session, context.library), strip, parts)
    looking: dict[str, Any] = QUICK | PRIVATE
    gr.on([panel.expand, timer.tick], handlers.look, [words, seen], parts.listed, **looking)
    panel.expand(lambda: gr.Timer(active=True), None, timer, **AT_ONCE)
    panel.collapse(lambda: gr.Timer(active=False), None, timer, **AT_ONCE)
    words.input(handlers.search, words, parts.listed, trigger_mode="always_last", **looking)
    gallery.select(handlers.choose, words, parts.chosen, **looking)
    remove.click(handlers.remove, [number, words], [*parts.chosen, *parts.listed], **looking)
    exports = ((notebook, handlers.notebook), (script, handlers.script), (save, handlers.save))
    for (button, handler), file in zip(exports, files, strict=True):
        written = button.click(handler, None, file, concurrency_id=FILES, **PRIVATE)
        written.success(None, None, None, js=_FETCH % file.elem_id, **AT_ONCE)
    bring.upload(handlers.open, bring, [*strip.outputs, *parts.listed], concurrency_id=FILES, **PRIVATE)
    taken = again.click(handlers.again, number, [recipe, *strip.outputs], **IN_TURN)
    context.ways.lead(taken, EDIT, takes=True, where=recipe)  # empty where an entry is no edit
