"""A package from outside: the template, installed as a stranger would, and one that is broken."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "docs" / "template"
PATIENCE = 300
"""Seconds that a command may take on a busy machine."""

Studio = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the template, as pip installs it, and with strangers beside it.

    The template's builder is one of the packages for tests, and fetched by pip only where it is not installed.
    """
    folder = tmp_path_factory.mktemp("packages")
    here = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *here, "--target", str(folder), str(TEMPLATE)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, entries, source in STRANGERS:
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
        information = folder / f"{name}-0.1.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n", encoding="utf-8")
        (information / "entry_points.txt").write_text(entries, encoding="utf-8")
    return folder


@pytest.fixture
def studio(packages: Path, tmp_path: Path) -> Studio:
    """The command line, where the packages are seen."""
    seen = os.pathsep.join(map(str, (packages, ROOT)))
    environment = os.environ | {"PYTHONPATH": seen, "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "studio.cli", *map(str, words)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)

    return run


SLOPPY = """from engines import Card, Engine, Knobs, Progress, Request, Result
import torch

__all__ = ["Namesake", "Sloppy"]


class Sloppy(Engine[Request, Knobs]):
    card = Card(name="sloppy", title="Sloppy", paper="", needs=frozenset({"w"}))
    accepts, knob_set = Request, Knobs

    def run(self, request, knobs):
        print("working")
        yield Progress(1, 2)
        return Result(torch.rand(1, 3, 8, 8))


class Namesake(Sloppy):
    card = Card(name="projector", title="Namesake", paper="", needs=frozenset({"w"}))
"""
FACES = """from engines import load_generator


def make(device):
    faces = load_generator("toy", device)
    faces.name = "strangers"
    return faces
"""
STRANGERS = (
    ("broken", "[latent_studio.engines]\nbroken_one = broken\n", "import a_module_that_nobody_has\n"),
    ("sloppy", "[latent_studio.engines]\nsloppy_ones = sloppy\n", SLOPPY),
    ("faces", "[latent_studio.generators]\nstrangers = faces:make\ntoy = faces:make\n", FACES),
)
"""What cannot be imported; engines of which one has our name and both have bad habits; a generator, once under our name."""


def test_the_template_keeps_the_contract(studio: Studio) -> None:
    done = studio("check", "latent-studio-template")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nearest_sample:" in done.stdout and "latent-studio-template: nothing falls short." in done.stdout
    assert "equal seed gives equal bits: yes" in done.stdout and "inversions redraw the result: yes" in done.stdout


def test_the_list_has_what_others_bring_and_names_what_is_left_out(studio: Studio) -> None:
    done = studio("list")
    assert done.returncode == 0, done.stderr
    assert "nearest_sample: Nearest sample (no paper)" in done.stdout and "projector: StyleGAN2 projector" in done.stdout
    for sentence in (
        "broken_one of the package broken is left out: ModuleNotFoundError: No module named 'a_module_that_nobody_has'",
        "projector of the package sloppy is left out: the name is taken.",
        "toy of the package faces is left out: the name is taken.",
    ):
        assert sentence in done.stdout and sentence in done.stderr


def test_what_others_bring_runs(studio: Studio, tmp_path: Path) -> None:
    picture = ROOT / "assets" / "examples" / "astronaut.jpg"
    done = studio("--generator", "strangers", "run", "nearest_sample", "--image", picture, "--steps", "3", "--out", "out.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.png").is_file()


def test_a_sloppy_package_is_told_what_it_falls_short_of(studio: Studio) -> None:
    done = studio("check", "sloppy")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    for sentence in (
        "it can be used: the name is taken.",
        "steps rise and end at the total: The last step is 1, the total 2.",
        "equal seed gives equal bits: Two runs of one seed differ",
        "A run draws from torch's global random numbers",
    ):
        assert sentence in done.stdout
    asked = [line for line in done.stdout.splitlines() if line.startswith("    ")]
    assert f"sloppy: {sum(not line.endswith(': yes') for line in asked)} fall short." in done.stdout


def test_a_package_that_cannot_be_used_falls_short_and_one_that_is_not_there_is_told(studio: Studio) -> None:
    done = studio("check", "broken")
    assert done.returncode == 1 and "it can be used: ModuleNotFoundError" in done.stdout
    assert "broken: 1 falls short." in done.stdout
    done = studio("check", "nobodys")
    assert done.returncode == 1 and "No installed package nobodys announces engines" in done.stderr


def test_a_generator_from_outside_is_put_to_its_checks(studio: Studio) -> None:
    done = studio("check", "faces")
    assert "one code gives one picture: yes" in done.stdout and "it can be used: the name is taken." in done.stdout
    assert done.returncode == 1
