"""Every block of Python in README and docs runs, commands and cells are named as they are, links lead somewhere, and the site is built."""

import html
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from PIL import Image as Pil

from engines import __version__, catalogue
from engines.core.weights import assets
from engines.inputs import words_of
from engines.invert.encode import OfficialEncoder
from engines.training.catalogue import recipes
from studio.app import build
from studio.server import launch_options
from studio.settings import Settings
from studio.state.session import Session

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "assets" / "notes").glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OPTIONS = set(re.findall(r'run\.add_argument\((?:"-\w", )?"(--[\w-]+)"', (ROOT / "studio" / "cli.py").read_text(encoding="utf-8")))
"""Options of `studio run` besides an engine's inputs and knobs."""

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[object]:
    """All blocks in a language, each a case with a name."""
    found = [(page, text) for page in PAGES for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]
    return [pytest.param(text, id=f"{page.relative_to(ROOT)}-{place}") for place, (page, text) in enumerate(found)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(assets() / "examples" / "astronaut.jpg", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def url() -> Iterator[str]:
    session = Session(Settings(generator="toy"))
    page = build(session)
    _, address, _ = page.launch(**launch_options(page, session.settings))
    yield address
    page.close()


@pytest.mark.parametrize("text", [case for case in blocks("python") if "gradio_client" not in str(case.values[0])])
def test_the_lines_run_and_leave_their_pictures(text: str, folder: Path) -> None:
    exec(compile(text.replace("steps=100", "steps=2, quick_steps=1"), "lines", "exec"), {})
    names = re.findall(r"save\(\"(\S+)\"\)", text)
    assert names and all(Pil.open(folder / name).size == (1024, 1024) for name in names)


@pytest.mark.parametrize("text", [case for case in blocks("python") if "gradio_client" in str(case.values[0])])
def test_a_program_is_answered(text: str, folder: Path, url: str) -> None:
    scope: dict[str, object] = {}
    exec(compile(text.replace("http://127.0.0.1:7860", url).replace('"steps": 40', '"steps": 2'), "lines", "exec"), scope)
    assert Pil.open(str(scope["picture"])).size == (64, 64) and "lpips" in scope["figures"]


@pytest.mark.parametrize("text", blocks("bash"))
def test_commands_name_what_there_is(text: str) -> None:
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:2] == ["studio", "run"]:
            engine = catalogue().get(words[2], OfficialEncoder)  # a name in capitals, or the template's, inverts photos as that does
            assert engine.card.name == words[2] or words[2] in {"ENGINE", "nearest_sample"}
            names = (*words_of(engine.accepts), *(knob.name for knob in engine.knob_set.declared()))
            known = {f"--{name.replace('_', '-')}" for name in names}
            assert {word for word in words if word.startswith("--")} <= known | OPTIONS
        if words[:2] == ["studio", "train"]:
            assert words[2] in {*recipes(), "RECIPE"}


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """Names of a page's headings in links."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_anchors_are_headings() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#:]*\.md)?#([^)]+)\)", page.read_text(encoding="utf-8")):
            assert anchor in anchors(page.parent / target if target else page), f"{page.name}: {target}#{anchor}"


def test_decisions_are_numbered_and_listed_with_their_status() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    rows = []
    for path in files:
        head = re.match(r"# (\d{4})\. (.+)\n\n(\d{4}-\d\d-\d\d) · Status: (.+)\n\n\S", path.read_text(encoding="utf-8"))
        assert head and path.name.startswith(head[1]) and head[4].startswith(("accepted", "superseded by")), path.name
        rows.append((head[1], head[2], path.name, head[3], re.sub(r"\[(\d+)\]\([^)]+\)", r"\1", head[4])))
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d{4}) \| \[(.+)\]\((\S+)\) \| (\S+) \| (.+) \|$", listed, re.MULTILINE) == rows


def test_every_method_is_listed_with_its_paper_and_its_note() -> None:
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    row = r"^\| \[.+\]\(\.\./assets/notes/(\w+)\.md\) \| `(\w+)` \| \[([\d.]+)\]\(https://arxiv\.org/abs/([\d.]+)\) \|"
    rows = re.findall(row, text, re.MULTILINE)
    assert all(note == name and paper == linked for note, name, paper, linked in rows)
    assert {name: f"arXiv:{paper}" for _, name, paper, _ in rows} == {name: engine.card.paper for name, engine in catalogue().items()}
    assert all(f"notes/{path.name}" in text for path in (ROOT / "assets" / "notes").glob("*.md"))


def cells() -> dict[str, list[str]]:
    """Titles of the page's cells, in their order, by tab."""
    page = build(Session(Settings(generator="toy"))).config
    parts, titles = {part["id"]: part["props"] for part in page["components"]}, dict[str, list[str]]()

    def walk(node: Mapping[str, Any], tab: str) -> None:
        props = parts.get(node.get("id"), {})
        name = str(props.get("elem_id"))
        tab = name.removeprefix("tab-") if name.startswith("tab-") else tab
        heads = re.findall(r"<span class='number'>\d+</span> (.+?)</button>", str(props.get("value")))
        titles.setdefault(tab, []).extend(map(html.unescape, heads))
        for child in node.get("children") or []:
            walk(child, tab)

    walk(page["layout"], "")
    return {tab: found for tab, found in titles.items() if tab}


def test_the_guide_tells_of_every_cell_in_its_order() -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "guide").glob("*.md") if path.stem != "index"}
    assert {tab: re.findall(r"^## (.+)$", text, re.MULTILINE) for tab, text in pages.items()} == cells()


@pytest.mark.skipif(importlib.util.find_spec("mkdocstrings") is None, reason="the extra `docs` is not installed")
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
    pages = {path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.html")}
    assert {"index.html", "guide/invert.html", "methods/e4e.html", "reference/engines.spaces.html", "security.html"} <= set(pages)
    formulas = {name: re.findall(r"<math.*?</math>", text, re.DOTALL) for name, text in pages.items()}
    assert formulas["methods/e4e.html"] and not [name for name, found in formulas.items() if "\\" in "".join(found)]
    for name, text in pages.items():
        assert 'class="arithmatex">' not in text, name
        assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=\"https?://", text), f"{name} fetches"


def test_the_changelog_opens_with_this_version_and_dates_every_one() -> None:
    heads = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    versions = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", head) for head in heads if head != "[Unreleased]"]
    assert versions and all(versions)
    assert versions[0] is not None and versions[0].group(1) == __version__
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_readme_is_read_in_a_minute_and_shows_every_tab() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    shown = [ROOT / name for name in re.findall(r"^!\[The tab .+\]\((docs/pictures/\w+\.webp)\)$", text, re.MULTILINE)]
    assert {path.stem for path in shown} == {path.stem for path in (ROOT / "docs" / "guide").glob("*.md")} - {"index"}
    for path in shown:
        assert path.stat().st_size <= 60_000
        with Pil.open(path) as picture:
            assert picture.width == 1000


def test_the_page_has_what_the_docs_say(url: str) -> None:
    named = set(re.findall(r"`(/\w+)`", (ROOT / "docs" / "api.md").read_text(encoding="utf-8")))
    assert named <= set(Client(url, verbose=False).view_api(return_format="dict")["named_endpoints"])
