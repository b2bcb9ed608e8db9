"""What the lab book's events are answered with: what was made, what of it is looked at, and the same as a program."""

import html
import time
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import gradio as gr
from PIL import Image as Pil

from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.edit.codes import read_codes
from engines.generators.incremental import draw_inversion
from studio.services.edit_recipe import read_recipe
from studio.services.editor import Editor
from studio.services.notebook import as_notebook, as_script
from studio.services.session_file import open_session, write_session
from studio.state.lab_book import Entry
from studio.state.visitor import Visitor
from studio.ui.inputs import content
from studio.ui.run_control import Updates
from studio.ui.run_events import offer, spoken
from studio.ui.shelf_strip import Strip

NOTHING = "Nothing yet. What you invert, edit, mix and draw is written down here, each thing with the lines that make it again."
INEXACT = "It was stopped, or tuned along with others: the lines begin it anew, and need not draw the same picture."
NO_MATCH = "Nothing of that is in the lab book. Empty the box to see all of it."


@dataclass(frozen=True, eq=False)
class BookParts:
    """What the panel shows of the book.

    Attributes:
        gallery: The entries that were found.
        hint: How many there are.
        seen: How often the book had changed when they were listed.
        number: Of the entry that is looked at.
        said: That one in words.
        code: And in Python.
        again: Takes it up.
        remove: Deletes it.
        recipe: What was taken up, empty where it is no edit.
    """

    gallery: gr.Gallery
    hint: gr.Markdown
    seen: gr.State
    number: gr.State
    said: gr.Markdown
    code: gr.Code
    again: gr.Button
    remove: gr.Button
    recipe: gr.Textbox

    @property
    def listed(self) -> list[Any]:
        """What belongs to all entries."""
        return [self.gallery, self.hint, self.seen]

    @property
    def chosen(self) -> list[Any]:
        """What belongs to the one that is looked at."""
        return [self.number, self.said, self.code, self.again, self.remove]


class BookHandlers:
    """The order of arguments is that of the inputs in the panel's wiring.

    Args:
        editor: Who draws codes and knows directions.
        strip: The shelf above the tabs.
        parts: What is shown.
    """

    def __init__(self, editor: Editor, strip: Strip, parts: BookParts) -> None:
        self.editor, self.session, self.strip, self.parts = editor, editor.session, strip, parts

    def visitor(self, request: gr.Request) -> Visitor:
        return self.session.visitors.visitor(request)

    @spoken
    def look(self, words: str | None, seen: int, request: gr.Request) -> Updates:
        """The list, where there is something new in it."""
        book = self.visitor(request).book
        return {self.parts.seen: gr.skip()} if book.changes == seen else self._listed(request, words)

    @spoken
    def search(self, words: str | None, request: gr.Request) -> Updates:
        """The entries that some words are in."""
        return self._listed(request, words)

    def _listed(self, request: gr.Request, words: str | None) -> Updates:
        book = self.visitor(request).book
        found = book.find(_brief(words))
        pictures = [(Pil.open(BytesIO(entry.thumbnail)), f"{entry.number} · {entry.title}") for entry in found]
        hint = f"**{len(book.entries)}** entries." if found else NO_MATCH if book.entries else NOTHING
        gallery = gr.Gallery(pictures, visible=bool(found), selected_index=None)
        return {self.parts.gallery: gallery, self.parts.hint: hint, self.parts.seen: book.changes}

    @spoken
    def choose(self, words: str | None, event: gr.SelectData, request: gr.Request) -> Updates:
        """An entry, in words and in Python."""
        found = self.visitor(request).book.find(_brief(words))
        if not (isinstance(event.index, int) and 0 <= event.index < len(found)):
            raise StudioError("That entry is no longer in the lab book. Choose another.")
        return self._chosen(found[event.index])

    def _chosen(self, entry: Entry | None) -> Updates:
        parts = self.parts
        if entry is None:
            hidden = {button: gr.Button(visible=False) for button in (parts.again, parts.remove)}
            return {parts.number: None, parts.said: "", parts.code: gr.Code("", visible=False), **hidden}
        return {
            parts.number: entry.number,
            parts.said: described(entry),
            parts.code: gr.Code(entry.code, visible=True),
            parts.again: gr.Button(visible=bool(entry.recipe or entry.code_file)),
            parts.remove: gr.Button(visible=True),
        }

    @spoken
    def remove(self, number: int | None, words: str | None, request: gr.Request) -> Updates:
        """Without the entry that is looked at."""
        if number is not None:
            self.visitor(request).book.remove(number)
        return self._chosen(None) | self._listed(request, words)

    @spoken
    def again(self, number: int | None, request: gr.Request) -> Updates:
        """An edit with its sliders, or any face on the shelf, as it was; says whether there are sliders to go on with."""
        visitor = self.visitor(request)
        entry = visitor.book.entry(number or 0)
        key = self._shelved(visitor, entry)
        if not entry.recipe:
            gr.Success("On the shelf, where every tab finds it.")
            return {self.parts.recipe: ""} | self.strip.show(visitor, key)
        recipe = read_recipe(entry.recipe, self.editor, visitor)
        visitor.edited, visitor.edited_on = (recipe.face, recipe.edits), ""
        return {self.parts.recipe: entry.recipe} | self.strip.show(visitor, recipe.face.chosen)

    def _shelved(self, visitor: Visitor, entry: Entry) -> str | None:
        """The face of an entry on the shelf, under the key that it had there; none where a seed stands for it."""
        if not entry.code_file:
            return None
        inversion = read_codes(visitor.book.files[entry.code_file], entry.code_file, self.session.generator)[0]
        picture = to_picture(draw_inversion(self.session.generator, inversion, self.session.live_size))
        return visitor.put(entry.title, picture, inversion).key

    @spoken
    def notebook(self, request: gr.Request) -> str:
        """All of it as a notebook."""
        return self._written(request, "lab-book.ipynb")

    @spoken
    def script(self, request: gr.Request) -> str:
        """All of it as a script."""
        return self._written(request, "lab-book.py")

    def _written(self, request: gr.Request, name: str) -> str:
        book = self.visitor(request).book
        if not book.entries:
            raise StudioError("The lab book is empty: there is nothing to export yet. Invert, edit, mix or draw something first.")
        write = as_notebook if name.endswith("ipynb") else as_script
        return offer(name, write(book, self.session.generator.name))

    @spoken
    def save(self, request: gr.Request) -> str:
        """The whole visit in one file."""
        visitor = self.visitor(request)
        if not (visitor.shelf or visitor.directions or visitor.book.entries):
            raise StudioError("There is nothing to save yet: the shelf, your own directions and the lab book are empty.")
        written = write_session(self.editor, visitor, self.session.settings.session_megabytes * 2**20)
        if written.lighter:
            gr.Warning(f"{written.lighter} of the shelf came without their tuning, which would make the file too large to be opened again.")
        return offer("session.zip", written.data)

    @spoken
    def open(self, path: str | None, request: gr.Request) -> Updates:
        """Take up a saved session, beside what is here."""
        if path is None:
            raise StudioError("Choose a file first.")
        visitor, most = self.visitor(request), self.session.settings.session_megabytes
        gr.Success(open_session(content(path, most)[0], self.editor, visitor, 2 * most * 2**20))
        return self.strip.show(visitor, None) | self._listed(request, "")


def _brief(words: str | None) -> str:
    return (words or "")[:200]


def described(entry: Entry) -> str:
    """An entry in Markdown."""
    when = time.strftime("%H:%M:%S", time.localtime(entry.at))
    exact = "" if entry.digest else f" {INEXACT}"
    title, cell, words = map(html.escape, (entry.title, entry.cell, entry.words))
    return f"**{entry.number}. {title}** · {cell} · {when}\n\n{words}{exact}"
