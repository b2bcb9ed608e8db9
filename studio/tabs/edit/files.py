"""The part of the workshop that reads a file: directions are chosen from it, codes go on the shelf as faces."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch

from engines import Direction
from engines.core.arrays import SUFFIXES
from engines.core.errors import StudioError
from engines.edit.effect import is_weak
from engines.edit.imported import holds_codes, in_z, read_directions
from studio.services.user_directions import drafts_of, renamed, room_for
from studio.state.edits import MOST as MOST_SLIDERS
from studio.state.visitor import Visitor
from studio.tabs.edit.bring import FILES, shelve
from studio.tabs.edit.context import EditContext
from studio.ui import menus
from studio.ui.inputs import MOST_MEGABYTES, content
from studio.ui.lanes import ASIDE, PRIVATE
from studio.ui.run_control import Updates
from studio.ui.run_events import QUICK, spoken

SPACES = ("W", "Z")
_QUIET: dict[str, Any] = QUICK | PRIVATE
_SAME = 1e-6
WEAK = (
    " From -3 to 3 sigma it hardly moves a face: it may belong to another generator, or to Z "
    "(then choose Z above and take it again; only random faces have a z)."
)


def read_file(context: EditContext, path: str) -> tuple[Direction, ...]:
    """Directions of an uploaded file, under names that are safe anywhere.

    Raises:
        StudioError: It is too large, or holds none.
    """
    found = read_directions(*content(path), context.session.generator)
    return tuple(renamed(direction, direction.name) for direction in found)


def known(visitor: Visitor, direction: Direction) -> str | None:
    """The key of the visitor's own direction that is the same, whatever it is called."""
    for key, own in visitor.directions.items():
        alike = own.space == direction.space and own.slots == direction.slots and own.vector.shape == direction.vector.shape
        if alike and torch.allclose(own.vector, direction.vector.to(own.vector), atol=_SAME):
            return key
    return None


@dataclass(frozen=True, eq=False)
class FileParts:
    """What a file is read into."""

    which: gr.Dropdown
    take: gr.Button
    space: gr.Radio
    status: gr.Markdown

    @property
    def all(self) -> list[Any]:
        return [self.which, self.take, self.space, self.status]

    @property
    def hidden(self) -> Updates:
        """Nothing to choose from."""
        return {self.which: gr.Dropdown(visible=False), self.take: gr.Button(visible=False), self.space: gr.Radio(visible=False)}


class Importer:
    """Answers what is asked about a file."""

    def __init__(self, context: EditContext, parts: FileParts) -> None:
        self.context, self.parts = context, parts

    @spoken
    def read(self, path: str | None, request: gr.Request) -> Updates:
        """See what a file holds: directions to choose from, or codes, which go on the shelf."""
        if path is None:
            raise StudioError("Choose a file first.")
        visitor, strip = self.context.visitor(request), self.context.strip
        data, name = content(path)
        if holds_codes(data, name, self.context.session.generator):
            drafts_of(visitor).pending = ()
            key, words = shelve(self.context.session, visitor, data, name)
            return self.parts.hidden | {self.parts.status: words} | strip.show(visitor, key)
        found = read_file(self.context, path)
        drafts_of(visitor).pending = found
        choices = [(f"{index + 1}: {direction.name} ({direction.space})", index) for index, direction in enumerate(found)]
        words = f"{len(found)} direction{'s' * (len(found) > 1)} found."
        space = gr.Radio(value="Z" if all(one.space == "z" for one in found) else "W", visible=any(one.space in "wz" for one in found))
        parts, menu = self.parts, gr.Dropdown(choices, value=[0], visible=True)
        return {parts.which: menu, parts.take: gr.Button(visible=True), parts.space: space, parts.status: words}

    @spoken
    def add(self, numbers: list[int], space: str, keys: tuple[str, ...], request: gr.Request) -> list[Any]:
        """Keep the chosen ones; those that are there already stay as they are."""
        visitor = self.context.visitor(request)
        pending = drafts_of(visitor).pending
        chosen = [pending[number] for number in numbers or [] if isinstance(number, int) and 0 <= number < len(pending)]
        if not chosen:
            raise StudioError("Choose at least one direction of the file.")
        if space == "Z":
            chosen = [in_z(direction) for direction in chosen]
        before = [known(visitor, direction) for direction in chosen]
        room_for(visitor, before.count(None))
        added = [self.context.library.add(one, visitor) if key is None else key for one, key in zip(chosen, before, strict=True)]
        turned = keys or ()
        bare = [key for key in added if key not in turned]
        words = self._taken(len(added), before.count(None)) + self._slider(visitor, bare[-1] if bare else added[-1], turned)
        return [bare[-1] if bare else None, added[-1], f"{words} All are among yours."]

    def _taken(self, count: int, new: int) -> str:
        if not new:
            return "That one is among yours already" if count == 1 else "These are among yours already"
        return f"{new} taken" + (f", {count - new} were among yours already" if new < count else "")

    def _slider(self, visitor: Visitor, key: str, turned: tuple[str, ...]) -> str:
        name = visitor.directions[key].name
        if key in turned:
            return f"; {name} has its slider already."
        if len(turned) >= MOST_SLIDERS:
            return f". All {MOST_SLIDERS} sliders are in use: remove one, then choose {name} among the cards."
        return f"; {name} has a slider now."

    @spoken
    def look(self, key: str | None, words: str, request: gr.Request) -> str:
        """Say so where the last of them hardly moves a face."""
        visitor = self.context.visitor(request)
        direction = visitor.directions.get(key or "")
        weak = direction is not None and direction.space != "z" and is_weak(direction, self.context.session.generator)
        return words + WEAK if weak and WEAK not in words else words


def file_part(context: EditContext) -> None:
    """The components and their events."""
    gr.Markdown(
        f"Directions as published with e4e, InterFaceGAN, GANSpace and SeFa: {', '.join(f'`.{suffix}`' for suffix in SUFFIXES)}, "
        f"at most {MOST_MEGABYTES} MB. A face's code goes on the shelf. Nothing in a file is executed; the content decides how it is read.",
        elem_classes="status",
    )
    with gr.Row():
        file = gr.File(label="A file of directions or codes", elem_id="file-input", height=140)
        with gr.Column():
            which = menus.dropdown([], value=[], multiselect=True, label="Which of them", visible=False, elem_id="file-which")
            space = gr.Radio(list(SPACES), value="W", label="Vectors of", info=_SPACE, visible=False, elem_id="file-space")
            take = gr.Button("Take the chosen ones", visible=False, elem_id="file-take")
            status = gr.Markdown("", elem_id="file-status", elem_classes="status")
    parts, last = FileParts(which, take, space, status), gr.State(None)
    importer = Importer(context, parts)
    file.upload(importer.read, file, [*parts.all, *context.strip.outputs], **FILES)
    file.clear(lambda: parts.hidden | {status: ""}, None, parts.all, **_QUIET)
    taken = take.click(importer.add, [which, space, context.keys], [context.added, last, status], **_QUIET)
    context.use(taken)
    taken.success(importer.look, [last, status], status, **ASIDE, **PRIVATE)


_SPACE = "Published boundaries of StyleGAN1 and PGGAN without “w” in their names are of Z, of those generators"
