"""What the tab's events are answered with: previews while a slider moves, the full picture once it rests, steps back and forth."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from engines.core.errors import SpaceError, StudioError
from engines.core.images import png_bytes, to_picture
from engines.core.memory import give_back
from studio.services.direction_library import own_attribute
from studio.services.edit_recipe import EditRecipe, read_recipe
from studio.services.editor import Editor
from studio.services.snippets import CODE_FILE, inputs, recipe
from studio.state.edits import MOST, Edits, Face, History, Turn
from studio.state.lab_book import Made
from studio.state.visitor import Visitor
from studio.tabs.edit.cards_cell import taken
from studio.tabs.edit.sliders_cell import arrange, range_of, reaching, words
from studio.ui.run_events import offer, spoken
from studio.ui.shelf_strip import Strip
from studio.ui.side_effect_meter import UNMEASURED, aside, meter

REST_SECONDS = 0.4


class EditHandlers:
    """The order of arguments is that of the inputs in `connect`."""

    def __init__(self, editor: Editor, strip: Strip) -> None:
        self.editor = editor
        self.strip = strip
        self.session, self.size = editor.session, editor.session.live_size

    def visitor(self, request: gr.Request) -> Visitor:
        return self.editor.session.visitors.visitor(request)

    @spoken
    def come_back(self, face: Face, edits: Edits, request: gr.Request) -> list[Any]:
        """What is edited when the tab is first opened: what the visitor left, or what everyone begins with.

        A face of the shelf that they chose since, on the page as it is now, goes first.
        """
        visitor = self.visitor(request)
        if visitor.edited is None:  # nothing to bring back: a hand may be moving the page's own controls by now
            self._remember(request, face, edits)
            return [gr.skip() for _ in range(6)]
        face, edits = face if face.kind == "Shelf" else visitor.edited[0], visitor.edited[1]
        self._remember(request, face, edits)
        return [face, edits, History((edits,)), face.kind, face.seed if face.kind == "Seed" else gr.skip(), face.truncation]

    @spoken
    def preview(self, request: gr.Request, face: Face, edits: Edits, *strengths: float) -> list[Any]:
        """The live picture after a slider moved, and the count of moves, which what follows a hand at rest waits for."""
        if self._waits(request):
            return [gr.skip() for _ in range(5)]
        visitor = self.visitor(request)
        visitor.move()
        edits = edits.at(strengths)
        self._remember(request, face, edits)
        picture = self.editor.draw(visitor, face, edits, self.session.preview_size)
        return [picture, words(self.editor, visitor, edits), visitor.moves, edits, edits]

    async def rest(self) -> None:
        """Wait a moment, so that only a hand at rest asks for the full picture."""
        await asyncio.sleep(REST_SECONDS * 1.1)  # a little more than `settle` asks for: the last move's wait must never count as too short

    @spoken
    def settle(self, face: Face, edits: Edits, history: History[Edits], request: gr.Request) -> list[Any]:
        """The full picture, and a step to undo, unless a newer move is under way."""
        visitor = self.visitor(request)
        if not visitor.rested(REST_SECONDS):
            return [gr.skip() for _ in range(5)]
        visitor.drawn = visitor.moves
        before, after = to_picture(self.editor.before(visitor, face)), self.editor.draw(visitor, face, edits)
        told, code = EditRecipe(face, edits, self.session.generator.name).text, recipe(self.editor, visitor, face, edits)
        file = gr.DownloadButton(value=offer("edited.png", png_bytes(after, told)), interactive=True)
        if edits.moving and not _is_noted(visitor, told):
            visitor.book.note(self._made(visitor, face, edits, code, told), after)
        return [after, (before, after), file, history.settled(edits), code]

    def _made(self, visitor: Visitor, face: Face, edits: Edits, code: str, told: str) -> Made:
        """An edit as an entry of the lab book; while one face is edited, the newest stands for all."""
        title = "Edited face" if face.kind != "Seed" else f"Seed {int(face.seed or 0)}, edited"
        files = inputs(self.editor, visitor, face, edits)
        said = words(self.editor, visitor, edits)
        return Made("Edit", title, said, code, "edited.png", files, recipe=told, face=files.get(CODE_FILE, b""), follows=f"edit {face}")

    @spoken
    def measure(self, face: Face, edits: Edits, request: gr.Request) -> str:
        """The side-effect meter, for the picture that settled."""
        if not edits.moving:
            return UNMEASURED
        own = {own_attribute(turn.key) or "" for turn in edits.moving}
        return meter(self.editor.effects(self.visitor(request), face, edits), self.editor.library.attributes, own)

    @spoken
    def asides(self, face: Face, edits: Edits, request: gr.Request) -> list[Any]:
        """Each slider's own small meter; when a hand moves on, the rest waits for its next rest."""
        visitor, drawn = self.visitor(request), []
        moves = visitor.moves
        for turn in edits.turns:
            if visitor.moves != moves:
                break
            scores = (self.editor.score(visitor, face, Edits(), turn.key), self.editor.score(visitor, face, edits, turn.key))
            figures = self.editor.alone(visitor, face, turn, edits.keep) if turn.strength else None
            drawn.append(aside(scores, figures, self.editor.library.attributes, own_attribute(turn.key) or ""))
        return [*drawn, *[gr.skip() for _ in range(MOST - len(drawn))]]

    @spoken
    def redraw(self, face: Face, edits: Edits, request: gr.Request) -> list[Any]:
        """The same edits on another face; the sliders are left alone, since a hand may be moving them by now."""
        if self._waits(request):
            return [gr.skip() for _ in range(3)]
        visitor = self.visitor(request)
        visitor.move()
        self._remember(request, face, edits)
        try:
            picture = self.editor.draw(visitor, face, edits, self.session.preview_size)
        except SpaceError as error:  # a direction of Z on a face from the shelf: better the face as it is than one that was left
            gr.Warning(str(error), duration=12)
            return [self.editor.draw(visitor, face, Edits(), self.size), f"⚠️ {error}", visitor.moves]
        return [picture, words(self.editor, visitor, edits), visitor.moves]

    @spoken
    def arrange(self, face: Face, edits: Edits, which: str | None, stands: Edits, request: gr.Request) -> list[Any]:
        """Edits that did not come from a slider, so the controls follow; a new direction is the one to be looked at closely.

        Args:
            face: What is edited.
            edits: As they are to be.
            which: The direction that is looked at closely.
            stands: How the sliders stand, as far as the server knows.
            request: Of the visitor.
        """
        visitor = self.visitor(request)
        for key in self.editor.library.gone(edits.keys, visitor):  # an undo may bring back the slider of a direction that was deleted since
            edits = edits.without(key)
        which = next((key for key in edits.keys if key not in stands.keys), which)
        return [*self.redraw(face, edits, request), edits, edits.keys, edits, *arrange(self.editor, visitor, edits, which, stands)]

    @spoken
    def five(self, face: Face, edits: Edits, which: str | None, request: gr.Request) -> list[Any]:
        """One direction at five strengths, the other sliders as they are."""
        turn = next((turn for turn in edits.turns if turn.key == which), None)
        if turn is None:
            return []
        visitor = self.visitor(request)
        unit = "of the change" if self.editor.library.get(turn.key, visitor).curve else "sigma"
        pictures = [
            (
                self.editor.sketch(visitor, face, edits.with_turn(replace(turn, strength=at)), self.size),
                f"{at:+g} {unit}" if at else "as it is",
            )
            for at in self.editor.strip(visitor, face, turn.key)
        ]
        give_back()  # the hand rests: nobody waits for pages
        return pictures

    @spoken
    def link(self, face: Face, edits: Edits, request: gr.Request) -> gr.Textbox:
        """The end of an address that opens the page with this edit.

        Raises:
            StudioError: The face is on the shelf, or a direction is the visitor's own: neither is on another's page.
        """
        visitor = self.visitor(request)
        if face.kind != "Seed":
            raise StudioError("A link can hand out faces by seed. This one lies on your shelf alone: save its picture or its code instead.")
        own = [self.editor.library.title(turn.key, visitor) for turn in edits.turns if turn.key in visitor.directions]
        if own:
            raise StudioError(f"A link can hand out the studio's directions. Take off your own first: {', '.join(own)}.")
        return gr.Textbox(value=EditRecipe(face, edits, self.session.generator.name).query, visible=True)

    def leave(self, text: str, visitor: Visitor) -> None:
        """Leave the edit of a recipe with a visitor, for `come_back` to show.

        Raises:
            StudioError: As `read_recipe`.
        """
        recipe = read_recipe(text, self.editor, visitor)
        visitor.edited, visitor.edited_on = (recipe.face, recipe.edits), ""

    @spoken
    def put(self, face: Face, edits: Edits, request: gr.Request) -> dict[Any, Any]:
        """The edited code on the shelf."""
        visitor = self.visitor(request)
        picture = self.editor.draw(visitor, face, edits, self.size)
        title = "Edited" if face.kind != "Seed" else f"Seed {int(face.seed or 0)}" + (", edited" if edits.moving else "")
        visitor.put(title, picture, self.editor.moved(visitor, face, edits))
        return self.strip.show(visitor, face.chosen)  # chosen, it would be edited once more

    @spoken
    def hold(self, edits: Edits, names: list[str], request: gr.Request) -> list[Any]:
        """Other things to keep, unless nothing of a direction would be left."""
        return self._accepted(request, edits, replace(edits, keep=tuple(names)), gr.CheckboxGroup(value=list(edits.keep)))

    @spoken
    def reach(self, edits: Edits, which: str | None, layers: str, first: float, last: float, request: gr.Request) -> list[Any]:
        """Other layers for one direction."""
        wanted = reaching(edits, which, layers, first, last)
        return [wanted, *range_of(self.editor, wanted, which)]

    @spoken
    def look(self, edits: Edits, which: str | None) -> list[Any]:
        """The layers of the direction that was chosen to be looked at."""
        return range_of(self.editor, edits, which)

    @spoken
    def use(self, edits: Edits, key: str | None) -> Edits:
        """A slider for a direction that another cell found."""
        return edits if key is None else taken(edits, key)

    def remover(self, index: int) -> Callable[[Edits], Edits]:
        """Takes away the slider of that place."""
        return lambda edits: edits.without(edits.keys[index]) if index < len(edits.keys) else edits

    def _waits(self, request: gr.Request) -> bool:
        """Whether this page has yet to take up what the visitor left on one before: until then, its own first values count for nothing."""
        visitor = self.visitor(request)
        return visitor.edited is not None and visitor.edited_on != request.session_hash

    def _remember(self, request: gr.Request, face: Face, edits: Edits) -> None:
        visitor = self.visitor(request)
        visitor.edited, visitor.edited_on = (face, edits), str(request.session_hash)

    def _accepted(self, request: gr.Request, old: Edits, new: Edits, undone: Any) -> list[Any]:
        """New edits if every direction survives them, and otherwise a sentence and the control as it was."""
        try:
            for turn in new.turns:
                self.editor.direction(self.visitor(request), turn, new.keep)
        except StudioError as error:
            gr.Warning(str(error), duration=12)
            return [old, undone]
        return [new, gr.skip()]


def _is_noted(visitor: Visitor, told: str) -> bool:
    """Whether the last edit in the lab book has the same sliders: another face came under them, perhaps from another tab, and no hand."""
    last = next((entry.recipe for entry in reversed(visitor.book.entries) if entry.recipe), None)
    return last is not None and all(json.loads(last)[name] == json.loads(told)[name] for name in ("turns", "keep"))


def first_turns(editor: Editor) -> Edits:
    """The sliders that a visitor finds: the best known attributes, or the first ones of a generator that draws no faces."""
    names = tuple(editor.library.titles)
    wanted = [name for name in ("yaw", "smile", "age") if name in names] or names[:3]
    return Edits(tuple(Turn(f"interfacegan/{name}") for name in wanted))
