"""The part of the tab Invert where a method is chosen and set."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

import engines.invert
from engines import InvertRequest
from studio.services import joint_tuning
from studio.state.session import Session
from studio.tabs.invert.method_groups import grouped, groups
from studio.ui.cell import Lesson, Runner, fold, lesson, runner
from studio.ui.knob_controls import KnobForm, knob_form
from studio.ui.lanes import AT_ONCE
from studio.ui.run_control import Updates


@dataclass(frozen=True, eq=False)
class Chooser:
    """The components that say which method runs, and how.

    Attributes:
        form: Its knobs.
        method: Which one.
        company: Whether photos of the shelf are tuned along.
        about: How it works.
    """

    form: KnobForm
    method: gr.Radio
    company: gr.Checkbox
    about: Lesson

    @property
    def follows(self) -> list[Any]:
        """What depends on the method."""
        return [self.form.component, self.about.fold, self.about.text, self.company]

    def following(self, name: str, form: gr.HTML | None = None) -> Updates:
        """Updates of that for a method; its knobs stand as they were left unless `form` sets them."""
        along = name in self.form.engines and self.form.engines[name].tunes_along
        return {self.form.component: form or self.form.show(name), self.company: gr.Checkbox(visible=along)} | self.about.show(name)


def method_cell(session: Session) -> tuple[Chooser, Runner, gr.Image, gr.HTML]:
    """Build the components; returns the chooser, Run and Stop, and where the picture so far and the loss are shown."""
    offered = grouped(session.offered(engines.invert, InvertRequest))
    titles = [(engine.card.title, engine.card.name) for engine in offered]
    default = session.default_inversion.card.name
    with gr.Row():
        with gr.Column(scale=2):
            method = gr.Radio(titles, value=default, label="Method", elem_id="invert-method")
            groups(offered)
            with fold("Settings of the method, and how it works"):
                form, about = knob_form(offered, "invert", default), lesson(default)
            company = gr.Checkbox(
                False,
                label="Tune the photos on the shelf along",
                info=joint_tuning.HINT,
                visible=session.default_inversion.tunes_along,
                elem_id="invert-along",
            )
        with gr.Column(scale=1, min_width=300):
            buttons = runner("invert")
            preview = gr.Image(
                label="The picture so far", height=300, interactive=False, format="jpeg", elem_id="invert-preview", buttons=[]
            )
            curve = gr.HTML("", elem_id="invert-curve")
    chooser = Chooser(form, method, company, about)
    method.input(chooser.following, method, chooser.follows, **AT_ONCE)  # by a hand alone: a recipe sets all of them together
    return chooser, buttons, preview, curve
