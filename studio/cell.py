"""One cell of the notebook: a numbered heading with a short explanation, and the parts that cells have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import gradio as gr

from studio.session import note


@contextmanager
def cell(number: int, title: str, prose: str) -> Iterator[None]:
    """A framed cell; what is built inside belongs to it."""
    with gr.Column(elem_classes="cell"):
        gr.Markdown(f"### <span class='number'>{number}</span> {title}\n{prose}", elem_classes="prose")
        yield


@dataclass(frozen=True, eq=False)
class Runner:
    """Run and Stop side by side, with a line that says how far the run is."""

    run: gr.Button
    stop: gr.Button
    status: gr.Markdown


def runner(prefix: str, label: str = "Run") -> Runner:
    """The buttons of a cell whose work takes more than a moment."""
    with gr.Row(elem_classes="runner"):
        run = gr.Button(label, variant="primary", elem_id=f"{prefix}-run", min_width=120)
        stop = gr.Button("Stop", variant="stop", elem_id=f"{prefix}-stop", min_width=90)
    status = gr.Markdown("", elem_id=f"{prefix}-status", elem_classes="status")
    return Runner(run, stop, status)


def lesson(*names: str) -> None:
    """The notes of engines, folded: the idea in plain words with its formula."""
    for name in names:
        text = note(name)
        if text:
            title = text.lstrip("# ").splitlines()[0]
            with gr.Accordion(f"How it works: {title}", open=False):
                gr.Markdown(
                    text, latex_delimiters=[{"left": "$$", "right": "$$", "display": True}, {"left": "$", "right": "$", "display": False}]
                )


def code(prefix: str, text: str = "") -> gr.Code:
    """The lines of Python that do the same without the page."""
    with gr.Accordion("The same in Python", open=False):
        return gr.Code(text, language="python", elem_id=f"{prefix}-code", show_label=False, interactive=False)
