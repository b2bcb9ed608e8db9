"""The explorer's fifth cell: the codes that FineGAN learned, each as a small picture where its embedding lies."""

from collections.abc import Callable
from typing import Any

import gradio as gr
import torch

from engines.core.errors import StudioError
from engines.explore.learned import Kind, code_map
from studio.media.export import data_url
from studio.services.finegan_sampler import BACKGROUND, CHILD, PARENT, Sampler
from studio.ui.cell import cell
from studio.ui.lanes import BACKGROUND as BACKGROUND_LANE
from studio.ui.lanes import LANE, PRIVATE
from studio.ui.run_events import spoken

_KINDS: dict[str, Kind] = {"appearances (child codes)": "child", "shapes (parent codes)": "parent", "backgrounds": "background"}
_WIDTH, _HEIGHT, _MARGIN = 900, 520, 44
_SIDES = {CHILD: 46, PARENT: 64, BACKGROUND: 46}
_HUES = 10
_PROSE = (
    "A code of the FineGAN tab is a number, but the network gives each a place: what it adds to the features. Nearby codes draw alike. "
    "Frames of one colour are children of one parent; rest on a picture to enlarge it."
)


def learned_cell(sampler: Sampler) -> Callable[[Any], None]:
    """The cell, nothing where there is no network; what it returns fills it after an event."""
    if not sampler.is_there:
        return lambda event: None
    with cell("The codes that FineGAN learned", _PROSE, folded=True):
        kind = gr.Radio(list(_KINDS), value=next(iter(_KINDS)), label="Codes", elem_id="learned-kind")
        picture = gr.HTML("", elem_id="learned-map")

    @spoken
    def draw(name: str) -> str:
        """The map of one kind of code."""
        if name not in _KINDS:
            raise StudioError(f"Choose one of {', '.join(_KINDS)}.")
        return drawn(sampler, _KINDS[name])

    kind.input(draw, kind, picture, **LANE)
    return lambda event: event.then(draw, kind, picture, **BACKGROUND_LANE, **PRIVATE)


def drawn(sampler: Sampler, kind: Kind) -> str:
    """A map as an SVG whose points are pictures."""
    found, pictures, side = code_map(sampler.finegan, kind), getattr(sampler.thumbnails(), kind), _SIDES[kind]
    low, high = found.places.min(dim=0).values, found.places.max(dim=0).values
    share = (found.places - low) / (high - low).clamp_min(1e-9)
    room = torch.tensor([_WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN])
    marks = []
    for number, (x, y) in enumerate((_MARGIN + share * room).tolist()):
        parent = number if kind == PARENT else sampler.finegan.parent_of(number)
        colour = f"hsl({360 * (parent % _HUES) // _HUES} 70% 50%)"
        marks.append(
            f'<g transform="translate({x:.1f} {_HEIGHT - y:.1f})"><g class="mark"><title>{kind} {number}, parent {parent}</title>'
            f'<image x="{-side / 2}" y="{-side / 2}" width="{side}" height="{side}" href="{data_url(pictures[number])}"/>'
            f'<rect x="{-side / 2}" y="{-side / 2}" width="{side}" height="{side}" fill="none" stroke="{colour}" stroke-width="3"/></g></g>'
        )
    across, up = (f"{float(value):.0%}" for value in found.explained)
    words = f"{len(marks)} {kind} codes. Of their variance, {across} lies across and {up} upwards; the rest is not seen here."
    return (
        f'<figure class="learned" role="img" aria-label="Map of {kind} codes"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(marks)}</svg>'
        f"<figcaption>{words}</figcaption></figure>"
    )
