"""What programs may build on: `engines.__all__`, whole and in order, and the only place that docs and snippets import from."""

import ast
import builtins
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import engines
from engines.core.weights import assets

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
IMPORT = re.compile(r"^\s*(?:from|import) ((?:engines|studio|benchmarks|scripts)\b[\w.]*)", re.MULTILINE)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((assets() / "notes").glob("*.md"))]


def strings(path: Path) -> Iterator[str]:
    """Every text in a file of Python, docstrings and parts of f-strings included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def snippets() -> Iterator[tuple[str, str]]:
    """The page's fixed lines of Python, by module."""
    for path in sorted((ROOT / "studio" / "tabs").rglob("*.py")):
        if "_SNIPPET = " in path.read_text(encoding="utf-8"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name, import_module(name)._SNIPPET


def test_what_only_a_fit_needs_is_not_loaded_at_every_start() -> None:
    program = "import sys, engines; print(*{'sklearn', 'scipy.stats'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_list_is_in_order_and_all_there_is() -> None:
    public = {name for name, item in vars(engines).items() if not name.startswith("_") and not inspect.ismodule(item)}
    assert engines.__all__ == sorted(engines.__all__)
    assert set(engines.__all__) == public | {"__version__"}


@pytest.mark.parametrize("name", [name for name in engines.__all__ if name not in ("Run", "__version__")])
def test_a_public_name_is_the_one_that_its_own_module_has(name: str) -> None:
    item = getattr(engines, name)
    assert item.__name__ == name and item.__module__.startswith("engines.") and inspect.getdoc(item)
    assert getattr(import_module(item.__module__), name) is item


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_pages_import_one_module_deep_and_name_what_there_is(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for block in BLOCK.findall(text):
        assert set(IMPORT.findall(block)) <= {"engines"}
        compile(block, page.name, "exec")
    for name in re.findall(r"`(\w+)\([^`]*\)`", text):
        assert name in {*engines.__all__, *vars(engines.Engine)}, f"{page.name}: {name}"


@pytest.mark.parametrize("path", sorted((ROOT / "studio").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_page_types_no_import_into_a_snippet(path: Path) -> None:
    """`studio.services.snippets.program` writes them, from `engines.__all__`."""
    assert not any(IMPORT.search(text) for text in strings(path))


@pytest.mark.parametrize("name,lines", [pytest.param(name, lines, id=name) for name, lines in snippets()])
def test_a_snippet_has_every_name_that_it_uses(name: str, lines: str) -> None:
    tree = ast.parse(lines)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)} | set(dir(builtins))
    bound |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert {node.id for node in names} <= bound
    assert set(IMPORT.findall(lines)) == {"engines"}
