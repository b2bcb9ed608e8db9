"""What every cell of the tab Edit directions can count on: the parts of the studio, and the two values that say what is edited."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.services.direction_library import Library
from studio.services.editor import Editor
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.ui.shelf_strip import Strip


@dataclass(frozen=True, eq=False)
class EditContext:
    """Handed to each cell's `build(context)`.

    An event that needs the face or the edits lists `face` and `edits` among its inputs and gets a `studio.state.edits.Face` and `Edits`:
    `context.editor.moved(visitor, face, edits)` is the moved code, `.draw(...)` its picture, `.direction(visitor, turn, keep)` a direction
    as its slider uses it (`context.library.get(key, visitor)` as it was found), and `context.title(key, visitor)` what the slider says.

    Attributes:
        session: The generator and the engines.
        strip: The shelf above the tabs.
        opened: State that changes once, when the tab is first opened: nothing is drawn before.
        library: Directions by key.
        editor: Codes moved and drawn.
        face: State holding a `Face`.
        edits: State holding the `Edits` as the sliders stand.
        keys: State holding the keys of the sliders: unlike `edits`, it changes only when a slider comes or goes.
        added: State for the key (from `library.add`) that a cell's event found: list it among that event's outputs.
        revised: State counting how often the visitor's own directions were renamed or deleted: menus follow it.
        use: `context.use(event)` gives the direction whose key `added` holds a slider, once that event succeeded.
        rename: `context.rename(event)` lets sliders and cards say the names as they are now.
    """

    session: Session
    strip: Strip
    opened: gr.State
    library: Library
    editor: Editor
    face: gr.State
    edits: gr.State
    keys: gr.State
    added: gr.State
    revised: gr.State
    use: Callable[[Any], None]
    rename: Callable[[Any], None]

    def visitor(self, request: gr.Request) -> Visitor:
        """The visitor's state."""
        return self.session.visitors.visitor(request)

    def title(self, key: str, visitor: Visitor) -> str:
        """What a slider says: the direction's name with its method."""
        return self.library.title(key, visitor)
