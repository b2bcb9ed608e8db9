"""The tab Latent explorer: W as a map of faces that one can turn and click."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import plotly
import torch
from PIL import Image as Pil

import engines.explore
from engines import ExploreRequest, Inversion, Latent, Result
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.core.shapes import Codes
from engines.explore.projections import ProjectionKnobs, sampled_w
from studio.cell import cell, code, lesson, runner
from studio.controls import panel
from studio.events import PREVIEW_LANE, RUN_LANE, moments, say, spoken
from studio.plots import map_of_faces, variance_bars
from studio.session import Session
from studio.shelf import Desk
from studio.strip import Strip

PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
SEED = 0
LISTED = 60
_PLOT = Path(__file__).with_name("map.js")


def build(session: Session, strip: Strip) -> None:
    """The tab's cells and events."""
    engine = session.offered(engines.explore)[0]
    gr.set_static_paths([PLOTLY])
    with (
        cell(
            1,
            "Map W",
            "Thousands of random codes are mapped into W; principal component analysis finds the directions in which they differ most.",
        ),
        gr.Row(),
    ):
        with gr.Column(scale=2):
            controls = panel(engine, "explore")
            lesson(engine.card.name)
        with gr.Column(scale=1, min_width=260):
            buttons = runner("explore", "Map the space")
            dimensions = gr.Radio(["2-D", "3-D"], value="2-D", label="View", elem_id="explore-dimensions")
    with cell(2, "Click a face", "Each point is a face; diamonds are your shelf. Click one to see it, or choose from the list."), gr.Row():
        with gr.Column(scale=2, min_width=320):
            plot = gr.HTML(
                None,
                html_template="<div class='plot' role='img' aria-label='Map of faces'></div>",
                js_on_load=_PLOT.read_text(encoding="utf-8"),
                head=f'<script src="/gradio_api/file={PLOTLY}"></script>',
                elem_id="explore-plot",
                min_height=520,
            )
            bars = gr.HTML("", elem_id="explore-variance")
        with gr.Column(scale=1, min_width=260):
            face = gr.Image(
                label="The face there", interactive=False, format="jpeg", height=360, elem_id="explore-face", buttons=["fullscreen"]
            )
            place = gr.Markdown("", elem_id="explore-place", elem_classes="status")
            listed = gr.Dropdown([], label="The same points as a list", elem_id="explore-list", interactive=True)
            keep = gr.Button("Put this face on the shelf", elem_id="explore-keep", interactive=False)
    code("explore", _SNIPPET)
    picked = gr.State(None)

    def desk_of(request: gr.Request) -> Desk:
        return session.visitors.desk(request.session_hash)

    def own_codes(desk: Desk) -> Codes | None:
        codes = [session.generator.slots.spread(item.inversion.latent.codes) for item in desk.shelf.values()]
        return torch.cat(codes).to(session.generator.device) if codes else None

    @spoken
    def explore(request: gr.Request, dimensions: str, *values: Any) -> Iterator[dict[Any, Any]]:
        """Map, fit and draw."""
        desk = desk_of(request)
        knobs = controls.knobs(values)
        kept: list[Result] = []
        run = session.engine(engine.card.name).run(ExploreRequest(seed=SEED, codes=own_codes(desk)), knobs)
        for moment in moments(run, kept.append, session.settings.run_seconds):
            yield {buttons.status: say(moment)}
        tables = kept[-1].tables
        titles = [item.title for item in desk.shelf.values()]
        data = map_of_faces(tables["points"], tables["codes"], titles, tables["variance"], 3 if dimensions == "3-D" else 2)
        names = [f"Shelf {index + 1}: {title}" for index, title in enumerate(titles)] + [
            f"Sample {index + 1}" for index in range(min(LISTED, len(data["points"])))
        ]
        yield {plot: data, bars: variance_bars(tables["variance"]), listed: gr.Dropdown(names, value=None)}

    def turn(data: dict[str, Any] | None, dimensions: str) -> Any:
        """Switch between two and three dimensions."""
        return gr.skip() if not isinstance(data, dict) else data | {"dimensions": 3 if dimensions == "3-D" else 2}

    def face_at(desk: Desk, own: bool, index: int, samples: float, truncation: float) -> tuple[str, Inversion]:
        """The face behind a point."""
        if own:
            items = list(desk.shelf.values())
            if not 0 <= index < len(items):
                raise StudioError("That shelf item is no longer there. Map the space again.")
            return items[index].title, items[index].inversion.to(session.generator.device)
        knobs = ProjectionKnobs.of({"samples": samples, "truncation": truncation})
        if not 0 <= index < knobs.samples:
            raise StudioError("There is no such point. Map the space again.")
        w = sampled_w(session.generator, SEED, index, knobs.samples, knobs.truncation)
        return f"Sample {index + 1}", Inversion(Latent("w", w))

    @torch.no_grad()
    def see(desk: Desk, own: bool, index: int, samples: float, truncation: float) -> list[Any]:
        title, inversion = face_at(desk, own, index, samples, truncation)
        image = session.generator.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features)
        return [_shown(image), title, (own, index), gr.Button(interactive=not own)]

    @spoken
    def pick(samples: float, truncation: float, event: gr.EventData, request: gr.Request) -> list[Any]:
        """A click on the plot; its data may be anything and is checked."""
        index, own = getattr(event, "i", None), getattr(event, "own", None)
        if not isinstance(index, int) or isinstance(index, bool) or not isinstance(own, bool):
            raise StudioError("That click did not name a point.")
        return see(desk_of(request), own, index, samples, truncation)

    @spoken
    def choose(name: str | None, samples: float, truncation: float, request: gr.Request) -> list[Any]:
        """The same by the list."""
        kind, _, rest = (name or "").partition(" ")
        number = rest.split(":")[0]
        if kind not in ("Shelf", "Sample") or not number.isdigit():
            raise StudioError("Choose one of the list.")
        return see(desk_of(request), kind == "Shelf", int(number) - 1, samples, truncation)

    @spoken
    def put(picked: tuple[bool, int] | None, samples: float, truncation: float, request: gr.Request) -> list[Any]:
        """The face on the shelf."""
        desk = desk_of(request)
        if picked is None:
            raise StudioError("Click a point first.")
        title, inversion = face_at(desk, bool(picked[0]), int(picked[1]), samples, truncation)
        with torch.no_grad():
            image = session.generator.synthesize(inversion.latent, size=session.live_size)
        return strip.show(desk, desk.put(title, to_picture(image), inversion).key)

    names = [declared.name for declared in engine.knob_set.declared()]
    about = [controls.controls[names.index("samples")], controls.controls[names.index("truncation")]]
    private: dict[str, Any] = {"api_visibility": "private"}
    lane: dict[str, Any] = {"concurrency_id": PREVIEW_LANE, "concurrency_limit": 1} | private
    shown = [face, place, picked, keep]
    running = buttons.run.click(
        explore,
        [dimensions, *controls.controls],
        [buttons.status, plot, bars, listed],
        concurrency_id=RUN_LANE,
        concurrency_limit=1,
        show_progress="hidden",
        **private,
    )
    buttons.stop.click(lambda: "Stopped.", None, buttons.status, cancels=[running], queue=False, **private)
    dimensions.input(turn, [plot, dimensions], plot, queue=False, **private)
    plot.pick(pick, about, shown, show_progress_on=[face], **lane)
    listed.input(choose, [listed, *about], shown, **lane)
    keep.click(put, [picked, *about], strip.outputs, **lane)


def _shown(image: torch.Tensor) -> Pil.Image:
    return to_picture(image).resize((512, 512), Pil.Resampling.LANCZOS)


_SNIPPET = """from engines import ExploreRequest, create, load_generator

generator = load_generator("ffhq")
result = create("pca", generator)(ExploreRequest(seed=0), samples=10_000)
for component, explained, cumulative in result.tables["variance"].rows[:5]:
    print(component, f"{explained:.1%}", f"{cumulative:.1%}")
"""
