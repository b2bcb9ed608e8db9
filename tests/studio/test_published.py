"""A published checkpoint on the page: read once, deleted, run, and refused in a sentence."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
import torch
from PIL import Image as Pil

from engines.faces import alignment_from_box
from studio.serving.lines import Lines
from studio.settings import Settings
from studio.state.visitors import Visitors
from studio.tabs.invert import checkpoint
from tests.engines.invert.test_official import Canvas, bare
from tests.engines.invert.test_official import checkpoint as saved

VISITOR: Any = SimpleNamespace(session_hash="visitor")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> checkpoint.CheckpointHandlers:
    session: Any = SimpleNamespace(generator=Canvas(), settings=Settings(), visitors=Visitors(2**20), lines=Lines(4, 20))
    monkeypatch.setattr(checkpoint, "finished", lambda _, kept: SimpleNamespace(kept=kept))
    monkeypatch.setattr(checkpoint, "shown", lambda _, drawn, out: {out.metrics: drawn.kept})
    with gr.Blocks():
        parts = checkpoint.accordion(session)
    assert parts is not None
    out: Any = SimpleNamespace(metrics="metrics", results=[], code="code")
    return checkpoint.CheckpointHandlers(session, parts, out)


def uploaded(folder: Path, content: Any) -> str:
    path = folder / "upload.pt"
    torch.save(content, path) if content is not None else path.write_bytes(b"PK half a file")
    return str(path)


def ready(answers: checkpoint.CheckpointHandlers) -> Any:
    visitor = answers.visitor(VISITOR)
    visitor.target, visitor.photo = torch.zeros(1, 3, 256, 256), Pil.new("RGB", (256, 256))
    visitor.alignment = alignment_from_box((256, 256), 0.5, 0.5, 1.0)
    return visitor


def test_a_checkpoint_is_read_deleted_and_answers_the_photo(answers: checkpoint.CheckpointHandlers, tmp_path: Path) -> None:
    path, visitor = uploaded(tmp_path, saved("restyle_psp")), ready(answers)
    cleared, words = answers.take(path)
    assert cleared is None and "Loaded: ReStyle over pSp" in words
    assert not Path(path).exists()
    assert answers.claim(VISITOR) and visitor.running
    changes: list[dict[Any, Any]] = list(answers.run(VISITOR, 2))
    assert changes[-1]["metrics"].method == "ReStyle over pSp (published checkpoint)"
    assert visitor.results.inverted.result.inversions[0].latent.codes.shape == (1, 23, 24)
    assert not visitor.running
    assert answers.forget() == checkpoint.NOTHING
    with pytest.raises(gr.Error, match="No checkpoint is loaded"):
        answers.claim(VISITOR)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "is cut off"),
        (bare(state_dict={"decoder.x": torch.zeros(1)}), "may be a generator's file"),
        ({key: value for key, value in saved("psp").items() if key != "latent_avg"}, "lacks latent_avg"),
        (bare(opts={"encoder_type": "GradualStyleEncoder", "output_size": 256}), "a generator of 256 px"),
        (saved("psp"), "nine standard deviations outside W"),
    ],
)
def test_a_bad_file_gets_a_sentence_and_what_was_loaded_stays(
    content: Any, sentence: str, answers: checkpoint.CheckpointHandlers, tmp_path: Path
) -> None:
    answers.take(uploaded(tmp_path, saved("e4e")))
    path = uploaded(tmp_path, content)
    _, words = answers.take(path)
    assert sentence in words and "e4e (published checkpoint) stays loaded" in words
    assert str(tmp_path) not in words
    assert not Path(path).exists()


def test_the_run_wants_a_photo_and_its_turn(answers: checkpoint.CheckpointHandlers, tmp_path: Path) -> None:
    answers.take(uploaded(tmp_path, saved("e4e")))
    with pytest.raises(gr.Error, match="no aligned face"):
        answers.claim(VISITOR)
    answers.runs.claim(ready(answers))
    with pytest.raises(gr.Error, match="still going"):
        answers.claim(VISITOR)


def test_a_page_of_one_s_own_takes_a_gigabyte() -> None:
    assert Settings().checkpoint_megabytes >= 1_200
    assert Settings(host="0.0.0.0").checkpoint_megabytes == 0


@pytest.fixture(autouse=True)
def no_toasts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(gr, "Warning", lambda *_, **__: None)
    yield
