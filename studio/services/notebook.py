"""A lab book as a program: a Jupyter notebook or a script that makes every picture again, and says whether it came out equal."""

import ast
import base64
import html
import json
import re
import textwrap
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from studio.state.lab_book import Entry, LabBook

_HEAD = '''
import base64
import hashlib
from pathlib import Path

from PIL import Image


def keep(name, data):
    """Write an input of the lines below beside them."""
    Path(name).write_bytes(base64.b64decode(data))


def compare(name, digest):
    """Say whether a picture has the pixels that it had on the page."""
    with Image.open(name) as picture:
        pixels = picture.convert("RGB").tobytes()
    equal = not digest or hashlib.sha256(pixels).hexdigest() == digest
    print(name, "as on the page" if digest and equal else "made again" if equal else "differs from the page's")
    return equal
'''
_LACKING = "Not run: its code was too large for the lab book. Save it in the tab Invert, and put it beside these lines."
_SHOW = "from IPython.display import Image as Shown\nfrom IPython.display import display"
_ONCE = re.compile(r"(generator|bank) = (load_generator|face_bank)\(.*\)")


def as_notebook(book: LabBook, generator: str) -> bytes:
    """All entries as a notebook of format 4.5; it needs `latent-studio` in its kernel and nothing beside itself.

    Every picture is made again, shown, and held against the page's by its pixels.
    """
    cells = [
        _prose(f"# Lab book\n\nMade with Latent Studio and the generator {generator}. Run all cells from the top."),
        _lines(f"{_HEAD.strip()}\n\n\n{_SHOW}"),
    ]
    cells += [_lines(_kept(name, data)) for name, data in _inputs(book)]
    for entry, code in zip(book.entries, _codes(book.entries), strict=True):
        picture = base64.b64encode(entry.thumbnail).decode()
        cells.append(_prose(f"{_heading(entry)}\n\n![as on the page](attachment:page.webp)", {"page.webp": {"image/webp": picture}}))
        shown = f'compare("{_saved(entry)}", "{entry.digest}")\ndisplay(Shown(filename="{_saved(entry)}"))'
        cells.append(_lines(f"{code}\n{shown}") if entry.whole else _prose(f"{_LACKING}\n\n```python\n{entry.code.strip()}\n```"))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    told = {"cells": cells, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(told, indent=1).encode()


def as_script(book: LabBook, generator: str) -> bytes:
    """All entries as one program, which ends with an error if a picture differs from the page's."""
    parts = [f'"""A lab book of Latent Studio, made with the generator {generator}: every picture again."""\n\n{_HEAD.strip()}\n\n']
    parts += [_kept(name, data) for name, data in _inputs(book)]
    parts.append("equal = []")
    for entry, code in zip(book.entries, _codes(book.entries), strict=True):
        heading = "\n".join(f"# {line}".rstrip() for line in _plain(entry).splitlines())
        compared = f'{code}\nequal.append(compare("{_saved(entry)}", "{entry.digest}"))'
        lacking = "\n".join(f"# {line}".rstrip() for line in (_LACKING, *entry.code.strip().splitlines()))
        parts.append(f"\n{heading}\n{compared if entry.whole else lacking}")
    parts.append('\nif not all(equal):\n    raise SystemExit("A picture differs from the page\'s.")')
    return ("\n".join(parts) + "\n").encode()


def _codes(entries: Sequence[Entry]) -> list[str]:
    """The lines of each entry, each saving under a name of its own, without loading again what is there already."""
    codes, there = [], dict[str, str]()
    for entry in entries:
        lines: list[str] = []
        if not entry.whole:
            codes.append("")
            continue
        for line in entry.code.replace(f'"{entry.saved}"', f'"{_saved(entry)}"').strip().splitlines():
            once = _ONCE.fullmatch(line)
            if once and there.get(once[1]) == line:
                continue
            if once:
                there = {**there, once[1]: line} if once[1] == "bank" else {once[1]: line}
            lines.append(line)
        codes.append("\n".join(lines))
    return codes


def _saved(entry: Entry) -> str:
    return f"{entry.number:02}-{entry.saved}"


def _inputs(book: LabBook) -> Iterable[tuple[str, bytes]]:
    read = {name: None for entry in book.entries for name in entry.files}
    return ((name, book.files[name]) for name in read)


def _kept(name: str, data: bytes) -> str:
    """A file that the lines read, as a line of theirs."""
    text = "\n".join(textwrap.wrap(base64.b64encode(data).decode(), 120))
    return f'keep("{name}", """\n{text}\n""")'


def _plain(entry: Entry) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.at))
    return f"{entry.number}. {entry.title} · {entry.cell} · {when}\n{entry.words}".replace("\r", "")


def _heading(entry: Entry) -> str:
    first, _, rest = html.escape(_plain(entry)).partition("\n")
    return f"## {first}\n\n{rest}"


def _prose(text: str, attachments: Mapping[str, Any] | None = None) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}
    return cell | ({"attachments": dict(attachments)} if attachments else {})


def _lines(code: str) -> dict[str, Any]:
    ast.parse(code)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": code.splitlines(keepends=True)}
