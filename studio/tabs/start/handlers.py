"""What the panel's events are answered with: the portrait under three sliders, and the same in the tab Edit directions."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import gradio as gr
from PIL import Image as Pil

from engines.core.images import to_picture
from engines.generators.incremental import draw_inversion
from engines.spaces.directions import apply_directions
from studio.services.direction_library import Library
from studio.services.editor import Editor
from studio.services.example import Example
from studio.state.edits import Edits, Turn
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.ui.run_events import spoken
from studio.ui.shelf_strip import Strip

_NOBODY = Visitor(0)
_KEPT = 200
ATTRIBUTES = ("smile", "yaw", "age")
"""What the sliders turn, where the generator has them."""


class StartHandlers:
    """The order of arguments is that of the inputs in the panel's wiring.

    Args:
        session: The generator.
        library: Directions by key.
        strip: The shelf above the tabs.
    """

    def __init__(self, session: Session, library: Library, strip: Strip) -> None:
        self.session, self.strip = session, strip
        self.editor, self.example = Editor(session, library), Example(session)
        names = [name for name in ATTRIBUTES if name in library.titles] or list(library.titles)[:3]
        self.turns = tuple(Turn(f"interfacegan/{name}") for name in names)
        self._drawn: OrderedDict[tuple[float, ...], Pil.Image] = OrderedDict()

    def edits(self, strengths: Sequence[float]) -> Edits:
        """The sliders as edits."""
        return Edits(self.turns).at(strengths)

    @spoken
    def show(self, *strengths: float) -> Pil.Image:
        """The face with its sliders as they stand. Everyone begins with the same face, so that pictures are drawn once for all."""
        edits = self.edits(strengths)
        name = tuple(turn.strength for turn in edits.turns)
        picture = self._drawn.get(name)
        if picture is None:
            picture = self._drawn[name] = self._draw(edits)
            if len(self._drawn) > _KEPT:
                self._drawn.popitem(last=False)
        return picture

    def _draw(self, edits: Edits) -> Pil.Image:
        generator, size = self.session.generator, self.session.live_size
        if not self.example.is_portrait:
            return self.editor.sketch(_NOBODY, self.example.face(_NOBODY), edits, size)
        pairs = [(self.editor.direction(_NOBODY, turn), turn.strength) for turn in edits.moving]
        return to_picture(draw_inversion(generator, apply_directions(self.example.inversion.to(generator.device), pairs, generator), size))

    @spoken
    def go_on(self, request: gr.Request, *strengths: float) -> dict[Any, Any]:
        """The same face, as it stands, for the tab Edit directions, with its sliders: what was edited there before is left."""
        visitor = self.session.visitors.visitor(request)
        face = self.example.face(visitor)
        visitor.edited, visitor.edited_on = (face, self.edits(strengths)), ""
        return self.strip.show(visitor, face.chosen)
