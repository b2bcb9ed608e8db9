"""The explorer's third cell: ways through the space from the chosen face, on the map and as pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch

from engines import Inversion, Result
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.explore.trajectories import TrajectoryRequest
from studio.state.moments import moments, say
from studio.tabs.explore.components import direction_choices
from studio.tabs.explore.handlers import ExploreHandlers
from studio.tabs.explore.maps import Plan
from studio.ui import menus
from studio.ui.afresh import afresh
from studio.ui.cell import Runner, cell, lesson, runner
from studio.ui.lanes import AT_ONCE
from studio.ui.run_control import Going, Stopper, Updates, connect_stop, own_slots
from studio.ui.run_events import spoken

EDIT, JOIN = "Along a direction", "To a second face"
_TITLES = {"edit": "edit path", "line": "straight line", "arc": "arc", "z_arc": "arc in Z"}
_ROWS = {
    ("edit", "line"): "Straight line in W (linear)",
    ("arc",): "Arc around the mean of W (spherical)",
    ("z_arc",): "Arc in Z (spherical), each step mapped to W",
}
_WORDS = "On each picture: how far along the way, and how far its code lies from the mean of W, in units of W's spread."
_NO_Z = " An arc in Z needs both z: it is there between two faces of the map, not for pictures of the shelf."


@dataclass(frozen=True, eq=False)
class _Walk:
    kind: gr.Radio
    direction: gr.Dropdown
    reach: gr.Slider
    end: gr.Dropdown
    take: gr.Button
    frames: gr.Slider
    buttons: Runner
    words: gr.Markdown
    rows: tuple[gr.Gallery, ...]


def walk_cell(handlers: ExploreHandlers) -> gr.Dropdown:
    """The cell and its events; returns the menu of directions."""
    prose = "Edit the chosen face from one end of a direction to the other, or interpolate to a second face, by lerp and slerp."
    with cell("Latent traversal", prose, folded=True):
        walk = _parts(handlers)
    joining = [walk.end, walk.take, walk.direction, walk.reach]
    walk.kind.input(_suited, walk.kind, joining, **AT_ONCE)
    walk.take.click(_taken, handlers.chosen.listed, walk.end, **AT_ONCE)

    runs = Stopper(walk.buttons, own_slots(handlers.maps.session.visitors), handlers.maps.session.lines)

    def walked(
        request: gr.Request, plan: Plan | None, name: str | None, kind: str, key: str, reach: float, end: str | None, frames: float
    ) -> Going:
        """The pictures, and the ways on the map."""
        visitor = handlers.visitor(request)
        found = [inversion for _, inversion in handlers.faces(visitor, plan, name)]
        if kind == EDIT:
            wanted = TrajectoryRequest(start=found[0], direction=handlers.maps.library.get(key, visitor))
        else:
            other = _second(handlers, visitor, plan, end, found)
            wanted = TrajectoryRequest(start=found[0], end=other, z=_known_z(handlers, plan, name, end), truncation=_psi(plan))
        engine = handlers.maps.session.engine("trajectories")
        knobs = engine.knob_set.of({"frames": frames, "reach": reach, "preview": True})
        limit = handlers.maps.session.settings.run_seconds
        yield {walk.buttons.status: "Walking …", handlers.wire: {"paths": []}}
        for moment in moments(engine.run(wanted, knobs), limit, runs.slot(request).is_stopping):
            yield (last := {walk.buttons.status: say(moment)})
        if moment.result is None:
            return last
        assert plan is not None
        places = handlers.maps.place(plan, visitor, (found[0], *moment.result.inversions))[1:]
        words = "" if kind == EDIT else _WORDS + ("" if wanted.z else _NO_Z)
        return last | {walk.words: words, handlers.wire: {"paths": _paths(moment.result, places)}} | _filled(walk, moment.result, kind)

    @spoken
    def go(request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Walk."""
        yield from runs.going(request, afresh([walk.words, *walk.rows], walked(request, *values)))

    runs.connect(
        go,
        [handlers.plan, handlers.chosen.listed, walk.kind, walk.direction, walk.reach, walk.end, walk.frames],
        [walk.buttons.status, walk.words, *walk.rows, handlers.wire],
    )
    connect_stop(runs)
    return walk.direction


def _parts(handlers: ExploreHandlers) -> _Walk:
    choices = [choice for choice in direction_choices(handlers.maps.library) if not choice[1].startswith("interfacegan-z")]
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            kind = gr.Radio([EDIT, JOIN], value=EDIT, label="Way", elem_id="explore-way")
            direction = menus.dropdown(choices, value=choices[0][1], label="Direction", elem_id="explore-direction")
            reach = gr.Slider(0.5, 6, 3, step=0.5, label="Reach in sigma, to both sides", elem_id="explore-reach")
            end = menus.dropdown(
                [],
                label="Second face",
                info="such as Face 12",
                allow_custom_value=True,
                visible=False,
                elem_id="explore-end",
            )
            take = gr.Button("The chosen face is the second one", visible=False, elem_id="explore-take")
        with gr.Column(scale=1, min_width=260):
            frames = gr.Slider(3, 15, 7, step=1, label="Pictures", elem_id="explore-frames")
            buttons = runner("walk", "Walk")
            lesson("trajectories")
    words, rows = gr.Markdown("", elem_id="walk-words"), tuple(_row(name) for name in ("walk-line", "walk-arc", "walk-z"))
    return _Walk(kind, direction, reach, end, take, frames, buttons, words, rows)


def _row(name: str) -> gr.Gallery:
    return gr.Gallery(
        columns=7,
        height="auto",
        allow_preview=True,
        elem_id=name,
        elem_classes="walk",
        interactive=False,
        buttons=["download"],
        format="jpeg",
        visible=False,
    )


def _suited(kind: str) -> list[Any]:
    joining = kind == JOIN
    return [gr.Dropdown(visible=joining), gr.Button(visible=joining), gr.Dropdown(visible=not joining), gr.Slider(visible=not joining)]


def _taken(name: str | None) -> Any:
    return gr.Dropdown([name] if name else [], value=name)


def _second(handlers: ExploreHandlers, visitor: Any, plan: Plan | None, name: str | None, found: Sequence[Inversion]) -> Inversion:
    """The face to walk to; of a change, the one after it where no other is named."""
    if name:
        return handlers.faces(visitor, plan, name)[-1][1]
    if len(found) == 2:
        return found[1]
    raise StudioError(
        "Which face to? Write its number, such as Face 12, or choose one on the map and press “The chosen face is the second one”."
    )


def _known_z(handlers: ExploreHandlers, plan: Plan | None, *names: str | None) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The z of both ends, where they are faces of the map."""
    first, last = (None if plan is None else handlers.maps.z(plan, name or "") for name in names)
    return None if first is None or last is None else (first, last)


def _psi(plan: Plan | None) -> float:
    return 1.0 if plan is None else plan.truncation


def _filled(walk: _Walk, result: Result, kind: str) -> dict[Any, Any]:
    """A row of pictures for each way, where there is one."""
    filled: dict[Any, Any] = {}
    for row, (ways, title) in zip(walk.rows, _ROWS.items(), strict=True):
        pictures = _pictures(result, ways)
        filled[row] = gr.Gallery(pictures, visible=bool(pictures), label="Along the direction" if kind == EDIT else title)
    return filled


def _pictures(result: Result, ways: Sequence[str]) -> list[tuple[Any, str]]:
    """Frames with where they are; between two faces, also how far from the mean."""
    shown = []
    for index, (way, _, t, far, _) in enumerate(result.tables["path"].rows):
        if way in ways:
            words = f"{t:+.1f} sigma" if way == "edit" else f"{float(t):.0%} · {float(far):.2f}"
            shown.append((to_picture(result.images[index : index + 1]), words))
    return shown


def _paths(result: Result, places: list[list[float]]) -> list[dict[str, Any]]:
    ways: dict[str, list[list[float]]] = {}
    for row, place in zip(result.tables["path"].rows, places, strict=False):
        ways.setdefault(_TITLES[str(row[0])], []).append(place)
    return [{"name": name, "at": at} for name, at in ways.items()]
