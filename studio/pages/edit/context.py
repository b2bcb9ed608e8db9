"""What every cell of the tab Edit directions can count on: the parts of the studio, and the two values that say what is edited."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.editor import Editor
from studio.events import PREVIEW_LANE
from studio.library import Library
from studio.session import Session
from studio.shelf import Desk
from studio.strip import Strip

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
AT_ONCE: dict[str, Any] = {"queue": False} | PRIVATE
"""Events that only move values about."""

LANE: dict[str, Any] = {"concurrency_id": PREVIEW_LANE, "concurrency_limit": 1} | PRIVATE
"""Events that draw a picture or two."""

IN_TURN: dict[str, Any] = {"trigger_mode": "multiple"} | LANE
"""Events that change the edits: one after another with the previews, which write them too, or the later answer would undo the earlier."""

BACKGROUND: dict[str, Any] = {"concurrency_id": "background", "concurrency_limit": 1}
"""Events that draw what nobody waits for."""

ASIDE: dict[str, Any] = {"concurrency_id": "aside", "concurrency_limit": 1}
"""Events that follow a picture that settled."""


@dataclass(frozen=True, eq=False)
class EditContext:
    """Handed to each cell's `build(context)`; cells 1 to 4 are a face, directions, sliders, keeping; workshop 5, motion 6, measure 7.

    An event that needs the face or the edits lists `face` and `edits` among its inputs and gets a `studio.edits.Face` and `Edits`:
    `context.editor.moved(desk, face, edits)` is the moved code, `.draw(...)` its picture, `.direction(desk, turn, keep)` a direction as
    its slider uses it (`context.library.get(key, desk)` as it was found), and `context.title(key, desk)` what the slider says.

    Attributes:
        session: The generator and the engines.
        strip: The shelf above the tabs.
        page: For events at loading.
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
    page: gr.Blocks
    library: Library
    editor: Editor
    face: gr.State
    edits: gr.State
    keys: gr.State
    added: gr.State
    revised: gr.State
    use: Callable[[Any], None]
    rename: Callable[[Any], None]

    def desk(self, request: gr.Request) -> Desk:
        """The visitor's desk."""
        return self.session.visitors.desk(request.session_hash)

    def title(self, key: str, desk: Desk) -> str:
        """What a slider says: the direction's name with its method."""
        return self.library.title(key, desk)
