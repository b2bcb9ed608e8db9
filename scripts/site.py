"""Pages of the documentation that are kept elsewhere: a hook of mkdocs, which `make docs` runs.

The README, the notes of methods and the other texts of the root become pages as they are; links in all pages lead to where their targets
have gone. The reference has a page for each package of `engines`. Formulas become MathML, which browsers draw by themselves.
"""

import html
import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
ADDED = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
} | {f"assets/notes/{path.name}": f"methods/{path.name}" for path in sorted((ROOT / "assets" / "notes").glob("*.md"))}
"""Pages by the place of their text."""

_LINK = re.compile(r"(!?\[[^\]]*\])\(([^()\s]+)\)")
_KNOWN = {r"\big": "", r"\lVert": r"\Vert", r"\rVert": r"\Vert", r"\arg": r"\operatorname{arg}"}
_WORD = re.compile(r"\\[A-Za-z]+")
_MATH = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def reference() -> dict[str, str]:
    """Text of each page of the reference by its place: a package with its modules, or the modules that lie in none."""
    packages = sorted(path.parent for path in (ROOT / "engines").rglob("__init__.py"))
    found = {}
    for package in packages:
        modules = [package, *sorted(path.with_suffix("") for path in package.glob("*.py") if not path.name.startswith("_"))]
        names = [".".join(module.relative_to(ROOT).parts) for module in modules]
        shown = [f"::: {names[0]}\n    options: {{ members: false }}\n", *(f"::: {name}\n" for name in names[1:])]
        found[f"reference/{names[0]}.md"] = f"# `{names[0]}`\n\n" + "\n".join(shown)
    return found


def on_config(config: MkDocsConfig) -> None:
    """Add the generated pages to the contents."""
    sections: dict[str, Any] = {title: pages for entry in config.nav or [] for title, pages in entry.items()}
    sections["Methods"] += [page for page in ADDED.values() if page.startswith("methods/")]
    sections["Reference"] += list(reference())
    decisions = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("0*.md"))
    place = sections["Inside"].index("decisions/README.md")
    sections["Inside"][place] = {"Decisions": ["decisions/README.md", *(f"decisions/{name}" for name in decisions)]}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages themselves."""
    for source, page in ADDED.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for page, text in reference().items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead links to pages and pictures; what the site does not hold is named, not linked."""
    kept = {place: source for source, place in ADDED.items()}
    here = PurePosixPath(kept.get(page.file.src_uri, f"docs/{page.file.src_uri}")).parent
    start = PurePosixPath(page.file.src_uri).parent

    def led(match: re.Match[str]) -> str:
        words, target = match.groups()
        path, mark, anchor = target.partition("#")
        if not path or ":" in path:
            return match.group()
        place = placed(os.path.normpath(here / path))
        return f"{words}({os.path.relpath(place, start)}{mark}{anchor})" if place else words.strip("![]")

    return _LINK.sub(led, markdown)


def placed(source: str) -> str | None:
    """Where the site holds a file or folder of the repository, if it does."""
    if source in ADDED:
        return ADDED[source]
    found = source.removeprefix("docs/") if source.startswith("docs/") else None
    return f"{found}/README.md" if found and (ROOT / source).is_dir() else found


def on_page_content(text: str, **_: Any) -> str:
    """Formulas as MathML."""
    return _MATH.sub(lambda match: convert(_plain(match.group(3)), display="block" if match.group(2) == "[" else "inline"), text)


def _plain(formula: str) -> str:
    """Without HTML's escapes, and in words that the converter knows."""
    return _WORD.sub(lambda match: _KNOWN.get(match.group(), match.group()), html.unescape(formula))
