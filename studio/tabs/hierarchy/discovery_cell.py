"""The cell of unsupervised clustering: held-out drawings, clustered by features of FineGAN's code classifier, against ground truth."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engines.core.errors import StudioError
from engines.core.images import png_bytes
from engines.core.weights import manifest
from engines.hierarchy.discovery import PIXELS, WEIGHTS
from engines.training.drawn import TEST
from studio.services.finegan_sampler import MOST_SEED, Sampler, whole
from studio.services.snippets import program
from studio.state.moments import STOPPED, moments, say
from studio.tabs.hierarchy.cluster_view import STYLE, TITLES, against, agreed, rows
from studio.tabs.hierarchy.clustering import (
    FEWEST,
    MOST,
    MOST_CLUSTERS,
    PLACE,
    SHAPE,
    TEXTURE,
    Discovery,
    conclusion,
    discovering,
    reader_if_bundled,
    sheet,
    shown,
)
from studio.ui.afresh import afresh
from studio.ui.cell import Runner, cell, code, lesson, runner
from studio.ui.lanes import LANE
from studio.ui.plots import csv_bytes
from studio.ui.run_control import Going, Stopper, Updates, connect_stop, own_slots
from studio.ui.run_events import offer, spoken

_DRAWINGS, _CLUSTERS, _SEED = 400, 10, 0
_PROSE = (
    "Can classes be found without labels? A classifier was trained to predict FineGAN's codes from what FineGAN drew. Here it sees paper "
    "birds that no network was trained on, and k-means clusters its features. Clustered pixels are the "
    "baseline; the ground truth is used for evaluation alone."
)
_UNREAD = " The classifier's weights are not bundled in this installation, so pixels stand alone."


@dataclass(frozen=True, eq=False)
class _Discover:
    drawings: gr.Number
    clusters: gr.Number
    seed: gr.Number
    buttons: Runner
    way: gr.Radio
    factor: gr.Radio
    words: gr.Markdown
    figures: gr.HTML
    rows: gr.HTML
    against: gr.HTML
    png: gr.DownloadButton
    csv: gr.DownloadButton
    snippet: gr.Code

    @property
    def seen(self) -> list[Any]:
        """What `_seen` fills."""
        return [self.rows, self.against, self.png]


def discover_cell(sampler: Sampler) -> None:
    """The cell and its events."""
    session, is_read = sampler.session, WEIGHTS in manifest()
    with cell("Unsupervised clustering", _PROSE if is_read else _PROSE + _UNREAD, folded=True):
        parts, kept = _parts(is_read), gr.State(None)
    runs = Stopper(parts.buttons, own_slots(session.visitors), session.lines)
    results = [parts.words, parts.figures, parts.csv, parts.snippet, kept, *parts.seen]

    def discovered(request: gr.Request, drawings: float | None, count: float | None, seed: float | None, way: str, factor: str) -> Going:
        many, few = whole(drawings, MOST + 1, "Drawings", FEWEST), whole(count, MOST_CLUSTERS + 1, "Clusters", 2)
        start, size = whole(seed, MOST_SEED + 1, "Seed"), sampler.finegan.form.size
        device = session.generator.device
        run = discovering(many, few, start, size, device, reader_if_bundled(device))
        for moment in moments(run, session.settings.run_seconds, runs.slot(request).is_stopping):
            yield {parts.buttons.status: say(moment)}
        if moment.result is None:
            return {parts.buttons.status: STOPPED}
        found = Discovery.of(moment.result.tables["clusters"], start, size)
        at_hand = way if way in found.found else next(iter(found.found))
        figures = found.figures()
        return {
            parts.buttons.status: say(moment),
            parts.words: conclusion(figures, TITLES),
            parts.figures: agreed(figures) + _MEASURES,
            parts.csv: gr.DownloadButton(value=offer("clusters.csv", csv_bytes(found.table())), interactive=True),
            parts.snippet: recipe(many, few, start, size, is_read),
            parts.way: at_hand,
            kept: found,
        } | dict(zip(parts.seen, _seen(found, at_hand, factor), strict=True))

    @spoken
    def run(request: gr.Request, *values: Any) -> Iterator[Updates]:
        """Draw, look and sort."""
        yield from runs.going(request, afresh(results, discovered(request, *values)))

    @spoken
    def look(found: Discovery | None, way: str, factor: str) -> list[Any]:
        """The same clusters, seen otherwise."""
        return [gr.skip() for _ in parts.seen] if found is None else _seen(found, way, factor)

    chosen = [parts.way, parts.factor]
    runs.connect(run, [parts.drawings, parts.clusters, parts.seed, *chosen], [parts.buttons.status, parts.way, *results])
    connect_stop(runs)
    gr.on([radio.input for radio in chosen], look, [kept, *chosen], parts.seen, **LANE)


_FACTORS = (SHAPE, TEXTURE, PLACE)
_MEASURES = (
    "<p class='reading'>NMI: 0 where clusters say nothing, 1 where both partitions agree. acc.: the share that is right once each "
    "cluster has the one name that suits best; a cluster that gets no name is wrong. A kind is a shape in a texture, one of fifty, so few "
    "clusters name few kinds. Chance: clusters of the same sizes, drawn at random.</p>"
)


def _parts(is_read: bool) -> _Discover:
    ways = [(title[0].upper() + title[1:], way) for way, title in TITLES.items() if is_read or way == PIXELS]
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            with gr.Row():
                drawings = _number(_DRAWINGS, "Drawings", f"{FEWEST} to {MOST}")
                clusters = _number(_CLUSTERS, "Clusters", f"2 to {MOST_CLUSTERS}")
                seed = _number(_SEED, "Seed", "of birds")
            buttons = runner("hier-discover", "Discover")
            words = gr.Markdown("", elem_id="hier-discover-words")
            figures = gr.HTML("", css_template=STYLE, elem_id="hier-discover-figures")
            lesson("discovery")
        with gr.Column(scale=2, min_width=300):
            way = gr.Radio(ways, value=ways[0][1], label="Sorted by", elem_id="hier-discover-way")
            found = gr.HTML("", css_template=STYLE, elem_id="hier-discover-rows")
            factor = gr.Radio(
                [(name.capitalize(), name) for name in _FACTORS], value=SHAPE, label="Against", elem_id="hier-discover-factor"
            )
            table = gr.HTML("", css_template=STYLE, elem_id="hier-discover-against")
            with gr.Row(elem_classes="saves"):
                png = gr.DownloadButton("Download the clusters (PNG)", interactive=False, elem_id="hier-discover-png")
                csv = gr.DownloadButton("Download the drawings (CSV)", interactive=False, elem_id="hier-discover-csv")
            snippet = code("hier-discover", recipe(_DRAWINGS, _CLUSTERS, _SEED, 64, is_read))
    return _Discover(drawings, clusters, seed, buttons, way, factor, words, figures, found, table, png, csv, snippet)


def _number(value: int, label: str, info: str) -> gr.Number:
    return gr.Number(value, step=1, label=label, info=info, elem_id=f"hier-discover-{label.lower()}", min_width=80)


def _seen(found: Discovery, way: str, factor: str) -> list[Any]:
    if factor not in _FACTORS:
        raise StudioError(f"Choose one of {', '.join(_FACTORS)}.")
    if way not in found.found:
        raise StudioError("That run was stopped before its pixels were sorted. Run it again to see them.")
    clusters = shown(found, way)
    picture = gr.DownloadButton(value=offer("clusters.png", png_bytes(sheet(clusters))), interactive=True)
    return [rows(clusters), against(found.confusion(way, factor), factor), picture]


def recipe(drawings: int, clusters: int, seed: int, size: int, is_read: bool) -> str:
    """The lines of Python that do the same."""
    seen = "extract_features(finegan_classifier(), birds.images)" if is_read else "birds.images.flatten(1)"
    return program(f"""
birds = random_birds({drawings}, {TEST + seed}, {size})
found = kmeans_clusters({seen}, {clusters}, seed={seed})
print(clustering_agreement(found, birds.factors.shape, birds.factors.texture))
""")
