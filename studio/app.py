"""The page: a header, the shelf, the lab book, and the tabs in reading order."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from studio import api
from studio.services.autosave import Autosave
from studio.services.direction_library import Library
from studio.services.finegan_sampler import Sampler
from studio.state.session import Session
from studio.tabs.book import panel as book
from studio.tabs.edit import tab as edit
from studio.tabs.explore import tab as explore
from studio.tabs.hierarchy import tab as hierarchy
from studio.tabs.invert import tab as invert
from studio.tabs.mix import tab as mix
from studio.tabs.repeat import Repeats
from studio.tabs.start import panel as start
from studio.tabs.tab import Tab, TabContext
from studio.ui.intake import Page
from studio.ui.run_events import QUICK
from studio.ui.shelf_strip import Strip, strip
from studio.ui.ways import Ways

TITLE = "Latent Studio"
PANELS: tuple[Callable[[TabContext], None], ...] = (start.build, book.build)
"""What stands above the tabs."""
TABS: tuple[Tab, ...] = (invert.TAB, edit.TAB, explore.TAB, mix.TAB, hierarchy.TAB)

_TAB_NAME = """() => {
  try {
    const known = sessionStorage.getItem('latent-studio-tab');
    const name = known ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
    sessionStorage.setItem('latent-studio-tab', name);
    return name;
  } catch { return ''; }
}"""
"""A tab of the browser keeps its name over a reload, and gets a new one when it is opened."""


def build(session: Session, autosave: Autosave | None = None) -> gr.Blocks:
    """All tabs over one session; launching is left to the caller.

    Args:
        session: The generator, the visitors and the settings.
        autosave: Where visitors find again what they made before a restart.
    """
    with Page(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gr.Markdown(
            f"# {TITLE}\nSee, use and teach the latent spaces of GANs. The faces come from **{session.generator.name}**, "
            f"{session.generator.resolution} px, computed on **{session.generator.device}**.",
            elem_id="title",
        )
        shelf, library, sampler = strip(session), Library(session), Sampler(session)
        arrived = _arrival(session, page, shelf, autosave)
        context = TabContext(session, page, shelf, library, sampler, arrived, gr.State(()), Ways(), Repeats(session.visitors))
        for build_panel in PANELS:
            build_panel(context)
        with gr.Tabs() as tabs:
            for each in TABS:
                with gr.Tab(each.title, id=each.name, elem_id=f"tab-{each.name}") as tab:
                    each.build(context, tab)
        context.repeats.lay(arrived, context.ways)
        context.ways.lay(tabs, {each.name: each.place for each in TABS})
        api.build(session, library, sampler)

        async def leave(request: gr.Request) -> None:
            """Note that a visitor closed the page, or lost the connection: what they made stays for a while."""
            session.visitors.leave(request)
            session.lines.drop(str(request.session_hash))

        page.unload(leave)
    page.lines = session.lines
    session.lines.serve(page)
    return page


def _arrival(session: Session, page: gr.Blocks, shelf: Strip, autosave: Autosave | None) -> Any:
    """The event of a page that opens: its tab finds again what it had, the shelf first; what else is shown follows this event."""
    tab = gr.Textbox(visible=False, label="Name of the tab")

    def arrive(tab: str, request: gr.Request) -> dict[Any, Any]:
        visitor = session.visitors.arrive(request, tab)
        if autosave is not None:
            autosave.restore(visitor, request, tab)
        return shelf.show(visitor, visitor.edited[0].chosen if visitor.edited else None)

    return page.load(arrive, tab, shelf.outputs, js=_TAB_NAME, show_progress="hidden", **QUICK)
