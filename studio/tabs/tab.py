"""What a tab is: a package with a `Tab` in it, listed in `studio.app`; and what every tab and panel is built from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.services.direction_library import Library
from studio.services.finegan_sampler import Sampler
from studio.state.session import Session
from studio.tabs.repeat import Repeats
from studio.ui.shelf_strip import Strip
from studio.ui.ways import Ways


@dataclass(frozen=True, eq=False)
class TabContext:
    """Handed to what builds a tab or a panel above the tabs.

    Attributes:
        session: The generator, the visitors and the settings.
        page: The page.
        shelf: The shelf above the tabs.
        library: Directions by key.
        sampler: FineGAN.
        arrived: The event of a page that opens, after which a visitor's things are there again.
        keys: State holding the keys of the directions that have a slider, once the tab that has the sliders is built.
        ways: Where a tab says what is done with a face that is sent to it, and sends faces to others, whichever they are.
        repeats: Where a tab says which recipes it takes up, and by which button a saved picture is brought.
    """

    session: Session
    page: gr.Blocks
    shelf: Strip
    library: Library
    sampler: Sampler
    arrived: Any
    keys: gr.State
    ways: Ways
    repeats: Repeats


@dataclass(frozen=True)
class Tab:
    """One tab of the page.

    Attributes:
        name: In addresses: `#cell-NAME-...`.
        title: What people read.
        place: `elem_id` of what is brought into sight when something leads here.
        build: Makes the cells and events inside the given tab.
    """

    name: str
    title: str
    place: str
    build: Callable[[TabContext, gr.Tab], None]
