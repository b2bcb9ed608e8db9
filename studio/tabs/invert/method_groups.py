"""Methods of inversion by what one wants of them, each with what it makes of the bundled portrait."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import gradio as gr
from PIL import Image as Pil

from engines.core.weights import assets
from engines.plugins import AnyEngine
from studio.media.export import data_url

_SCRIPT = Path(__file__).with_name("methods.js")
_SIDE = 96
_FAITHFUL = "Faithful", "the photo is met closely, in some seconds to a minute"
_QUICK = "In a second", "networks answer at once; close relatives of the photo, easy to edit"
_EDITABLE = "Easy to edit", "codes are held where edits work, at the cost of likeness"


def group_of(engine: type[AnyEngine]) -> tuple[str, str]:
    """The heading of a method, and what its group is for."""
    return _QUICK if engine.one_pass else _EDITABLE if engine.editable else _FAITHFUL


def grouped(engines: Sequence[type[AnyEngine]]) -> list[type[AnyEngine]]:
    """The methods in the order in which they are shown: group by group, within each as they were."""
    return sorted(engines, key=lambda engine: (_FAITHFUL, _QUICK, _EDITABLE).index(group_of(engine)))


def groups(engines: Sequence[type[AnyEngine]]) -> gr.HTML:
    """What puts headings, pictures and seconds to the buttons of the methods; its script finds them by their address."""
    told = json.dumps(list(_told(grouped(engines))))
    script = f"const METHODS = {told};\n{_SCRIPT.read_text(encoding='utf-8')}"
    return gr.HTML(
        "", html_template="<span hidden></span>", js_on_load=script, apply_default_css=False, elem_id="invert-groups", container=False
    )


def _told(engines: Sequence[type[AnyEngine]]) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    for heading in dict.fromkeys(group_of(engine) for engine in engines):
        names = [engine.card.name for engine in engines if group_of(engine) == heading]
        yield *heading, [(name, _sample(name)) for name in names]


def _sample(name: str) -> str:
    """What a method made of the bundled portrait, as `scripts.method_samples` drew it; nothing where it did not."""
    path = assets() / "samples" / f"{name}.jpg"
    if not path.is_file():
        return ""
    with Pil.open(path) as picture:
        return data_url(picture, _SIDE)
