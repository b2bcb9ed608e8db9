"""What a page takes up again: the recipe's kind decides whose it is, and whatever is none is told."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image as Pil

from engines.core.errors import StudioError
from engines.core.images import png_bytes
from studio.services.recipe_text import EDIT, MIXTURE, query, written
from studio.state.visitor import Visitor
from studio.state.visitors import Visitors
from studio.tabs.repeat import Repeats

ANYONE: Any = None
"""The request, which nothing here looks at."""


class OneVisitor(Visitors):
    """Everyone is the same."""

    def __init__(self) -> None:
        self.one = Visitor(2**20)

    def visitor(self, request: gr.Request) -> Visitor:
        return self.one


@pytest.fixture
def came() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def repeats(came: list[tuple[str, str]]) -> Iterator[Repeats]:
    with gr.Blocks():
        repeats = Repeats(OneVisitor())
        for kind in (EDIT, MIXTURE):
            repeats.taken_by("tab", kind, lambda text, _, kind=kind: came.append((kind, text)), lambda *_: None)
        yield repeats


def test_each_kind_goes_to_whoever_takes_it_and_equal_words_count_again(
    repeats: Repeats, came: list[tuple[str, str]], tmp_path: Path
) -> None:
    text, path = written(MIXTURE, "toy", mix={}), tmp_path / "mixed.png"
    path.write_bytes(png_bytes(Pil.new("RGB", (8, 8)), text))
    first, second = (repeats.picture(str(path), ANYONE) for _ in range(2))
    assert came == [(MIXTURE, text)] * 2
    assert first[1][1] == second[1][1] == text and first[1] != second[1] and first[0] == gr.skip()
    edit = written(EDIT, "toy", seed=7)
    assert "kind" not in json.loads(edit)
    repeats.link(query(edit).removeprefix("?recipe="), ANYONE)
    assert came[-1] == (EDIT, edit)
    assert repeats.link("", ANYONE) == [gr.skip(), gr.skip()] and len(came) == 3


@pytest.mark.parametrize(
    ("kind", "words"), [("virus", "kind is 'virus'; this page knows: edit, mixture"), (7, "kind is 7"), ("x" * 999, "kind is 'xxx")]
)
def test_a_kind_that_nobody_takes_is_told(repeats: Repeats, came: list[tuple[str, str]], kind: Any, words: str) -> None:
    text = json.dumps({"studio": 1, "kind": kind})
    with pytest.raises((StudioError, gr.Error), match=words):
        repeats.link(base64.urlsafe_b64encode(text.encode()).decode(), ANYONE)
    assert not came


def test_a_picture_without_a_recipe_is_told(repeats: Repeats, tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    path.write_bytes(png_bytes(Pil.new("RGB", (8, 8))))
    with pytest.raises(gr.Error, match="carries no recipe"):
        repeats.picture(str(path), ANYONE)
    path.write_bytes(b"GIF89a")
    with pytest.raises(gr.Error, match="no PNG"):
        repeats.picture(str(path), ANYONE)
    with pytest.raises(gr.Error, match="Choose a picture first"):
        repeats.picture(None, ANYONE)
