"""How an event of the page is sent and in which line it waits: one set of arguments for each kind of event."""

from typing import Any

from studio.serving.lines import ASIDE as ASIDE_LINE
from studio.serving.lines import BACKGROUND as BACKGROUND_LINE
from studio.serving.lines import MAP, POINT, PREVIEW, SETTLE

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
AT_ONCE: dict[str, Any] = {"queue": False} | PRIVATE
"""Events that only move values about."""

LANE: dict[str, Any] = {"concurrency_id": PREVIEW} | PRIVATE
"""Events that draw a picture or two."""

POINTED: dict[str, Any] = {"concurrency_id": POINT} | PRIVATE
"""Events that draw a face of a map: never while the visitor's map is drawn anew."""

SETTLED: dict[str, Any] = {"concurrency_id": SETTLE} | PRIVATE
"""Events that draw the full picture once the hand rests."""

MAPPED: dict[str, Any] = {"concurrency_id": MAP} | PRIVATE
"""Events that place thousands of faces on a map, which takes seconds: no slider of another visitor waits for that."""

IN_TURN: dict[str, Any] = {"trigger_mode": "multiple"} | LANE
"""Events that change the edits: one after another with the previews, which write them too, or the later answer would undo the earlier."""

BACKGROUND: dict[str, Any] = {"concurrency_id": BACKGROUND_LINE}
"""Events that draw what nobody waits for."""

ASIDE: dict[str, Any] = {"concurrency_id": ASIDE_LINE}
"""Events that follow a picture that settled."""
