"""Rules that hold for every event of the page."""

import re
from pathlib import Path

import gradio as gr

import studio


def test_no_event_of_the_page_shows_gradios_own_words_for_a_wait(page: gr.Blocks) -> None:
    """Endpoints for programs have no component in sight; whatever a person sets off is told in words of our own."""
    leaking = [str(event.name) for event in page.fns.values() if event.api_visibility != "public" and event.show_progress != "hidden"]
    assert leaking == []


def test_no_event_has_hidden_progress_to_draw(page: gr.Blocks) -> None:
    """A browser draws the progress of all that events ever filled anew with each word about any event: a page in use would stand still."""
    hidden = [event for event in page.get_config_file()["dependencies"] if event["show_progress"] == "hidden"]
    assert len(hidden) > 100
    assert [event["api_name"] for event in hidden if event["show_progress_on"] != []] == []


def test_no_event_that_follows_another_is_dropped(page: gr.Blocks) -> None:
    """A browser leaves out an event of the mode "once" whose last turn has not ended yet: a run that was claimed would never begin."""
    following = [event for event in page.fns.values() if event.trigger_after is not None]
    assert len(following) > 100
    assert [str(event.name) for event in following if event.trigger_mode == "once"] == []


def test_cells_are_numbered_by_their_order_on_the_tab(page: gr.Blocks) -> None:
    tabs = [tab for tab in page.blocks.values() if isinstance(tab, gr.Tab) and str(tab.elem_id).startswith("tab-")]
    for tab in tabs:
        cells = [block for block in tab.children if "cell" in (block.elem_classes or [])]
        heads = [next(part.value for part in block.children if isinstance(part, gr.HTML)) for block in cells]
        assert [int(re.search(r"number'>(\d+)<", head)[1]) for head in heads] == list(range(1, len(cells) + 1))  # type: ignore[index]
        assert len(cells) > 3


def test_each_cell_and_fold_has_an_address_of_its_own(page: gr.Blocks) -> None:
    """Its first child is what folds it, and the address names the tab that the script selects."""
    parts = [block for block in page.blocks.values() if {"cell", "fold"} & set(getattr(block, "elem_classes", None) or [])]
    names = [str(part.elem_id) for part in parts]
    assert len(set(names)) == len(names) > 40
    for part in parts:
        heading = part.children[0]
        assert heading.elem_classes == ["heading"] and "aria-expanded" in heading.value
    tabs = {str(block.elem_id) for block in page.blocks.values() if isinstance(block, gr.Tab)}
    assert {"tab-" + name.split("-")[1] for name in names} <= tabs


def test_no_text_of_the_page_names_a_class(page: gr.Blocks) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(studio.__file__).parent.rglob("*.py"))
    names = {name for name in re.findall(r"^class (\w+)", code, re.MULTILINE) if re.search(r"[a-z][A-Z]", name)}
    said = [
        text
        for block in page.blocks.values()
        if not isinstance(block, gr.Code)
        for part in ("label", "info", "placeholder", "value")
        if isinstance(text := getattr(block, part, None), str)
    ]
    assert len(names) > 20 and len(said) > 200
    assert [text for text in said if names & set(re.findall(r"\w+", text))] == []
