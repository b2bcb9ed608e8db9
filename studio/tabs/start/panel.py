"""The panel above the tabs that a new visitor begins with: a face to move at once, and four ways to go on."""

import gradio as gr

from studio.tabs.start.handlers import StartHandlers
from studio.tabs.tab import TabContext
from studio.ui.lanes import AT_ONCE, LANE
from studio.ui.ways import EDIT, HIERARCHY, INVERT, MAP

_CHOOSE = "() => { document.querySelector('#photo input[type=file]')?.click(); }"
"""The browser's own choice of a file, which it opens for a click only."""

_PORTRAIT = "This portrait was inverted: the generator redraws it from a code. **Drag a slider** to move the code, and the face follows."
_BY_SEED = "The generator draws this picture from a random code. **Drag a slider** to move the code, and the picture follows."


def build(context: TabContext) -> None:
    """The panel and its events; the face is drawn when the page opens."""
    library = context.library
    handlers = StartHandlers(context.session, library, context.shelf)
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
    context.arrived.success(handlers.show, sliders, picture, **LANE)
    gr.on([slider.input for slider in sliders], handlers.show, sliders, picture, trigger_mode="always_last", **LANE)
    lead = context.ways.lead
    lead(further.click(handlers.go_on, sliders, context.shelf.outputs, **LANE), EDIT, takes=True)
    lead(photo.click(None, None, None, js=_CHOOSE, **AT_ONCE), INVERT)
    lead(explore.click(lambda: None, None, None, **AT_ONCE), MAP)
    lead(lesson.click(lambda: None, None, None, **AT_ONCE), HIERARCHY)
