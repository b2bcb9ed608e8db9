"""The cell that compares methods on one photo: a table, the trade between likeness and editing, and the same edit of each."""

from typing import Any

import gradio as gr

from engines.comparison import inverters
from studio.cell import cell, code
from studio.events import QUICK
from studio.library import Library
from studio.pages.compare.answers import Answers
from studio.pages.compare.parts import VIEW, Parts, parts
from studio.pages.explore.parts import PLOTLY
from studio.running import connect_stop
from studio.session import Session
from studio.strip import Strip

__all__ = ["build"]

PROSE = (
    "Every method answers the same photo, one after another, and the same edit is applied to each. A code far from W resembles more and "
    "edits worse: the plot shows the trade. Rows stay while the photo does, so methods can be added one by one."
)
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_QUIET: dict[str, Any] = QUICK | {"show_progress": "hidden"}


def build(session: Session, strip: Strip, library: Library, number: int) -> None:
    """The cell and its events.

    Args:
        session: The generator and the engines.
        strip: The shelf above the tabs.
        library: Where directions come from.
        number: Of the cell on its tab.
    """
    gr.set_static_paths([PLOTLY])
    with cell(number, "Compare methods", PROSE):
        built = parts({engine.card.name: engine for engine in inverters(session.generator)}, library)
        code("compare", _SNIPPET)
    _connect(Answers(session, library, strip, built), built)


def _connect(answers: Answers, built: Parts) -> None:
    edit = [built.edit, built.strength]
    runs = answers.runs
    runs.connect(answers.run, [built.methods, *edit], built.filled, answers.claim, built.methods)
    runs.connect(answers.edit, edit, built.filled, answers.claim_edit, triggers=[built.again.click])
    connect_stop(runs)
    built.clear.click(answers.clear, None, built.filled, **_QUIET)
    built.table.pick(answers.put, None, answers.shelf.outputs, **_QUIET)
    built.axis.change(None, built.axis, None, js=VIEW, **_PRIVATE)


_SNIPPET = """from pathlib import Path

from engines import FitRequest, InvertRequest, create, load_generator
from engines.comparison import Judge, reader
from engines.core.images import read_image, to_picture, to_tensor
from engines.data import face_bank
from engines.faces import align, find_faces

generator = load_generator("ffhq")
photo = read_image(Path("photo.jpg"))
target = to_tensor(align(photo, find_faces(photo)[0].alignment))
smile = create("interfacegan", generator)(FitRequest(bank=face_bank(generator), attribute="smile")).directions[0]
judge = Judge(generator, reads=reader(generator))
for name in ("projector", "image2stylegan"):
    inversion = create(name, generator)(InvertRequest(image=target)).inversions[0]
    image = judge.draw(inversion)
    edited = judge.edited(inversion, image, target, (smile, 2.0))
    print(name, judge.figures(image, target), edited.figures)
    to_picture(edited.image).save(f"{name}-smiling.png")
"""
