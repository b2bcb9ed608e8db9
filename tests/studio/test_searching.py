import ast
import io

import numpy as np
import pytest
import torch
from PIL import Image as Pil

from engines.core.errors import StudioError
from engines.core.images import to_tensor
from engines.invert.optimize.local_embedding import USES, LocalEmbeddingKnobs
from studio.services.direction_library import Library
from studio.services.editor import Editor
from studio.services.mask_search import Searcher
from studio.services.mixer import Mixer
from studio.state.edits import Edits, Face
from studio.state.mix import CANVAS, Mix
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.tabs.mix.mask_search_cell import recipe

QUICK = {"quick_steps": 1, "steps": 1, "noise_steps": 1, "preview_every": 1, "layer": "16"}


@pytest.fixture
def searcher(session: Session) -> Searcher:
    return Searcher(Mixer(Editor(session, Library(session))))


@pytest.fixture
def visitor() -> Visitor:
    return Visitor(2**24)


def layer(colour: str, box: tuple[int, int, int, int]) -> bytes:
    picture, buffer = Pil.new("RGBA", (CANVAS, CANVAS)), io.BytesIO()
    picture.paste(colour, box)
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


LEFT = (0, 0, CANVAS // 2, CANVAS)
SCRIBBLE = layer("white", (0, 0, CANVAS // 4, CANVAS))


def painted(searcher: Searcher, visitor: Visitor) -> Mix:
    return Mix(masks=(searcher.mixer.paint(visitor, [layer("rgb(37, 99, 235)", LEFT)]), ""))


@pytest.mark.parametrize("use", USES)
def test_each_use_runs_and_leaves_a_picture_for_the_shelf(searcher: Searcher, visitor: Visitor, use: str) -> None:
    mix = painted(searcher, visitor)
    *_, (moment, visitor.results.found) = searcher.run(visitor, mix, [SCRIBBLE], LocalEmbeddingKnobs.of(QUICK | {"use": use}))
    found = searcher.found(visitor)
    assert found is not None and moment.result is found.result
    assert torch.equal(found.source, searcher.mixer.face(visitor, mix.source).clamp(-1, 1))
    visitor.put("Searched", Pil.new("RGB", (64, 64)), found.inversion)


def test_a_stopped_run_leaves_its_best_in_full(searcher: Searcher, visitor: Visitor) -> None:
    run = searcher.run(
        visitor, painted(searcher, visitor), [], LocalEmbeddingKnobs.of(QUICK | {"steps": 50, "quick_steps": 3, "use": "inpaint"})
    )
    _, visitor.results.found = next(run)
    run.close()
    found = searcher.found(visitor)
    assert found is not None and found.result.images.shape[-1] == 64


def test_a_photo_on_the_shelf_stands_for_itself(searcher: Searcher, visitor: Visitor) -> None:
    photo = Pil.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
    item = visitor.put("Photo", photo, searcher.mixer.editor.moved(visitor, Face("Seed", 3), Edits()), photo)
    asked = searcher.request(visitor, Mix(Face("Shelf", None, 1.0, item.key), masks=painted(searcher, visitor).masks), [], "crossover")
    assert torch.equal(asked.image, to_tensor(photo))
    assert asked.start is not None and asked.other is not None


def test_filling_starts_from_a_code_that_does_not_know_the_hole(searcher: Searcher, visitor: Visitor) -> None:
    asked = searcher.request(visitor, painted(searcher, visitor), [], "inpaint")
    assert asked.start is None and asked.other is None and asked.mask is not None
    assert float(asked.mask[..., :31].min()) == 1 and float(asked.mask[..., 33:].max()) == 0


def test_a_scribble_is_laid_over_the_source_and_marks_its_place(searcher: Searcher, visitor: Visitor) -> None:
    asked = searcher.request(visitor, Mix(), [SCRIBBLE], "scribble")
    assert asked.other is not None and asked.mask is not None
    assert float(asked.other[..., :15].min()) == 1 and torch.equal(asked.other[..., 17:], asked.image[..., 17:])
    assert float(asked.mask[..., :15].min()) == 1 and float(asked.mask[..., 17:].max()) == 0


def test_a_scribble_has_the_colour_that_it_was_drawn_with(searcher: Searcher, visitor: Visitor) -> None:
    asked = searcher.request(visitor, Mix(), [layer("rgb(51, 102, 255)", (0, 0, CANVAS // 4, CANVAS))], "scribble")
    assert asked.other is not None and asked.other[0, :, 32, 4].tolist() == pytest.approx([-0.6, -0.2, 1.0], abs=1e-5)


@pytest.mark.parametrize(("use", "words"), [("crossover", "Nothing is painted yet"), ("scribble", "Nothing is scribbled yet")])
def test_what_is_missing_is_said(searcher: Searcher, visitor: Visitor, use: str, words: str) -> None:
    with pytest.raises(StudioError, match=words):
        searcher.request(visitor, Mix(), [], use)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("source", [Face(seed=7), Face("Shelf", None, 1.0, "key")])
def test_the_lines_of_python_say_what_is_used(use: str, source: Face) -> None:
    lines = recipe(Mix(source), LocalEmbeddingKnobs.of({"use": use, "steps": 3}))
    ast.parse(lines)
    assert "steps=3" in lines and (f"random_w(generator, {Mix().reference.seed}" in lines) == (use not in ("inpaint", "scribble"))
