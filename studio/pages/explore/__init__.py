"""The tab Latent explorer: spaces as maps of faces that one can turn, colour, click and walk through."""

from typing import Any

import gradio as gr

from studio.cell import cell, code
from studio.events import PREVIEW_LANE, QUICK
from studio.library import Library
from studio.maps import Maps
from studio.pages.explore.answers import Answers
from studio.pages.explore.learned import learned_cell
from studio.pages.explore.parts import PLOTLY, VIEW, Chosen, Inputs, View, chosen, inputs, view
from studio.pages.explore.truncation import truncation_cell
from studio.pages.explore.walk import walk_cell
from studio.running import Stopper, connect_stop, own_seats
from studio.session import Session
from studio.staged import Sampler
from studio.strip import Strip

__all__ = ["build"]

_PRIVATE: dict[str, Any] = {"api_visibility": "private"}
_LANE: dict[str, Any] = {"concurrency_id": PREVIEW_LANE, "concurrency_limit": 1} | _PRIVATE


def build(
    session: Session,
    strip: Strip,
    tab: gr.Tab,
    library: Library | None = None,
    keys: gr.State | None = None,
    sampler: Sampler | None = None,
) -> None:
    """The tab's cells and events.

    Args:
        session: The generator and the engines.
        strip: The shelf above the tabs.
        tab: Where it is built.
        library: Directions by key, shared with the tab Edit directions.
        keys: State of that tab: the directions that have a slider.
        sampler: FineGAN, shared with its tab.
    """
    maps = Maps(session, library or Library(session))
    gr.set_static_paths([PLOTLY])
    prose = (
        "Principal component analysis finds the directions in which random faces differ most. Choose a space, or the changes between faces."
    )
    with cell(1, "Map a space", prose), gr.Row():
        asked = inputs(maps.library)
    prose = (
        "Each point is a face, or a change from one face to another; diamonds are your shelf. Rest on a point to peek, click it to see it."
    )
    with cell(2, "Look around", prose), gr.Row():
        with gr.Column(scale=3, min_width=320):
            shown = view(maps)
        with gr.Column(scale=1, min_width=260):
            face = chosen()
    plan, wire = gr.State(None), gr.HTML(None, html_template="<span></span>", js_on_load=_WIRE, visible="hidden", elem_id="explore-wire")
    drawing, measuring = (Stopper(asked.buttons, own_seats(session.visitors)) for _ in range(2))
    answers = Answers(maps, strip, asked, shown, face, plan, wire, drawing, measuring)
    _connect(answers, asked, shown, face)
    direction = walk_cell(answers)
    arrows, sliders = asked.arrows, keys or gr.State(())
    tab.select(answers.directions, [sliders, arrows, direction], [arrows, direction], **QUICK | {"show_progress": "hidden"})
    ready = truncation_cell(maps)
    learned = learned_cell(sampler or Sampler(session), 5)
    code("explore", _SNIPPET)
    arrived = tab.select(answers.arrive, [plan, shown.colour, *asked.values], answers.drawn, **_LANE | {"show_progress": "hidden"})
    ready(arrived)
    learned(arrived)


def _connect(answers: Answers, asked: Inputs, shown: View, face: Chosen) -> None:
    values = [answers.plan, shown.colour, *asked.values]
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    asked.space.input(
        answers.suited,
        [asked.space, shown.colour],
        [asked.of_faces, asked.more, asked.measure, asked.changes, shown.colour],
        queue=False,
        **_PRIVATE,
    )
    more = asked.more.click(answers.more, asked.shown, asked.shown, queue=False, **_PRIVATE)
    triggers = [
        asked.buttons.run.click,
        asked.space.input,
        asked.attributes.input,
        asked.arrows.input,
        more.then,
    ]
    for trigger in triggers:
        trigger(answers.draw, values, answers.drawn, **_LANE | quiet)
    for slider in (asked.shown, asked.truncation, asked.pairs):  # by mouse, arrow key or number alike
        slider.input(answers.draw, values, answers.drawn, trigger_mode="always_last", **_LANE | quiet)
    measured = answers.measuring.connect(answers.measure, asked.fresh, [asked.buttons.status, asked.fresh], triggers=[asked.measure.click])
    measured.success(answers.settle, values, answers.drawn, **_LANE | quiet)
    connect_stop(answers.drawing, answers.measuring)

    shown.dimensions.input(lambda form: gr.Dropdown(visible=form == "3-D"), shown.dimensions, shown.z, queue=False, **_PRIVATE)
    for control in shown.controls:
        control.change(None, shown.controls, None, js=VIEW, **_PRIVATE)
    relisted = [face.listed]
    listing = [answers.plan, shown.colour, shown.only, shown.low, shown.high]
    shown.only.input(answers.range_of, shown.only, [shown.low, shown.high], **QUICK | quiet).then(
        answers.relist, listing, relisted, **QUICK | quiet
    )
    for control in (shown.colour, shown.low, shown.high):
        control.input(answers.relist, listing, relisted, trigger_mode="always_last", **QUICK | quiet)
    for form, button in shown.saves.items():
        button.click(None, None, None, js=f"() => window.latentMap?.save('{form}')", **_PRIVATE)

    lane = _LANE | {"show_progress_on": [face.picture]}
    shown.plot.pick(answers.pick, answers.plan, answers.seen, **lane)
    face.listed.input(answers.see, [answers.plan, face.listed], answers.seen, **lane)
    face.keep.click(answers.keep, [answers.plan, face.listed], answers.strip.outputs, **_LANE)


_WIRE = "watch('value', () => { if (props.value) window.latentMap?.receive(props.value); });"
_SNIPPET = """from engines import ExploreRequest, create, load_generator
from engines.data import face_bank

generator = load_generator("ffhq")
result = create("pca", generator)(ExploreRequest(bank=face_bank(generator)), space="w", shown=5000)
for component, explained, cumulative in result.tables["variance"].rows[:5]:
    print(component, f"{explained:.1%}", f"{cumulative:.1%}")
"""
