"""The cell of discovery without its page: drawings come again, clusters are counted truly, and sentences follow from figures."""

import contextlib
import io
import re
from typing import Any

import pytest
import torch

from engines.contract import Result, finish
from engines.core.images import to_picture
from engines.hierarchy.discovery import CLASSIFIER, PIXELS, Agreement
from engines.training.drawn import TEST, random_birds
from studio.tabs.hierarchy.cluster_view import TITLES, against, agreed
from studio.tabs.hierarchy.clustering import (
    CHANCE,
    KIND,
    NAMES,
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
from studio.tabs.hierarchy.discovery_cell import recipe

CPU, SIZE, SEED = torch.device("cpu"), 32, 5


@pytest.fixture(scope="module")
def result() -> Result:
    return finish(discovering(100, 7, SEED, SIZE, CPU, reader_if_bundled(CPU)))


@pytest.fixture(scope="module")
def found(result: Result) -> Discovery:
    return Discovery.of(result.tables["clusters"], SEED, SIZE)


def test_the_drawings_are_those_that_were_held_out(result: Result, found: Discovery) -> None:
    birds = random_birds(100, TEST + SEED, SIZE)
    assert torch.equal(result.images, birds.images)
    assert torch.equal(found.truth()[TEXTURE], birds.factors.texture)


def test_clusters_are_shown_by_their_own_drawings_and_counted_truly(result: Result, found: Discovery) -> None:
    clusters, shapes = found.clusters(PIXELS), found.truth()[SHAPE]
    rows = shown(found, PIXELS)
    assert [row.size for row in rows] == torch.bincount(clusters).tolist()
    for row in rows:
        members = (clusters == row.number - 1).nonzero().squeeze(1)
        first = row.picture.crop((0, 0, SIZE, SIZE))
        assert first.tobytes() == to_picture(result.images[members[:1]]).tobytes()
        name, share = row.most[SHAPE]
        assert share == pytest.approx(float((shapes[members] == NAMES[SHAPE].index(name)).float().mean()))
        assert share == pytest.approx(float(torch.bincount(shapes[members]).max()) / row.size)
    assert sheet(rows).width > 8 * 96


def test_the_table_says_of_each_drawing_what_it_is_and_where_it_went(found: Discovery) -> None:
    table = found.table()
    assert table.columns == ("seed", "drawing", SHAPE, TEXTURE, PLACE, "cluster_reader", "cluster_pixels")
    seed, drawing, shape, _, place, _, cluster = table.rows[42]
    truth = found.truth()
    assert (seed, drawing) == (SEED, 42)
    assert (shape, place) == (NAMES[SHAPE][int(truth[SHAPE][42])], NAMES[PLACE][int(truth[PLACE][42])])
    assert cluster == found.found[PIXELS][42] + 1


def test_clusters_that_are_the_truth_know_all_and_the_same_dealt_out_by_lot_know_nothing() -> None:
    shapes = Discovery(3, SIZE, {PIXELS: (0,) * 300}).truth()[SHAPE]
    figures = Discovery(3, SIZE, {PIXELS: tuple(shapes.tolist())}).figures()
    assert figures[PIXELS][SHAPE].accuracy == 1 and figures[PIXELS][SHAPE].nmi > 0.95
    assert figures[CHANCE][SHAPE].accuracy < 0.3 and figures[CHANCE][SHAPE].nmi < 0.1
    assert figures[PIXELS][PLACE].nmi < 0.1


def test_the_table_of_confusion_counts_every_drawing_and_frames_what_is_right(found: Discovery) -> None:
    for factor in (SHAPE, TEXTURE, PLACE):
        page = against(found.confusion(CLASSIFIER, factor), factor)
        cells = re.findall(r"<td class='(\w*)'[^>]*>(\d+)</td>", page)
        right = sum(int(count) for kind, count in cells if kind == "named")
        assert sum(int(count) for _, count in cells) == 100
        assert right == round(100 * found.figures()[CLASSIFIER][factor].accuracy)
        assert page.count("scope='col'") == 1 + len(NAMES[factor])


def figures(shape: float, texture: float, place: float, kind: float) -> dict[str, Agreement]:
    return {name: Agreement(nmi, 0.5) for name, nmi in zip((SHAPE, TEXTURE, PLACE, KIND), (shape, texture, place, kind), strict=True)}


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        (figures(0.5, 0.1, 0.2, 0.6), r"classifier follow the \*\*shape\*\* most \(NMI 0\.50\).*on shape and kind, not on texture\.$"),
        (figures(0.5, 0.8, 0.2, 0.6), r"follow the \*\*texture\*\* most.*on shape, texture and kind\.$"),
        (
            figures(0.01, 0.02, 0.03, 0.1),
            r"follow neither shape nor texture nor place;.*ahead of pixels on nothing\.$",
        ),
    ],
)
def test_the_sentence_follows_from_the_figures(reader: dict[str, Agreement], words: str) -> None:
    pixels, lot = figures(0.3, 0.4, 0.9, 0.3), figures(0.2, 0.0, 0.0, 0.0)
    assert re.search(words, conclusion({CLASSIFIER: reader, PIXELS: pixels, CHANCE: lot}, TITLES))
    assert conclusion({PIXELS: pixels, CHANCE: lot}, TITLES) == "Clusters of plain pixels follow the **place** most (NMI 0.90)."
    assert "0.90" in agreed({PIXELS: pixels}) and "reader" not in agreed({PIXELS: pixels})


def test_where_the_reader_is_not_bundled_pixels_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.tabs.hierarchy.clustering.manifest", dict)
    assert reader_if_bundled(CPU) is None
    assert finish(discovering(20, 3, 0, SIZE, CPU, None)).tables["clusters"].columns == (PIXELS,)


@pytest.mark.parametrize("is_read", [True, False])
def test_the_lines_of_python_do_the_same(found: Discovery, is_read: bool) -> None:
    said, names = io.StringIO(), dict[str, Any]()
    with contextlib.redirect_stdout(said):
        exec(recipe(100, 7, SEED, SIZE, is_read), names)
    assert tuple(names["found"].tolist()) == found.found[CLASSIFIER if is_read else PIXELS]
    assert "nmi_shape" in said.getvalue()
