"""The wheel, built and installed into an environment of its own: what it does, it does without the checkout."""

import importlib.util
import json
import os
import signal
import site
import socket
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from PIL import Image as Pil

ROOT = Path(__file__).resolve().parents[2]
OURS = ("engines", "studio", "benchmarks")
CHECKOUT_ONLY = ("scripts", "tests")
MANIFEST = tomllib.loads((ROOT / "assets" / "weights.toml").read_text(encoding="utf-8"))
MOST_BYTES = 100_000_000
PATIENCE = 300
"""Seconds that a command may take on a busy machine; alone, none takes twenty."""

Shell = Callable[..., subprocess.CompletedProcess[str]]


def environment() -> dict[str, str]:
    """This process's, without what would lead an installed package back to the checkout, or set options for it."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "GRADIO", "STUDIO"))}
    return ours | {"GRADIO_ANALYTICS_ENABLED": "False", "PYTHONDONTWRITEBYTECODE": "1"}


def called(*words: str | Path) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree; its builder is one of the packages for tests, and fetched by pip only where it is not installed."""
    folder = tmp_path_factory.mktemp("wheel")
    here = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    called(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *here, "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new environment that holds the wheel; dependencies are this environment's.

    A folder that a .pth file names is searched, but .pth files within it are not followed: an editable install stays out of sight.
    """
    folder = tmp_path_factory.mktemp("environment")
    called(sys.executable, "-m", "venv", "--without-pip", folder)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    called(sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet", "--no-deps", "--no-index", wheel)
    (own,) = folder.rglob("site-packages")
    (own / "dependencies.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    return programs


@pytest.fixture
def shell(installed: Path, tmp_path: Path) -> Shell:
    """Run a program of the new environment, in an empty folder."""

    def run(program: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [str(installed / program), *(str(word) for word in words)]
        return subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=PATIENCE)

    return run


def test_what_is_tried_is_what_was_installed(shell: Shell, installed: Path) -> None:
    program = (
        "import importlib.util, json\n"
        f"found = {{name: importlib.util.find_spec(name) for name in {(*OURS, *CHECKOUT_ONLY)}}}\n"
        "print(json.dumps({name: spec and list(spec.submodule_search_locations)[0] for name, spec in found.items()}))\n"
    )
    done = shell("python", "-c", program)
    assert done.returncode == 0, done.stderr
    places = json.loads(done.stdout)
    assert all(Path(places[name]).is_relative_to(installed.parent) for name in OURS)
    assert all(places[name] is None for name in CHECKOUT_ONLY)


def test_the_wheel_holds_what_its_parts_read(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(OURS)
    kept = [path for folder in OURS for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {path.relative_to(ROOT).as_posix() for path in kept} <= names
    left_out = {f"models/{entry['file']}" for entry in MANIFEST.values() if not entry.get("ships", True)}
    assets = {path.relative_to(ROOT / "assets").as_posix() for path in (ROOT / "assets").rglob("*") if path.is_file()}
    assert left_out < assets
    assert {name.removeprefix("engines/_assets/") for name in names if name.startswith("engines/_assets/")} == assets - left_out
    assert {f"benchmarks/_portraits/{path.name}" for path in (ROOT / "tests/golden/portraits").iterdir()} <= names


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < MOST_BYTES


def test_a_network_that_the_wheel_leaves_out_is_told_by_command_line_and_page(shell: Shell) -> None:
    done = shell("studio", "--generator", "toy", "run", "infogan", "--information", "off", "--out", "digits.png")
    assert done.returncode == 1 and done.stderr == (
        "The network infogan_digits-without-information is not in this installation: the wheel leaves it out to stay small. "
        "It is in the source tree, assets/models/infogan_digits-without-information.safetensors: "
        "install from a checkout (pip install -e .) to use it.\n"
    )
    listed = shell("studio", "list").stdout
    assert "(8)  Resolution of the stylemap" in listed and "Only the source tree has the networks for: 1, 4." in listed
    program = (
        "import json; from studio.app import build; from studio.state.session import Session; from studio.settings import Settings\n"
        "found = {part['props'].get('elem_id'): part['props'] for part in build(Session(Settings(generator='toy'))).config['components']}\n"
        "print(json.dumps([found['mix-own-cells'][key] for key in ('choices', 'info')]))\n"
    )
    done = shell("python", "-c", program)
    assert done.returncode == 0, done.stderr
    choices, info = json.loads(done.stdout.splitlines()[-1])
    assert [value for _, value in choices] == ["8", "16"] and info.endswith("Only the source tree has the networks for: 4.")


def test_both_commands_are_there_and_say_the_version(shell: Shell, wheel: Path) -> None:
    version = wheel.name.split("-")[1]
    for command in ("studio", "latent-studio"):
        assert shell(command, "--version").stdout == f"Latent Studio {version}\n"
    done = shell(
        "python", "-c", "import engines, importlib.resources as r; print(engines.__version__, (r.files(engines) / 'py.typed').is_file())"
    )
    assert done.stdout.split() == [version, "True"], done.stderr


def test_list_names_the_engines(shell: Shell) -> None:
    done = shell("studio", "list")
    assert done.returncode == 0, done.stderr
    assert "image2stylegan: Image2StyleGAN" in done.stdout


def test_an_engine_draws(shell: Shell, tmp_path: Path) -> None:
    done = shell("studio", "--generator", "toy", "run", "sefa", "--count", "2", "--out", "strip.png", "--save", "found.npy")
    assert done.returncode == 0, done.stderr
    assert Pil.open(tmp_path / "strip.png").size[0] > 0 and (tmp_path / "found.npy").is_file()


def test_a_recipe_trains_to_its_end_and_is_recorded(shell: Shell, installed: Path, tmp_path: Path) -> None:
    """Into a folder of one's own, then, without a name, into the run's folder: the package stays as it was installed."""
    (package,) = installed.parent.rglob("engines/_assets")
    before = {path: path.stat().st_mtime_ns for path in package.rglob("*")}
    train = ["train", "face_body", "--generator", "toy", "--steps", "1", "--faces", "4", "--samples", "samples", "--folder", "run"]
    for option, folder in ((["--record", "own"], tmp_path / "own"), (["--record"], tmp_path / "run" / "assets")):
        done = shell("studio", *train, *option)
        assert done.returncode == 0, done.stderr
        entry = tomllib.loads((folder / "weights.toml").read_text(encoding="utf-8"))["face_body"]
        assert entry["origin"].startswith("engines/training/recipes/face_body.py, seed 1, 1 steps")
        assert {"distance", "lpips", "identity_distance"} <= set(entry["metrics"])
        assert (folder / "models" / entry["file"]).stat().st_size == entry["bytes"]
        assert "test" in (folder / "training" / "face_body.jsonl").read_text(encoding="utf-8")
    assert {path: path.stat().st_mtime_ns for path in package.rglob("*")} == before


def test_a_place_that_cannot_be_recorded_into_is_told_before_the_first_step(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = shell("studio", "train", "bird_oracle", "--record", "file", "--folder", "run")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "file was wanted" in done.stderr or "folder was wanted" in done.stderr
    assert not (tmp_path / "run" / "log.jsonl").exists()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def page(installed: Path, tmp_path: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The page in a process of its own."""
    words: Sequence[str] = [str(installed / "studio"), "--generator", "toy", "--port", str(port)]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=log, stderr=log) as process:
        yield process
        process.kill()


@pytest.mark.skipif(os.name == "nt", reason="signals are Unix's")
def test_the_page_starts_and_ends_when_it_is_told_to(page: subprocess.Popen[str], port: int, shell: Shell, tmp_path: Path) -> None:
    url, end = f"http://127.0.0.1:{port}/", time.monotonic() + PATIENCE
    while True:
        assert page.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
        try:
            answer = httpx.get(url, timeout=30)
            break
        except httpx.TransportError:
            time.sleep(0.2)
    assert answer.status_code == 200 and "Latent Studio" in answer.text
    config = httpx.get(f"{url}config", timeout=30)
    assert config.status_code == 200 and config.json()["components"]
    second = shell("studio", "--generator", "toy", "--port", str(port))
    assert second.returncode == 1 and second.stderr.startswith(f"Port {port} is taken by another program."), second.stderr
    page.send_signal(signal.SIGTERM)
    page.wait(timeout=60)
    with pytest.raises(httpx.TransportError):
        httpx.get(url, timeout=5)
