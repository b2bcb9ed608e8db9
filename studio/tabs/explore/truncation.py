"""The explorer's fourth cell: what truncation does to the spread of codes, and to the same six faces."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import gradio as gr
import torch

from engines.core.images import to_picture
from engines.spaces.statistics import statistics
from studio.media.export import data_url
from studio.serving.lines import ASIDE, PREVIEW
from studio.tabs.explore.maps import Maps
from studio.ui.cell import cell

FACES = 6
_BEGIN = 0.6
STEPS = (0.0, 0.3, 0.5, 0.7, 1.0)
_LANE: dict[str, Any] = {
    "concurrency_id": PREVIEW,
    "concurrency_limit": 1,
    "api_visibility": "private",
    "show_progress": "hidden",
}


def truncation_cell(maps: Maps) -> Callable[[Any], None]:
    """The cell; what it returns fills it after an event."""
    prose = "Truncation draws every code towards the average: w becomes mean + psi (w - mean). Faces get safer, and more alike."
    with cell("Truncation", prose, folded=True):
        slider = gr.Slider(
            0.0, 1.2, _BEGIN, step=0.02, label="Your psi", info="beyond 1 faces grow stranger than random ones", elem_id="truncation-psi"
        )
        yours = gr.HTML("", elem_id="truncation-yours")
        rows = gr.HTML("", elem_id="truncation-rows")

    @cache
    def row(psi: float) -> str:
        return _row(maps, psi)

    def fixed() -> Iterator[Any]:
        """The same six faces at five values, row by row, and at the slider's."""
        for count in range(1, len(STEPS) + 1):
            yield "".join(row(psi) for psi in STEPS[:count]), gr.skip()
        yield gr.skip(), row(_BEGIN)

    slider.input(lambda psi: _row(maps, min(max(float(psi), 0.0), 1.2)), slider, yours, trigger_mode="always_last", **_LANE)
    return lambda event: event.then(fixed, None, [rows, yours], **_LANE | {"concurrency_id": ASIDE})


@torch.no_grad()
def _row(maps: Maps, psi: float) -> str:
    """Six faces at one psi, with how far their codes and their pictures are spread."""
    generator, known = maps.generator, statistics(maps.generator)
    codes = known.truncate(known.bank[:FACES], psi)
    images = generator.synthesize(codes, size=generator.exits[0])
    spread = float((known.truncate(known.bank, psi) - known.mean).square().sum(dim=1).mean().sqrt())
    pictures = "".join(f'<img src="{data_url(to_picture(image[None]))}" alt="">' for image in images)
    figures = f"codes {spread:.1f} from the mean<br>pictures differ by {float(images.clamp(-1, 1).std(dim=0).mean()):.2f}"
    return f'<div class="psi" role="img" aria-label="{FACES} faces at psi {psi:g}"><p><b>psi {psi:g}</b><br>{figures}</p>{pictures}</div>'
