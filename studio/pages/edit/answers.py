"""What the tab's events are answered with: previews while a slider moves, the full picture once it rests, steps back and forth."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from engines.core.errors import SpaceError, StudioError
from engines.core.images import png_bytes, to_picture
from engines.core.memory import give_back
from studio.editor import Editor
from studio.edits import MOST, Edits, Face, History, Turn
from studio.events import offer, spoken
from studio.library import own_attribute
from studio.pages.edit.choose import taken
from studio.pages.edit.meter import UNMEASURED, aside, meter
from studio.pages.edit.recipe import recipe
from studio.pages.edit.turn import arrange, range_of, reaching, words
from studio.shelf import Desk
from studio.strip import Strip

REST_SECONDS = 0.4


class Answers:
    """The order of arguments is that of the inputs in `connect`."""

    def __init__(self, editor: Editor, strip: Strip) -> None:
        self.editor = editor
        self.strip = strip
        self.size = editor.session.live_size

    def desk(self, request: gr.Request) -> Desk:
        return self.editor.session.visitors.desk(request.session_hash)

    @spoken
    def preview(self, request: gr.Request, face: Face, edits: Edits, *strengths: float) -> list[Any]:
        """The live picture after a slider moved."""
        desk = self.desk(request)
        desk.move()
        edits = edits.at(strengths)
        return [self.editor.draw(desk, face, edits, self.size), edits, words(self.editor, desk, edits)]

    async def rest(self) -> None:
        """Wait a moment, so that only a hand at rest asks for the full picture."""
        await asyncio.sleep(REST_SECONDS * 1.1)  # a little more than `settle` asks for: the last move's wait must never count as too short

    @spoken
    def settle(self, face: Face, edits: Edits, history: History[Edits], request: gr.Request) -> list[Any]:
        """The full picture, and a step to undo, unless a newer move is under way."""
        desk = self.desk(request)
        if not desk.rested(REST_SECONDS):
            return [gr.skip() for _ in range(5)]
        desk.drawn = desk.moves
        before, after = to_picture(self.editor.before(desk, face)), self.editor.draw(desk, face, edits)
        file = gr.DownloadButton(value=offer("edited.png", png_bytes(after)), interactive=True)
        return [after, (before, after), file, history.settled(edits), recipe(self.editor, desk, face, edits)]

    @spoken
    def measure(self, face: Face, edits: Edits, request: gr.Request) -> str:
        """The side-effect meter, for the picture that settled."""
        if not edits.moving:
            return UNMEASURED
        own = {own_attribute(turn.key) or "" for turn in edits.moving}
        return meter(self.editor.effects(self.desk(request), face, edits), self.editor.library.attributes, own)

    @spoken
    def asides(self, face: Face, edits: Edits, request: gr.Request) -> list[Any]:
        """Each slider's own small meter; when a hand moves on, the rest waits for its next rest."""
        desk, drawn = self.desk(request), []
        moves = desk.moves
        for turn in edits.turns:
            if desk.moves != moves:
                break
            scores = (self.editor.score(desk, face, Edits(), turn.key), self.editor.score(desk, face, edits, turn.key))
            figures = self.editor.alone(desk, face, turn, edits.keep) if turn.strength else None
            drawn.append(aside(scores, figures, self.editor.library.attributes, own_attribute(turn.key) or ""))
        return [*drawn, *[gr.skip() for _ in range(MOST - len(drawn))]]

    @spoken
    def redraw(self, face: Face, edits: Edits, request: gr.Request) -> list[Any]:
        """The same edits on another face; the sliders are left alone, since a hand may be moving them by now."""
        desk = self.desk(request)
        desk.move()
        try:
            picture = self.editor.draw(desk, face, edits, self.size)
        except SpaceError as error:  # a direction of Z on a face from the shelf: better the face as it is than one that was left
            gr.Warning(str(error), duration=12)
            return [self.editor.draw(desk, face, Edits(), self.size), f"⚠️ {error}"]
        return [picture, words(self.editor, desk, edits)]

    @spoken
    def arrange(self, face: Face, edits: Edits, which: str | None, keys: tuple[str, ...], request: gr.Request) -> list[Any]:
        """Edits that did not come from a slider, so the controls follow; a new direction is the one to be looked at closely."""
        desk = self.desk(request)
        for key in self.editor.library.gone(edits.keys, desk):  # an undo may bring back the slider of a direction that was deleted since
            edits = edits.without(key)
        which = next((key for key in edits.keys if key not in keys), which)
        return [*self.redraw(face, edits, request), edits, edits.keys, *arrange(self.editor, desk, edits, which)]

    @spoken
    def five(self, face: Face, edits: Edits, which: str | None, request: gr.Request) -> list[Any]:
        """One direction at five strengths, the other sliders as they are."""
        turn = next((turn for turn in edits.turns if turn.key == which), None)
        if turn is None:
            return []
        desk = self.desk(request)
        pictures = [
            (self.editor.sketch(desk, face, edits.with_turn(replace(turn, strength=at)), self.size), f"{at:+g} sigma" if at else "as it is")
            for at in self.editor.library.reach(turn.key, desk).strip
        ]
        give_back()  # the hand rests: nobody waits for pages
        return pictures

    @spoken
    def put(self, face: Face, edits: Edits, request: gr.Request) -> list[Any]:
        """The edited code on the shelf."""
        desk = self.desk(request)
        picture = self.editor.draw(desk, face, edits, self.size)
        title = "Edited" if face.kind != "Seed" else f"Seed {int(face.seed or 0)}" + (", edited" if edits.moving else "")
        desk.put(title, picture, self.editor.moved(desk, face, edits))
        return self.strip.show(desk, face.chosen)  # chosen, it would be edited once more

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

    def _accepted(self, request: gr.Request, old: Edits, new: Edits, undone: Any) -> list[Any]:
        """New edits if every direction survives them, and otherwise a sentence and the control as it was."""
        try:
            for turn in new.turns:
                self.editor.direction(self.desk(request), turn, new.keep)
        except StudioError as error:
            gr.Warning(str(error), duration=12)
            return [old, undone]
        return [new, gr.skip()]


def back(history: History[Edits]) -> list[Any]:
    """A step back."""
    earlier = history.back()
    return [earlier, earlier.past[-1] if earlier.past else gr.skip()]


def forth(history: History[Edits]) -> list[Any]:
    """A step forth."""
    later = history.forth()
    return [later, later.past[-1] if later.past else gr.skip()]


def first_turns(editor: Editor) -> Edits:
    """The sliders that a visitor finds: the best known attributes, or the first ones of a generator that draws no faces."""
    names = tuple(editor.library.titles)
    wanted = [name for name in ("yaw", "smile", "age") if name in names] or names[:3]
    return Edits(tuple(Turn(f"interfacegan/{name}") for name in wanted))
