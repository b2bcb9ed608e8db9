"""What is picked on the hierarchy tab: ties, grids, thumbnails, and the sentences for what cannot be picked."""

from dataclasses import replace

import gradio as gr
import numpy as np
import pytest
from PIL import Image as Pil

from engines.core.errors import CatalogueError, StudioError
from engines.core.images import png_bytes, to_picture
from engines.generators.finegan import FineCodes
from studio.app import build
from studio.media.animation import record
from studio.media.video import Film
from studio.services.finegan_sampler import (
    BACKGROUND,
    CHILD,
    MOST_SEED,
    PARENT,
    SEED,
    Pick,
    Sampler,
    codes_file,
    read_codes,
    shifted,
    whole,
)
from studio.settings import Settings
from studio.state.edits import History
from studio.state.session import Session
from studio.tabs.explore.finegan_codes import drawn
from studio.tabs.hierarchy import tab as hierarchy
from studio.tabs.hierarchy.code_picker import recipe, say
from studio.tabs.hierarchy.handlers import SamplerHandlers


@pytest.fixture(scope="module")
def sampler(session: Session) -> Sampler:
    return Sampler(session)


def test_a_child_brings_its_parent_and_background_while_tied(sampler: Sampler) -> None:
    pick = sampler.child(Pick(), 5)
    assert pick.codes == FineCodes(5, 2, 5)
    free = sampler.child(replace(pick, shape_tied=False, place_tied=False), 1)
    assert free.codes == FineCodes(5, 2, 1)
    assert sampler.tie(free, True, True).codes == FineCodes(1, 0, 1)


def test_a_parent_brings_its_first_child_while_tied(sampler: Sampler) -> None:
    pick = sampler.child(Pick(), 5)
    assert sampler.parent(pick, 3).codes == FineCodes(6, 3, 6)
    assert sampler.parent(pick, 2) == pick
    assert sampler.parent(replace(pick, shape_tied=False), 3).codes == FineCodes(5, 3, 5)


def test_choosing_a_background_frees_it(sampler: Sampler) -> None:
    pick = sampler.background(sampler.child(Pick(), 5), 1)
    assert pick.codes == FineCodes(1, 2, 5) and pick.shape_tied and not pick.place_tied


def test_adopted_codes_undo_only_ties_that_they_break(sampler: Sampler) -> None:
    assert sampler.adopt(Pick(), FineCodes(5, 2, 5, 9)) == Pick(FineCodes(5, 2, 5, 9))
    assert sampler.adopt(Pick(), FineCodes(5, 1, 5)) == Pick(FineCodes(5, 1, 5), False, True)
    assert sampler.adopt(Pick(), FineCodes(0, 2, 5)) == Pick(FineCodes(0, 2, 5), True, False)


def test_in_a_grid_what_varies_is_free_and_the_rest_follows_its_ties(sampler: Sampler) -> None:
    pick = sampler.child(Pick(), 5)
    columns, rows, codes = sampler.laid(pick, CHILD, PARENT, 4)
    assert (columns, rows) == ([0, 2, 4, 6], [0, 1, 2, 3])
    assert [(one.parent, one.child, one.background) for one in codes[:5]] == [(0, 0, 0), (0, 2, 2), (0, 4, 4), (0, 6, 6), (1, 0, 0)]
    assert sampler.laid(pick, PARENT, CHILD, 4)[2][1] == FineCodes(0, 1, 0)
    _, _, codes = sampler.laid(pick, SEED, CHILD, 8)
    assert len(codes) == 64 and codes[9] == FineCodes(1, 0, 1, 1)
    assert sampler.laid(replace(pick, codes=replace(pick.codes, seed=MOST_SEED)), SEED, BACKGROUND, 4)[0] == [MOST_SEED, 0, 1, 2]
    with pytest.raises(StudioError, match="Choose two different codes"):
        sampler.laid(pick, CHILD, CHILD, 4)


def test_there_is_a_thumbnail_for_every_code(sampler: Sampler) -> None:
    shown = sampler.thumbnails()
    assert (len(shown.background), len(shown.parent), len(shown.child)) == (8, 4, 8)
    pictures = [*shown.background, *shown.parent, *shown.child]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)
    assert sampler.thumbnails() is shown


def test_the_explorer_shows_every_code_where_it_lies(sampler: Sampler) -> None:
    for kind, count in ((CHILD, 8), (PARENT, 4), (BACKGROUND, 8)):
        figure = drawn(sampler, kind)
        assert figure.count("<image") == figure.count("<title>") == count
        assert f"{count} {kind} codes" in figure and "nan" not in figure.split("base64")[0]


@pytest.mark.parametrize("value", [None, -1, 8, 2.5, float("nan"), float("inf"), True, "3"])
def test_numbers_that_are_no_codes_get_a_sentence(value: object) -> None:
    with pytest.raises(StudioError, match=r"Child: .*; a whole number from 0 to 7 is wanted\."):
        whole(value, 8, "Child")


def test_a_number_may_have_a_least() -> None:
    assert whole(2, 9, "Clusters", 2) == 2
    with pytest.raises(StudioError, match=r"Clusters: 1 came; a whole number from 2 to 8 is wanted\."):
        whole(1, 9, "Clusters", 2)


def test_shifts_are_numbers_within_reach() -> None:
    assert shifted([0, 0, 0, 0]) == () and shifted([0, 1, 0, 0]) == (0.0, 1.0, 0.0, 0.0)
    for value in (None, 7, float("nan"), "1"):
        with pytest.raises(StudioError, match="deviations"):
            shifted([0, value])


@pytest.mark.parametrize("codes", [FineCodes(1, 2, 3), FineCodes(1, 2, 3, 4, (0.5,), (0.1, 0.2, 0.3, -1.0, 2.0, 0.0))])
def test_codes_come_back_from_their_file(codes: FineCodes) -> None:
    assert read_codes(codes_file(codes)) == codes


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[1, 2]",
        b"[" * 50_000,
        b'{"child": 1}',
        b'{"child": 1, "parent": 0, "background": "x"}',
        b'{"child": 1, "parent": 0, "background": 1, "z": 3}',
        b'{"child": 1, "parent": 0, "background": 1, "z": [NaN]}',
        b'{"child": 1, "parent": 0, "background": 1, "shifts": ["a"]}',
        b'{"child": 1, "parent": 0, "background": 1, "seed": 1e99}',
        b" " * 200_000,
    ],
)
def test_files_that_hold_no_codes_get_a_sentence(data: bytes) -> None:
    with pytest.raises(StudioError, match=r"\.$"):
        read_codes(data)


def test_a_saved_picture_of_a_bird_carries_its_codes() -> None:
    codes, picture = FineCodes(1, 2, 3, 7, (0.5,), (0.25, -1.0)), Pil.new("RGB", (8, 8))
    assert read_codes(png_bytes(picture, codes_file(codes).decode())) == codes
    for data in (png_bytes(picture), png_bytes(picture, '{"studio": 1}'), png_bytes(picture)[:20]):
        with pytest.raises(StudioError, match="no file of codes"):
            read_codes(data)


def test_the_lines_of_python_make_the_codes(sampler: Sampler) -> None:
    pick = sampler.child(Pick(FineCodes(0, 0, 0, 7, (1.0,))), 5)
    lines = recipe(sampler.finegan.name, pick)
    scope: dict = {}
    exec("\n".join(line for line in lines.splitlines() if line.startswith(("from engines", "codes ="))), scope)
    assert scope["codes"] == pick.codes
    compile(lines, "recipe", "exec")
    assert "tied" in say(pick) and "1 of its components moved" in say(pick)


def test_a_film_has_a_frame_for_each_point_of_the_way(sampler: Sampler) -> None:
    film, ends = Film(24), (FineCodes(0, 0, 0), FineCodes(5, 2, 5, 3))
    run = record(sampler.drawing(ends, 11), film, lambda picture: picture)
    for progress in run:
        assert progress.total == 11
    assert film.count == 11


def test_a_wrong_step_can_be_taken_back(session: Session, sampler: Sampler) -> None:
    with gr.Blocks():
        first = Pick(sampler.finegan.tied(0))
        answers = SamplerHandlers(sampler, hierarchy.board_cells(sampler, first), gr.State(first), gr.State(History()))
    pick, history, *shown = answers.settled(first, History(), sampler.child(first, 5))
    assert len(shown) + 2 == len(answers.shown)
    assert np.array_equal(np.asarray(shown[len(answers.board.controls)].resize((32, 32))).shape, (32, 32, 3))
    again, history, *_ = answers.back(pick, history)
    assert again == first
    assert answers.forth(again, history)[0] == pick
    moved = answers.slide(pick, 1.0, *[0.0] * (sampler.sliders - 1))[0]
    assert answers.back(moved, History((first, pick)))[0] == pick
    assert to_picture(sampler.draw(moved.codes).images) != to_picture(sampler.draw(pick.codes).images)


def test_without_the_network_the_tab_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sampler, "is_there", False)
    page = build(Session(Settings(generator="toy")))
    texts = [block.value for block in page.blocks.values() if isinstance(block, gr.HTML)]
    assert any("not among the bundled weights" in str(text) for text in texts)


def test_the_page_is_not_opened_on_a_generator_without_w() -> None:
    with pytest.raises(CatalogueError, match=r"edits faces in W, which infogan-toy does not have: start it on ffhq\."):
        Session(Settings(generator="infogan-toy"))
