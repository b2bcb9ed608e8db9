import ast
import io

import numpy as np
import pytest
import torch
from PIL import Image as Pil

from engines.core.errors import StudioError
from engines.core.images import to_tensor
from engines.invert.optimize.local_embedding import USES, LocalEmbeddingKnobs
from studio.editor import Editor
from studio.edits import Edits, Face
from studio.inputs import CANVAS
from studio.library import Library
from studio.mix import Mix
from studio.mixing import Mixer
from studio.pages.mix.search import recipe
from studio.searching import Searcher
from studio.session import Session
from studio.shelf import Desk

QUICK = {"quick_steps": 1, "steps": 1, "noise_steps": 1, "preview_every": 1, "layer": "16"}


@pytest.fixture
def searcher(session: Session) -> Searcher:
    return Searcher(Mixer(Editor(session, Library(session))))


@pytest.fixture
def desk() -> Desk:
    return Desk(2**24)


def layer(colour: str, box: tuple[int, int, int, int]) -> bytes:
    picture, buffer = Pil.new("RGBA", (CANVAS, CANVAS)), io.BytesIO()
    picture.paste(colour, box)
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


LEFT = (0, 0, CANVAS // 2, CANVAS)
SCRIBBLE = layer("white", (0, 0, CANVAS // 4, CANVAS))


def painted(searcher: Searcher, desk: Desk) -> Mix:
    return Mix(masks=(searcher.mixer.paint(desk, [layer("rgb(37, 99, 235)", LEFT)]), ""))


@pytest.mark.parametrize("use", USES)
def test_each_use_runs_and_leaves_a_picture_for_the_shelf(searcher: Searcher, desk: Desk, use: str) -> None:
    mix = painted(searcher, desk)
    *_, moment = searcher.run(desk, mix, [SCRIBBLE], LocalEmbeddingKnobs.of(QUICK | {"use": use}))
    found = searcher.found(desk)
    assert found is not None and moment.result is found.result
    assert torch.equal(found.source, searcher.mixer.face(desk, mix.source).clamp(-1, 1))
    desk.put("Searched", Pil.new("RGB", (64, 64)), found.inversion)


def test_a_stopped_run_leaves_its_best_in_full(searcher: Searcher, desk: Desk) -> None:
    run = searcher.run(desk, painted(searcher, desk), [], LocalEmbeddingKnobs.of(QUICK | {"steps": 50, "quick_steps": 3, "use": "inpaint"}))
    next(run)
    run.close()
    found = searcher.found(desk)
    assert found is not None and found.result.images.shape[-1] == 64


def test_a_photo_on_the_shelf_stands_for_itself(searcher: Searcher, desk: Desk) -> None:
    photo = Pil.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
    item = desk.put("Photo", photo, searcher.mixer.editor.moved(desk, Face("Seed", 3), Edits()), photo)
    asked = searcher.request(desk, Mix(Face("Shelf", None, 1.0, item.key), masks=painted(searcher, desk).masks), [], "crossover")
    assert torch.equal(asked.image, to_tensor(photo))
    assert asked.start is not None and asked.other is not None


def test_filling_starts_from_a_code_that_does_not_know_the_hole(searcher: Searcher, desk: Desk) -> None:
    asked = searcher.request(desk, painted(searcher, desk), [], "inpaint")
    assert asked.start is None and asked.other is None and asked.mask is not None
    assert float(asked.mask[..., :31].min()) == 1 and float(asked.mask[..., 33:].max()) == 0


def test_a_scribble_is_laid_over_the_source_and_marks_its_place(searcher: Searcher, desk: Desk) -> None:
    asked = searcher.request(desk, Mix(), [SCRIBBLE], "scribble")
    assert asked.other is not None and asked.mask is not None
    assert float(asked.other[..., :15].min()) == 1 and torch.equal(asked.other[..., 17:], asked.image[..., 17:])
    assert float(asked.mask[..., :15].min()) == 1 and float(asked.mask[..., 17:].max()) == 0


@pytest.mark.parametrize(("use", "words"), [("crossover", "Nothing is painted yet"), ("scribble", "Nothing is scribbled yet")])
def test_what_is_missing_is_said(searcher: Searcher, desk: Desk, use: str, words: str) -> None:
    with pytest.raises(StudioError, match=words):
        searcher.request(desk, Mix(), [], use)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("source", [Face(seed=7), Face("Shelf", None, 1.0, "key")])
def test_the_lines_of_python_say_what_is_used(use: str, source: Face) -> None:
    lines = recipe(Mix(source), LocalEmbeddingKnobs.of({"use": use, "steps": 3}))
    ast.parse(lines)
    assert "steps=3" in lines and ("random_w(generator, 12" in lines) == (use not in ("inpaint", "scribble"))
