"""A tab is a package and a line: whatever is listed is built, and ways lead to it."""

import gradio as gr
import pytest

from studio import app
from studio.settings import Settings
from studio.state.session import Session
from studio.tabs.tab import Tab, TabContext
from studio.ui.cell import cell
from studio.ui.ways import EDIT, Ways


def _build(context: TabContext, tab: gr.Tab) -> None:
    with cell("Own cell", "A tab of somebody's own."):
        button = gr.Button("Edit it", elem_id="own-edit")
        gr.Markdown("", elem_id="own-place")
    context.ways.lead(button.click(lambda: None, None, None), EDIT, takes=True)
    context.ways.lead(button.click(lambda: None, None, None), "own", takes=True)
    context.ways.taken_by("own", lambda event: event.success(lambda: None, None, None, api_name="own_taken"))


@pytest.fixture(scope="module")
def config() -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "TABS", (*app.TABS, Tab("own", "A tab of one's own", "own-place", _build)))
        return app.build(Session(Settings(generator="toy"))).config


def test_a_tab_is_added_by_a_line(config: dict) -> None:
    tabs = [each["props"] for each in config["components"] if str(each["props"].get("elem_id")).startswith("tab-")]
    assert [tab["id"] for tab in tabs] == ["invert", "edit", "explore", "mix", "hierarchy", "own"]
    assert tabs[-1]["label"] == "A tab of one's own"
    assert any(each["props"].get("elem_id") == "cell-own-own-cell" for each in config["components"])


def test_ways_lead_to_it_and_from_it(config: dict) -> None:
    scripts = [str(event["js"]) for event in config["dependencies"]]
    assert sum("own-place" in script for script in scripts) == 1
    assert [event["api_name"] for event in config["dependencies"]].count("own_taken") == 1


def test_a_way_to_a_tab_that_is_not_there_is_told_while_the_page_is_built() -> None:
    ways = Ways()
    with gr.Blocks():
        ways.lead(gr.Button().click(lambda: None, None, None), "nowhere")
        tabs = gr.Tabs()
        with pytest.raises(KeyError, match="nowhere"):
            ways.lay(tabs, {"own": "own-place"})


def test_each_tab_s_place_is_on_it(page: gr.Blocks) -> None:
    """What is brought into sight is a component inside that tab."""
    for each in app.TABS:
        block = next(block for block in page.blocks.values() if block.elem_id == each.place)
        around = set()
        while block is not None:
            around.add(block.elem_id)
            block = block.parent
        assert f"tab-{each.name}" in around
