"""What Gradio keeps of a session, without a copy of the page that nothing here reads.

Gradio describes every component anew for each session, for links that hand out a page as one left it; those links are closed here
(`studio.serving.guard.doors`). On a page of a thousand components that took a fifth of a second and 1.7 MB at each opening.
"""

import datetime
from types import SimpleNamespace
from typing import Any

import gradio as gr
import gradio.state_holder
from gradio.state_holder import SessionState

MOST_SESSIONS = 2000
"""Sessions whose state Gradio keeps, the last used ones: a visitor who comes back after that is found again by their cookie."""


class LeanState(SessionState):  # type: ignore[misc]
    """The values of states and the components that changed, by their numbers."""

    def __init__(self, blocks: gr.Blocks) -> None:
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks={}))

    def __setitem__(self, key: int, value: Any) -> None:
        """Keep a state's value, or a component as it is now."""
        block = self.blocks_config.blocks.get(key)
        if isinstance(block, gr.State):
            self._state_ttl[key] = (block.time_to_live, datetime.datetime.now())
            self.state_data[key] = value
        else:
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Nothing describes the page again."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nothing describes the page again."""


gradio.state_holder.SessionState = LeanState
