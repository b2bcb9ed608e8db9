"""One cell of the notebook: a numbered heading that folds it, a short explanation, and the parts that cells have in common.

Folding is done in the browser alone (`cells.js`, `cells.css`): what is folded is built and updated all the same.
"""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import BlockContext
from gradio.context import Context

from studio.state.session import note
from studio.ui.terms import explained

_FORMULAS = [{"left": "$$", "right": "$$", "display": True}, {"left": "$", "right": "$", "display": False}]


@contextmanager
def cell(title: str, prose: str, *, folded: bool = False) -> Iterator[None]:
    """A framed cell, numbered by its place on the tab; what is built inside belongs to it.

    Its address is `#cell-TAB-TITLE`, both in small letters with hyphens.

    Args:
        title: Of the cell.
        prose: What it is for, in a sentence or two of HTML.
        folded: Whether it begins folded, until the visitor opens it.
    """
    earlier = [block for block in Context.block.children if _is("cell", block)] if Context.block else []
    name = f"cell-{_tab()}-{_plain(title)}"
    with gr.Column(elem_id=name, elem_classes=["cell", "folds"] if folded else "cell"):
        heading = _button("cell-head", f"<span class='number'>{len(earlier) + 1}</span> {html.escape(title)}", opens=not folded)
        link = f"<a class='anchor' href='#{name}' aria-label='Link to the cell {html.escape(title)}' title='Link to this cell'>#</a>"
        head = f"<h3>{heading}{link}<span class='state'></span></h3><p>{explained(prose)}</p>"
        gr.HTML(head, elem_classes="heading", apply_default_css=False)
        yield


@contextmanager
def fold(title: str, *, folded: bool = True) -> Iterator[None]:
    """A part of a cell that few need, below a line that opens it; unlike an accordion's, its components are always there."""
    above = next((block for block in _around() if _is("cell", block)), None)
    name = f"{above.elem_id if above else 'fold'}--{_plain(title)}"
    with gr.Column(elem_id=name, elem_classes=["fold", "folds"] if folded else "fold"):
        gr.HTML(_button("fold-head", html.escape(title), opens=not folded), elem_classes="heading", apply_default_css=False)
        yield


def _button(kind: str, inside: str, *, opens: bool) -> str:
    """What folds and unfolds; the script sees to it."""
    return f"<button type='button' class='{kind}' aria-expanded='{str(opens).lower()}'>{inside}</button>"


def _around() -> Iterator[BlockContext]:
    """The blocks that the next component is built in, from the innermost."""
    block = Context.block
    while block is not None:
        yield block
        block = block.parent


def _is(kind: str, block: Any) -> bool:
    return kind in (block.elem_classes or [])


def _tab() -> str:
    """The outermost tab's name."""
    tabs = [str(block.elem_id).removeprefix("tab-") for block in _around() if isinstance(block, gr.Tab)]
    return tabs[-1] if tabs else "page"


def _plain(title: str) -> str:
    """A title as a part of an address."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


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


@dataclass(frozen=True, eq=False)
class Lesson:
    """The note of one engine, folded: the idea in plain words with its formula."""

    fold: gr.Accordion
    text: gr.Markdown

    def show(self, name: str) -> dict[Any, Any]:
        """The note of another engine, by component."""
        text = note(name)
        return {self.fold: gr.Accordion(label=_heading(text), visible=bool(text)), self.text: text}


def lesson(name: str) -> Lesson:
    """The note of an engine; hidden where there is none."""
    text = note(name)
    with gr.Accordion(_heading(text), open=False, visible=bool(text)) as fold:
        shown = gr.Markdown(text, latex_delimiters=_FORMULAS)
    return Lesson(fold, shown)


def _heading(text: str) -> str:
    return f"How it works: {text.lstrip('# ').splitlines()[0]}" if text else ""


def code(prefix: str, text: str = "") -> gr.Code:
    """The lines of Python that do the same without the page."""
    with gr.Accordion("The same in Python", open=False):
        return gr.Code(text, language="python", elem_id=f"{prefix}-code", show_label=False, interactive=False)
