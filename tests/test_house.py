"""Rules of the house that a machine can check: what is not written, where, and that every bundled file is accounted for."""

import ast
import hashlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from engines.core.weights import assets, manifest

ROOT = Path(__file__).resolve().parents[1]


def python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Dotted name and node of every call in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def imports(path: Path) -> set[str]:
    """Top-level names of all modules that a file imports, lazily or not."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", python_files("engines"), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_computes_neither_prints_nor_draws_nor_names_a_device(path: Path) -> None:
    assert not imports(path) & {"gradio", "plotly", "studio", "tqdm"}
    for name, node in calls(path):
        assert name != "print", f"line {node.lineno}"
        assert not name.endswith(".cuda"), f"line {node.lineno}"
        assert name not in ("torch.manual_seed", "np.random.seed", "numpy.random.seed", "random.seed"), f"line {node.lineno}"


@pytest.mark.parametrize("path", python_files("engines", "studio", "benchmarks", "scripts"), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_downloaded_and_nothing_unpickled_freely(path: Path) -> None:
    """Converters, and the one reader of pickles from outside, may subclass `pickle.Unpickler` so that it knows arrays only."""
    may_subclass = path.parent.name == "scripts" or path == ROOT / "engines/core/pickles.py"
    assert not imports(path) & ({"dill", "joblib", "requests", "huggingface_hub"} | (set() if may_subclass else {"pickle"}))
    for name, node in calls(path):
        assert not name.startswith("torch.hub."), f"line {node.lineno}"
        assert name not in ("urllib.request.urlopen", "urlopen", "urlretrieve"), f"line {node.lineno}"
        assert name not in ("pickle.load", "pickle.loads", "pickle.Unpickler", "Unpickler"), f"line {node.lineno}"
        if name == "torch.load":
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert options.get("weights_only") == "True", f"line {node.lineno}"


def test_layers_hold() -> None:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(manifest()))
def test_a_bundled_file_is_what_the_manifest_says(name: str) -> None:
    entry = manifest()[name]
    data = (assets() / "models" / entry["file"]).read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"])
    assert entry["file"].endswith(".safetensors")
    assert entry["licence"] in {"MIT", "Apache-2.0", "BSD-3-Clause", "CC0-1.0", "ISC"}
    assert " by scripts/" in entry["origin"] or entry["origin"].startswith(("engines/training/recipes/", "engines/training/tables/"))
    recipe = re.search(r"(?:scripts|engines/training/(?:recipes|tables))/\w+\.py", entry["origin"])
    assert recipe is not None
    assert (ROOT / recipe.group()).is_file()


def test_a_network_trained_here_comes_with_its_figures_and_its_log() -> None:
    for name, entry in manifest().items():
        if entry["origin"].startswith("engines/training"):
            assert entry["metrics"]
            assert (assets() / "training" / f"{name}.jsonl").is_file()


def test_every_bundled_file_is_in_the_manifest() -> None:
    assert {path.name for path in (assets() / "models").iterdir()} == {entry["file"] for entry in manifest().values()}


def test_assets_stay_small() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "assets").rglob("*") if path.is_file()) < 150e6


def test_weights_named_in_notice() -> None:
    """Whoever gets the files gets their licences."""
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for entry in manifest().values():
        package = re.match(r"(?:PyPI|npm) (\S+)", entry["origin"])
        assert package is None or package.group(1) in notice


def test_pins_that_keep_torch_on_the_cpu_are_exact() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"torch==2.13.0", "torchvision==0.28.0", "lpips==0.1.4"} <= set(project["dependencies"])
    for requirement in chain(project["dependencies"], *project["optional-dependencies"].values()):
        assert "==" in requirement or ("<" in requirement and ">=" in requirement), requirement
