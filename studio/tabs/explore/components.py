"""What the tab Latent explorer is made of: the inputs of a map, the views of it, and the face that was chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engines.explore.changes import DELTA_SPACES
from studio.services.direction_library import LAYERS, MINE, Library
from studio.state.visitor import Visitor
from studio.tabs.explore.maps import Maps, Plan
from studio.ui import menus
from studio.ui.cell import Runner, fold, lesson, runner
from studio.ui.plots import plotly_address

POINTS, FRESH = 5_000, 24
UNCHOSEN = "Click a point, or choose from the list."
SPACES = [("W", "w"), ("W+", "w_plus"), ("S", "s"), *((f"Changes (Δ): {name}", name) for name in DELTA_SPACES)]
AXES = [(f"PC {index + 1}", index) for index in range(10)]
GROUP = ("Kind of change", "group")
_PLOT = Path(__file__).with_name("map.js")
_TEMPLATE = (
    "<div class='plot' role='group' aria-label='Map of faces; the list beside it holds the same points'>"
    "<p class='empty'>Drawing the map …</p></div>"
    "<p class='count status' aria-live='polite'></p><div class='peek' hidden></div>"
)
VIEW = """(dimensions, x, y, z, colour, only, low, high) => {
  window.latentMap?.view({dimensions: dimensions === '3-D' ? 3 : 2, x, y, z, colour, only, low, high});
}"""
"""Turns a map in the browser, without the server."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a map is of."""

    space: gr.Radio
    shown: gr.Slider
    more: gr.Button
    measure: gr.Button
    fresh: gr.State
    truncation: gr.Slider
    of_faces: gr.Row
    changes: gr.Column
    attributes: gr.CheckboxGroup
    pairs: gr.Slider
    arrows: gr.Dropdown
    buttons: Runner

    @property
    def values(self) -> list[Any]:
        """Inputs of `plan_of`, in its order."""
        return [self.space, self.shown, self.truncation, self.attributes, self.pairs, self.arrows, self.fresh]


@dataclass(frozen=True, eq=False)
class View:
    """How a map is looked at, and the map itself."""

    dimensions: gr.Radio
    x: gr.Dropdown
    y: gr.Dropdown
    z: gr.Dropdown
    colour: gr.Dropdown
    only: gr.Dropdown
    low: gr.Slider
    high: gr.Slider
    plot: gr.HTML
    bars: gr.HTML
    groups: gr.Markdown
    saves: dict[str, gr.Button]
    table: gr.DownloadButton

    @property
    def controls(self) -> list[Any]:
        """Inputs of the script `VIEW`, in its order."""
        return [self.dimensions, self.x, self.y, self.z, self.colour, self.only, self.low, self.high]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The face behind a point."""

    picture: gr.Image
    words: gr.Markdown
    listed: gr.Dropdown
    keep: gr.Button


def plan_of(values: Sequence[Any]) -> Plan:
    """What the inputs ask for; the engines check the numbers."""
    space, shown, truncation, attributes, pairs, arrows, fresh = values
    return Plan(str(space), int(shown), float(truncation), POINTS * 2, tuple(attributes or ()), int(pairs), tuple(arrows or ()), int(fresh))


def inputs(library: Library) -> Inputs:
    """The first cell."""
    names = [(title, name) for name, title in library.titles.items()]
    with gr.Column(scale=2, min_width=300):
        space = gr.Radio(SPACES, value="w", label="Space", elem_id="explore-space")
        with gr.Column(visible=False) as changes:
            info = "pairs of faces that differ in one of these and little else"
            attributes = gr.CheckboxGroup(names, value=_telling(library), label="Changes of", info=info, elem_id="explore-attributes")
            pairs = gr.Slider(10, 400, 100, step=10, label="Pairs for each", elem_id="explore-pairs")
        with fold("Number of faces, truncation, arrows, and how it works"):
            with gr.Row() as of_faces:
                shown = gr.Slider(100, POINTS, 1500, step=100, label="Faces drawn", elem_id="explore-shown")
                truncation = gr.Slider(
                    0.0,
                    1.0,
                    0.7,
                    step=0.05,
                    label="Truncation",
                    info="0 is the average face, 1 the full variety",
                    elem_id="explore-truncation",
                )
            arrows = menus.dropdown(
                direction_choices(library),
                value=[],
                multiselect=True,
                max_choices=8,
                label="Directions as arrows",
                info="from the average face; yours and those with a slider on the tab Edit directions come first",
                elem_id="explore-arrows",
            )
            lesson("pca")
            lesson("changes")
    with gr.Column(scale=1, min_width=260):
        buttons = runner("explore", "Draw the map")
        with fold("More faces"):
            more = gr.Button("1 000 more faces", elem_id="explore-more")
            measure = gr.Button(f"Measure {FRESH} new faces", elem_id="explore-measure")
    return Inputs(space, shown, more, measure, gr.State(0), truncation, of_faces, changes, attributes, pairs, arrows, buttons)


def view(maps: Maps) -> View:
    """The map with what turns, colours and saves it."""
    titles = [(title, name) for name, title in maps.library.titles.items()]
    with gr.Row(elem_classes="view"):
        dimensions = gr.Radio(["2-D", "3-D"], value="2-D", label="View", elem_id="explore-dimensions", min_width=190)
        x, y, z = (
            gr.Dropdown(
                [*AXES, ("Distance from W (W+ only)", 10)],
                value=index,
                label=label,
                elem_id=f"explore-{name}",
                min_width=110,
                visible=name != "z",
            )
            for index, (label, name) in enumerate((("Across", "x"), ("Up", "y"), ("Deep (3-D)", "z")))
        )
    with gr.Row(elem_classes="view"):
        colours = [*titles, GROUP, *((title, f"pc_{index + 1}") for title, index in AXES), ("One colour", "")]
        colour = gr.Dropdown(colours, value=titles[0][1], label="Colour", elem_id="explore-colour", min_width=190)
        only = gr.Dropdown([("All faces", ""), *titles], value="", label="Show only by", elem_id="explore-only", min_width=190)
        low = menus.slider(0, 1, 0, label="at least", visible=False, elem_id="explore-low", min_width=150)
        high = menus.slider(0, 1, 1, label="at most", visible=False, elem_id="explore-high", min_width=150)
    plot = gr.HTML(
        None,
        html_template=_TEMPLATE,
        js_on_load=_PLOT.read_text(encoding="utf-8"),
        head=f'<script src="{plotly_address()}"></script>',
        elem_id="explore-plot",
        server_functions=[_peek(maps)],
        colour=titles[0][1],
    )
    with fold("Save the map"), gr.Row(elem_classes="saves"):
        saves = {form: gr.Button(form.upper(), size="sm", elem_id=f"explore-{form}", min_width=70) for form in ("png", "svg", "html")}
        table = gr.DownloadButton("CSV", size="sm", interactive=False, elem_id="explore-csv", min_width=70)
    bars = gr.HTML("", elem_id="explore-variance")
    groups = gr.Markdown("", elem_id="explore-groups")
    return View(dimensions, x, y, z, colour, only, low, high, plot, bars, groups, saves, table)


def chosen() -> Chosen:
    """The face behind the chosen point, and the list that stands in for clicking."""
    picture = gr.Image(label="The face there", interactive=False, format="jpeg", height=360, elem_id="explore-face", buttons=["fullscreen"])
    words = gr.Markdown(UNCHOSEN, elem_id="explore-place", elem_classes="status")
    listed = menus.dropdown(
        [],
        label="The same points as a list",
        info="choose one, or write its number: Face 812",
        allow_custom_value=True,
        elem_id="explore-list",
        interactive=True,
    )
    keep = gr.Button("Put this face on the shelf", elem_id="explore-keep", interactive=False)
    return Chosen(picture, words, listed, keep)


def direction_choices(library: Library, keys: Sequence[str] = (), visitor: Visitor | None = None) -> list[tuple[str, str]]:
    """Directions by title, without finding any: their names are known before.

    Args:
        library: Where directions come from.
        keys: Those with a slider on the Edit tab, which come first.
        visitor: The visitor's, whose own come next; those of Z move random faces only and are left out.
    """
    named = [(f"{title} · InterFaceGAN", f"interfacegan/{name}") for name, title in library.titles.items()]
    channels = [(f"{title} · StyleSpace, first channel", f"stylespace/{name}/1") for name, title in library.titles.items()]
    components = [(f"PC {index} · GANSpace", f"ganspace/{index}") for index in range(1, 11)]
    factors = [(f"{group} {index} · SeFa", f"sefa/{group}/{index}") for group in LAYERS for index in range(1, 4)]
    first = _first(library, keys, visitor) if visitor is not None else {}
    return [
        *((title, key) for key, title in first.items()),
        *(one for one in [*named, *components, *factors, *channels] if one[1] not in first),
    ]


def _first(library: Library, keys: Sequence[str], visitor: Visitor) -> dict[str, str]:
    own = [key for key in library.directions(MINE, visitor) if key not in keys]
    gone = library.gone(keys, visitor)
    known = [key for key in (*keys, *own) if key not in gone and not _in_z(library, key, visitor)]
    return {key: library.title(key, visitor) + (", has a slider" if key in keys else "") for key in known}


def _in_z(library: Library, key: str, visitor: Visitor) -> bool:
    """Whether it moves random faces only; of InterFaceGAN's the key says so, and nothing need be fitted."""
    return key.startswith("interfacegan-z/") if key.startswith("interfacegan") else library.get(key, visitor).space == "z"


def _telling(library: Library) -> list[str]:
    """Attributes to begin with: few enough to tell apart."""
    names = list(library.titles)
    return [name for name in ("yaw", "smile", "age", "gender") if name in names] or names[:3]


def _peek(maps: Maps) -> Any:
    def peek(numbers: Any) -> list[str]:
        """Small pictures for the pointer; the numbers come from the browser and may be anything."""
        wanted = numbers if isinstance(numbers, list) else [numbers]
        return [maps.peek(number) if isinstance(number, int) and not isinstance(number, bool) else "" for number in wanted[:4]]

    return peek
