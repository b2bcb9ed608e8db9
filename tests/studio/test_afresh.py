"""A new run clears all that the one before it left, whichever cell it belongs to."""

import re
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

import studio.tabs
from engines.core.errors import StudioError
from studio.ui.afresh import afresh, as_built, blank
from studio.ui.run_control import Going

WHOLE = {"explore/handlers.py", "edit/upload.py"}
"""Where a run replaces all that is there at once, or shows the face at hand from the start."""


def test_a_component_is_given_back_as_it_was_built() -> None:
    with gr.Blocks():
        keep = gr.Button("Put on the shelf", interactive=False)
        file = gr.DownloadButton("Download", interactive=False)
        gallery, slider, words = gr.Gallery(visible=False), gr.ImageSlider(label="Photo | inversion"), gr.Markdown("Figures appear here.")
        view, state = gr.Radio(["a", "b"], value="a", visible=False), gr.State([1])
    assert as_built(keep) == gr.update(value="Put on the shelf", visible=True, interactive=False)
    assert as_built(file) == gr.update(value=None, visible=True, interactive=False)
    assert as_built(gallery) == gr.update(value=None, visible=False)
    assert as_built(slider) == gr.update(value=None, visible=True)
    assert as_built(words) == gr.update(value="Figures appear here.", visible=True)
    assert as_built(view) == gr.update(value="a", visible=False)
    assert as_built(state) == [1] and as_built(state) is not state.value
    assert blank([keep, words]) == {keep: as_built(keep), words: as_built(words)}


def steps(run: Going) -> list[Any]:
    """All updates, the last one too."""
    said = []
    while True:
        try:
            said.append(next(run))
        except StopIteration as end:
            return [*said, end.value]


@pytest.fixture
def cleared() -> tuple[Any, Any]:
    with gr.Blocks():
        return gr.HTML("", label="curve"), gr.Markdown("nothing yet")


def test_the_first_update_clears_and_the_others_fill(cleared: tuple[Any, Any]) -> None:
    curve, figures = cleared

    def run() -> Going:
        yield {"status": "Step 1", curve: "a line"}
        return {"status": "Done", figures: "0.1"}

    first, last = steps(afresh(cleared, run()))
    assert first == {"status": "Step 1", curve: "a line", figures: as_built(figures)}
    assert last == {"status": "Done", figures: "0.1"}


def test_a_run_without_a_step_clears_too_and_one_that_cannot_begin_leaves_all(cleared: tuple[Any, Any]) -> None:
    def short() -> Going:
        return {"status": "Stopped."}
        yield {}

    def impossible() -> Going:
        raise StudioError("There is no picture yet.")
        yield {}

    assert steps(afresh(cleared, short())) == [{"status": "Stopped."} | blank(cleared)]
    with pytest.raises(StudioError, match="no picture"):
        next(afresh(cleared, impossible()))


def test_every_run_on_the_page_begins_afresh() -> None:
    folder = Path(studio.tabs.__file__).parent
    going = {
        str(path.relative_to(folder)): re.findall(r"\.going\(request, (\w+)", path.read_text("utf-8")) for path in folder.rglob("*.py")
    }
    assert sum(map(len, going.values())) > 15
    assert {name for name, runs in going.items() if set(runs) - {"afresh"}} == WHOLE
