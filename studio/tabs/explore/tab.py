"""The tab Latent explorer: spaces as maps of faces that one can turn, colour, click and walk through."""

from typing import Any

import gradio as gr

from studio.services.snippets import program
from studio.tabs.explore.change_cell import change_cell
from studio.tabs.explore.components import VIEW, Chosen, Inputs, View, chosen, inputs, view
from studio.tabs.explore.finegan_codes import learned_cell
from studio.tabs.explore.handlers import ExploreHandlers
from studio.tabs.explore.maps import Maps
from studio.tabs.explore.truncation import truncation_cell
from studio.tabs.explore.walk import walk_cell
from studio.tabs.tab import Tab, TabContext
from studio.ui.cell import cell, code
from studio.ui.lanes import AT_ONCE, MAPPED, POINTED, PRIVATE
from studio.ui.run_control import Stopper, connect_stop, own_slots
from studio.ui.run_events import QUICK
from studio.ui.ways import MAP

__all__ = ["TAB"]

_QUIET: dict[str, Any] = QUICK | PRIVATE
_SEEING = "() => 'Drawing the face …'"


def build(context: TabContext, tab: gr.Tab) -> None:
    """The tab's cells and events; a face that is sent here is the one chosen on the shelf, and is shown on the map."""
    session, strip = context.session, context.shelf
    maps = Maps(session, context.library)
    prose = (
        "Principal component analysis finds the directions in which random faces differ most. Choose a space, or the changes between faces."
    )
    with cell("Space", prose), gr.Row():
        asked = inputs(maps.library)
    prose = (
        "Each point is a face, or a change from one face to another; diamonds are your shelf. Rest on a point to peek, click it to see it."
    )
    with cell("Map", prose), gr.Row():
        with gr.Column(scale=3, min_width=320):
            shown = view(maps)
        with gr.Column(scale=1, min_width=260):
            face = chosen()
    plan, wire = gr.State(None), gr.HTML(None, html_template="<span></span>", js_on_load=_WIRE, visible="hidden", elem_id="explore-wire")
    drawing, measuring = (Stopper(asked.buttons, own_slots(session.visitors), session.lines) for _ in range(2))
    handlers = ExploreHandlers(maps, strip, asked, shown, face, plan, wire, drawing, measuring)
    _connect(handlers, asked, shown, face)
    direction = walk_cell(handlers)
    arrows = asked.arrows
    tab.select(handlers.directions, [context.keys, arrows, direction], [arrows, direction], **_QUIET)
    ready = truncation_cell(maps)
    changes, learned = change_cell(context.library), learned_cell(context.sampler)
    code("explore", _SNIPPET)
    arrived = tab.select(handlers.arrive, [plan, shown.colour, face.listed, *asked.values], handlers.drawn, **MAPPED)
    ready(arrived)
    changes(arrived)
    learned(arrived)

    def present(event: Any) -> None:
        values = [handlers.plan, shown.colour, face.listed, *asked.values]
        redrawn = event.success(handlers.redraw, values, handlers.drawn, **MAPPED)
        redrawn.success(handlers.present, [handlers.plan, strip.chosen], handlers.seen, **MAPPED)

    context.ways.taken_by(MAP, present)


TAB = Tab(MAP, "Latent explorer", "explore-plot", build)


def _connect(handlers: ExploreHandlers, asked: Inputs, shown: View, face: Chosen) -> None:
    values = [handlers.plan, shown.colour, face.listed, *asked.values]
    asked.space.input(
        handlers.suited,
        [asked.space, shown.colour],
        [asked.of_faces, asked.more, asked.measure, asked.changes, shown.colour],
        **AT_ONCE,
    )
    more = asked.more.click(handlers.more, asked.shown, asked.shown, **AT_ONCE)
    triggers = [
        asked.buttons.run.click,
        asked.space.input,
        asked.attributes.input,
        asked.arrows.input,
        more.then,
    ]
    for trigger in triggers:
        trigger(handlers.draw, values, handlers.drawn, **MAPPED)
    for slider in (asked.shown, asked.truncation, asked.pairs):  # by mouse, arrow key or number alike
        slider.input(handlers.draw, values, handlers.drawn, trigger_mode="always_last", **MAPPED)
    measured = handlers.measuring.connect(
        handlers.measure, asked.fresh, [asked.buttons.status, asked.fresh], triggers=[asked.measure.click]
    )
    measured.success(handlers.settle, values, handlers.drawn, **MAPPED)
    connect_stop(handlers.drawing, handlers.measuring)

    shown.dimensions.input(lambda form: gr.Dropdown(visible=form == "3-D"), shown.dimensions, shown.z, **AT_ONCE)
    for control in shown.controls:
        control.change(None, shown.controls, None, js=VIEW, **PRIVATE)
    relisted = [face.listed]
    listing = [handlers.plan, shown.colour, shown.only, shown.low, shown.high]
    shown.only.input(handlers.range_of, shown.only, [shown.low, shown.high], **_QUIET).then(handlers.relist, listing, relisted, **_QUIET)
    for control in (shown.colour, shown.low, shown.high):
        control.input(handlers.relist, listing, relisted, trigger_mode="always_last", **_QUIET)
    for form, button in shown.saves.items():
        button.click(None, None, None, js=f"() => window.latentMap?.save('{form}')", **PRIVATE)

    for chosen_by, answer, told in ((shown.plot.pick, handlers.pick, []), (face.listed.input, handlers.see, [face.listed])):
        chosen_by(None, None, face.words, js=_SEEING, **AT_ONCE)
        seen = chosen_by(answer, [handlers.plan, *told], handlers.seen, **POINTED)
        seen.failure(handlers.unseen, None, handlers.seen, **AT_ONCE)
    face.keep.click(handlers.keep, [handlers.plan, face.listed], handlers.strip.outputs, **POINTED)


_WIRE = "watch('value', () => { if (props.value) window.latentMap?.receive(props.value); });"
_SNIPPET = program("""
generator = load_generator("ffhq")
result = create("pca", generator)(ExploreRequest(bank=face_bank(generator)), space="w", shown=5000)
for component, explained, cumulative in result.tables["variance"].rows[:5]:
    print(component, f"{explained:.1%}", f"{cumulative:.1%}")
""")
