"""The panel above the tabs that a new visitor begins with: a face to move at once, and four ways to go on."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.services.direction_library import Library
from studio.state.session import Session
from studio.tabs.start.handlers import StartHandlers
from studio.ui.lanes import LANE
from studio.ui.shelf_strip import Strip

_PORTRAIT = "This portrait was inverted: the generator redraws it from a code. **Drag a slider** to move the code, and the face follows."
_BY_SEED = "The generator draws this picture from a random code. **Drag a slider** to move the code, and the picture follows."


@dataclass(frozen=True, eq=False)
class Doors:
    """The buttons that lead on.

    Attributes:
        photo: To a photo of one's own.
        further: To the same face with all directions; follow `gone_on`, its event.
        explore: To the map of a latent space.
        lesson: To the first lesson.
        gone_on: The event after which the face is on the shelf and its sliders stand.
    """

    photo: gr.Button
    further: gr.Button
    explore: gr.Button
    lesson: gr.Button
    gone_on: Any


def build(session: Session, strip: Strip, library: Library, arrived: Any) -> Doors:
    """The panel and its events; the face is drawn after the event `arrived`."""
    handlers = StartHandlers(session, library, strip)
    with gr.Accordion("Start here", open=True, elem_id="start"), gr.Row():
        with gr.Column(scale=1, min_width=260):
            picture = gr.Image(
                label="The face", height=300, interactive=False, format="jpeg", elem_id="start-face", buttons=[], show_label=False
            )
        with gr.Column(scale=1, min_width=260):
            gr.Markdown(_PORTRAIT if handlers.example.is_portrait else _BY_SEED, elem_classes="status")
            sliders = [
                gr.Slider(
                    -3.0,
                    3.0,
                    0.0,
                    step=0.1,
                    label=library.titles[turn.key.rpartition("/")[2]],
                    info=library.ends(turn.key),
                    elem_id=f"start-slider-{number}",
                    buttons=["reset"],
                )
                for number, turn in enumerate(handlers.turns, start=1)
            ]
        with gr.Column(scale=1, min_width=260, elem_id="start-doors"):
            photo = gr.Button("Use my photo", variant="primary", elem_id="start-photo")
            further = gr.Button("Edit this face further", elem_id="start-further")
            explore = gr.Button("Explore a latent space", elem_id="start-explore")
            lesson = gr.Button("Take a lesson", elem_id="start-lesson")
    arrived.success(handlers.show, sliders, picture, **LANE)
    gr.on([slider.input for slider in sliders], handlers.show, sliders, picture, trigger_mode="always_last", **LANE)
    return Doors(photo, further, explore, lesson, further.click(handlers.go_on, sliders, strip.outputs, **LANE))
