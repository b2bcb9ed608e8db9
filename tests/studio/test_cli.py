import errno
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pil

from engines.core.errors import WeightsError
from engines.generators.finegan import toy_finegan
from studio import cli
from studio.cli import main
from studio.settings import Settings
from tests.engines.invert.test_official import Canvas, checkpoint
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


def test_run_draws_by_a_published_generator_of_finegan_and_finds_codes(tmp_path: Path) -> None:
    path, out = tmp_path / "netG_birds.pth", tmp_path / "birds.png"
    torch.save({f"module.{key}": value for key, value in toy_finegan().network.state_dict().items()}, path)
    foreign = ["--checkpoint", str(path), "--out", str(out)]
    assert main([*RUN, "finegan", *foreign, "--codes", "1,2,3", "--codes", "4,0,5"]) == 0
    assert Pil.open(out).size == (64, 32)
    assert main([*RUN, "finegan", *foreign, "--codes", "1,2,3", "--codes", "4,0,5", "--frames", "3"]) == 0
    assert Pil.open(out).size == (96, 32)
    quick = ["--poses", "1", "--kept", "1", "--steps", "1"]
    assert main([*RUN, "finegan_codes", *foreign, "--image", str(ASTRONAUT), *quick]) == 0
    assert Pil.open(out).size == (32, 32)


@pytest.mark.parametrize("generator", ["toy", "finegan-toy"])
def test_an_engine_of_another_kind_draws_with_its_own_generator(generator: str, tmp_path: Path) -> None:
    out = tmp_path / "bird.png"
    assert main(["--generator", generator, "run", "finegan", "--codes", "1,2,3", "--out", str(out)]) == 0
    assert Pil.open(out).size == (32, 32)


@pytest.mark.parametrize(
    ("generator", "sentence"),
    [
        ("nobody", "There is no generator 'nobody'; there are: ffhq, toy"),
        ("finegan-toy", "needs affine, w_plus, which the generator finegan-toy"),
    ],
)
def test_a_generator_that_cannot_serve_gets_a_sentence(generator: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--generator", generator, "run", "sefa"]) == 1
    assert sentence in capsys.readouterr().err


def test_codes_that_finegan_lacks_get_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "netG_birds.pth"
    torch.save(toy_finegan().network.state_dict(), path)
    for codes, sentence in (("1,9,3", "The parent code 9 came; there are 4"), ("12", "such as 12,2,12"), ("a,b,c", "'a,b,c' came")):
        assert main([*RUN, "finegan", "--checkpoint", str(path), "--codes", codes, "--out", str(tmp_path / "o.png")]) == 1
        assert sentence in capsys.readouterr().err


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
        (["projector", "--attribute", "smile"], "takes the inputs --seed, --image, --face, --aligned, --beside"),
        (["sefa", "--seed", "seven"], "takes a whole number, such as 7"),
        (["semantic_diffusion", "--image", str(ASTRONAUT)], "add --context photo.jpg"),
        (["projector", "--steps"], "wants a value"),
        (["projector", "--out", "out.exe"], "ends in .png"),
        (["interfacegan", "--attribute", "moustache"], "has no attribute"),
        (["official", "--image", str(ASTRONAUT)], "add --checkpoint"),
        (["official", "--checkpoint", "missing.pt"], "add --image"),
        (["official", "--checkpoint", "missing.pt", "--image", str(ASTRONAUT)], "There is no file missing.pt"),
        (["projector", "--save", "x.npy"], "projector finds none"),
        (["sefa", "--save", "x.txt"], "ends in .safetensors"),
        (["sefa", "--save", "missing/x.npy"], "there is no folder missing"),
        (["sefa", "--out", "missing/x.png"], "there is no folder missing"),
        (["sefa", "--seed", "9" * 30], "at most 63 bits"),
        (["projector", "--checkpoint", "missing.pt"], "it goes with: studio run official"),
    ],
)
def test_wrong_words_get_a_sentence(capsys: pytest.CaptureFixture[str], words: list[str], sentence: str) -> None:
    assert main([*RUN, *words]) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda content: None, "is cut off"),
        (lambda content: {"g_ema": {}}, "has no state_dict"),
        (lambda content: {key: value for key, value in content.items() if key != "latent_avg"}, "lacks latent_avg"),
        (lambda content: content | {"opts": content["opts"] | {"output_size": 512}}, "a generator of 512 px"),
        (lambda content: content, "nine standard deviations outside W"),
        (lambda content: checkpoint("e4e"), "codes have 24 values"),
    ],
)
def test_a_checkpoint_that_does_not_fit_gets_a_sentence(spoil, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, path = spoil(checkpoint("psp")), tmp_path / "psp.pt"
    torch.save(content, path) if content else path.write_bytes(b"PK half a file")
    assert main([*RUN, "official", "--checkpoint", str(path), "--image", str(ASTRONAUT), "--out", str(tmp_path / "o.png")]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "o.png").exists()


def test_a_checkpoint_inverts_a_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, out = tmp_path / "e4e.pt", tmp_path / "out.png"
    torch.save(checkpoint("e4e"), path)
    monkeypatch.setattr("studio.commands.load_generator", lambda *_: Canvas())
    assert main([*RUN, "official", "--checkpoint", str(path), "--image", str(ASTRONAUT), "--out", str(out)]) == 0
    assert Pil.open(out).size == (256, 256)


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


def test_several_photos_are_tuned_together(tmp_path: Path) -> None:
    out = tmp_path / "both.png"
    words = ["pti", "--image", str(ASTRONAUT), "--beside", str(ASTRONAUT), "--steps", "1", "--quick-steps", "1", "--pivot", "projector"]
    assert main([*RUN, *words, "--out", str(out)]) == 0
    assert Pil.open(out).size == (128, 64)


def test_a_method_that_takes_one_photo_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "projector", "--image", str(ASTRONAUT), "--beside", str(ASTRONAUT)]) == 1
    assert "projector takes one" in capsys.readouterr().err


def test_a_hole_is_filled_by_a_painted_mask_and_two_photos_cross_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask, out = tmp_path / "mask.png", tmp_path / "out.png"
    painted = Pil.new("L", (64, 64))
    painted.paste(255, (24, 24, 40, 40))
    painted.save(mask)
    settings = ["--steps", "1", "--quick-steps", "1", "--noise-steps", "1", "--out", str(out)]
    run = [*RUN, "image2stylegan_pp_mix", "--image", str(ASTRONAUT), *settings]
    assert main([*run, "--use", "inpaint", "--mask", str(mask)]) == 0 and Pil.open(out).size == (64, 64)
    assert main([*run, "--context", str(ASTRONAUT), "--part", "mouth"]) == 0
    for wrong, words in ((["--mask", str(tmp_path / "none.png")], "There is no file"), (["--part", "tail"], "there are: eyes")):
        assert main([*run, "--use", "inpaint", *wrong]) == 1 and words in capsys.readouterr().err
    assert main([*run, "--part", "mouth"]) == 1 and "needs a second picture" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["list"], ["run", "sefa"], ["train", "psp"], ["bench"], []])
def test_every_command_says_what_a_person_can_answer_and_traces_what_is_its_own_fault(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"_{words[0]}" if words else "_serve"
    for error, sentence in (
        (WeightsError("The bundled file is missing."), "The bundled file is missing."),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "photo.jpg"), "no right to use photo.jpg"),
    ):
        monkeypatch.setattr(cli, name, fails_with(error))
        assert main(words) == 1
        told = capsys.readouterr()
        assert told.err.startswith(sentence) or sentence in told.err
        assert "Traceback" not in told.err and len(told.err.splitlines()) == 1
    for fault in (ValueError("of the program"), ConnectionResetError(errno.ECONNRESET, "reset")):
        monkeypatch.setattr(cli, name, fails_with(fault))
        with pytest.raises(type(fault)):
            main(words)


def fails_with(error: Exception) -> Callable[..., int]:
    def fail(_: object) -> int:
        raise error

    return fail


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "99999"], "from 1 to 65535"),
        (["--port", "0"], "from 1 to 65535"),
        (["--host", "192.0.2.1"], "no such address"),
        (["--auth", "a:b", "--auth-file", "x"], "give one of them"),
        (["--auth-file", "missing"], "no file or folder missing"),
    ],
)
def test_a_page_that_cannot_start_says_so_before_it_loads(
    words: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("studio.server.serve", lambda _: pytest.fail("it was loaded"))
    assert main(words) == 1
    assert sentence in capsys.readouterr().err


def test_a_port_that_is_taken_while_the_page_loads_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]

        def serve(_: Settings) -> None:
            other.listen()
            raise OSError("Cannot find empty port")  # as Gradio has it

        monkeypatch.setattr("studio.server.serve", serve)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        assert main(["--port", str(port)]) == 1
    assert f"Port {port} is taken" in capsys.readouterr().err


def test_a_login_reaches_the_page_and_no_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    served: list[Settings] = []
    monkeypatch.setattr("studio.server.serve", served.append)
    assert main(["--host", "0.0.0.0", "--auth", "class:hello"]) == 0
    monkeypatch.setenv("STUDIO_AUTH", "class:hello")
    assert main([]) == 0
    assert [settings.auth for settings in served] == [("class", "hello")] * 2
    told = capsys.readouterr()
    assert "(ps)" in told.err and "easy to guess" in told.err and "hello" not in told.err + told.out


def test_visits_are_kept_in_the_users_data_folder_unless_one_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Settings] = []
    monkeypatch.setattr("studio.server.serve", served.append)
    for words in ([], ["--no-history"], ["--share"]):
        assert main(words) == 0
    assert [settings.remembers for settings in served] == [True, False, False]
    assert str(served[0].history).endswith("visits") and served[1].history is None
