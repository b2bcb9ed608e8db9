from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from studio.cli import main
from tests.studio.conftest import ASTRONAUT

RUN = ["--generator", "toy", "run"]


def test_list_names_every_engine_and_knob(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    assert "image2stylegan: Image2StyleGAN" in text and "--learning-rate" in text


def test_run_writes_a_picture(tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    assert main([*RUN, "image2stylegan", "--image", str(ASTRONAUT), "--out", str(out), "--steps", "2", "--quick-steps=1"]) == 0
    assert Pil.open(out).size == (64, 64)
    assert "generative model" in Pil.open(out).text["Software"]


def test_run_of_what_needs_no_photo(tmp_path: Path) -> None:
    assert main([*RUN, "sefa", "--out", str(tmp_path / "strip.png"), "--count", "2"]) == 0


def test_run_mixes_the_faces_of_two_seeds(tmp_path: Path) -> None:
    words = ["spatial", "--seed", "3", "--reference", "5", "--part", "left half", "--edge", "0.05"]
    assert main([*RUN, *words, "--out", str(tmp_path / "mixed.png")]) == 0
    assert Pil.open(tmp_path / "mixed.png").size == (64, 64)


def test_run_learns_a_direction_and_saves_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["interfacegan", "--attribute", "brightness", "--keep", "warmth", "--out", str(tmp_path / "strip.png")]
    assert main([*RUN, *words, "--save", str(tmp_path / "brightness.npy")]) == 0
    assert np.load(tmp_path / "brightness.npy").shape == (1, 32)
    assert Pil.open(tmp_path / "strip.png").size == (5 * 16, 16)
    assert "balanced_accuracy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["spatial", "--part", "tail"], "There is no part 'tail'; there are: eyes"),
        (["nobody"], "There is no engine"),
        (["projector"], "add --image"),
        (["projector", "--image", "missing.jpg"], "There is no file"),
        (["projector", "--steps", "0"], "from 1 to"),
        (["projector", "--steps", "many"], "takes a number"),
        (["projector", "--stairs", "3"], "the knobs here are"),
        (["projector", "--steps"], "wants a value"),
        (["projector", "--out", "out.exe"], "ends in .png"),
        (["interfacegan", "--attribute", "moustache"], "has no attribute"),
    ],
)
def test_wrong_words_get_a_sentence(capsys: pytest.CaptureFixture[str], words: list[str], sentence: str) -> None:
    assert main([*RUN, *words]) == 1
    assert sentence in capsys.readouterr().err


def test_train_needs_a_recipe_that_exists(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["train"], ["train", "nothing"]):
        assert main(words) == 1
        assert "there are: face_body, psp, e4e, restyle_psp" in capsys.readouterr().err


def test_train_trains(tmp_path: Path) -> None:
    words = ["--generator", "toy", "--steps", "1", "--faces", "4", "--folder", str(tmp_path), "--samples", str(tmp_path)]
    assert main(["train", "face_body", *words]) == 0
    assert (tmp_path / "checkpoint.pt").is_file()


def test_a_login_needs_both_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--auth", "nobody"]) == 1
    assert "USER:PASSWORD" in capsys.readouterr().err


def test_unknown_words_without_a_command_are_wrong_usage() -> None:
    with pytest.raises(SystemExit):
        main(["--no-such-option"])
