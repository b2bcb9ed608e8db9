"""The lab book: what is written down comes back, is bounded, and is a program that makes the same pictures."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from PIL import Image as Pil

from engines.core.errors import StudioError
from studio.services.notebook import as_notebook, as_script
from studio.services.safe_lines import check_lines
from studio.services.snippets import program
from studio.state.lab_book import MOST, LabBook, Made, digest

DRAWN = program("""
generator = load_generator("toy")
to_picture(draw_inversion(generator, Inversion(Latent("w", random_w(generator, 3))))).save("face.png")
""")


def picture(level: int = 0) -> Pil.Image:
    return Pil.new("RGB", (8, 8), (level % 256, level // 256, 0))


def made(title: str = "Seed 3", **fields: object) -> Made:
    return Made("Face", title, "1.0 s", DRAWN, "face.png", **fields)  # type: ignore[arg-type]


def test_what_goes_on_with_the_last_entry_takes_its_place() -> None:
    book = LabBook(2**20)
    for level, follows in enumerate(["a", "a", "b", "a", "", ""]):
        book.note(made(follows=follows), picture(level))
    assert [(entry.number, entry.digest) for entry in book.entries] == [
        (1, digest(picture(1))),
        (2, digest(picture(2))),
        (3, digest(picture(3))),
        (4, digest(picture(4))),
        (5, digest(picture(5))),
    ]


def test_a_book_holds_no_more_than_it_may_and_keeps_no_file_without_an_entry() -> None:
    book = LabBook(40_000)
    for level in range(6):
        book.note(made(inputs={"face.png": bytes([level]) * 10_000}), picture(level))
    assert [entry.number for entry in book.entries] == [4, 5, 6]
    assert sorted(book.files) == sorted(name for entry in book.entries for name in entry.files)
    book.remove(5)
    book.remove(5)
    assert len(book.files) == 2 and [entry.number for entry in book.entries] == [4, 6]
    with pytest.raises(StudioError, match="no longer"):
        book.entry(5)
    many = LabBook(2**30)
    for level in range(MOST + 5):
        many.note(made(), picture(level))
    assert len(many.entries) == MOST and many.entries[-1].number == MOST + 5


def test_entries_are_found_by_words_of_any_of_their_texts() -> None:
    book = LabBook(2**20)
    book.note(made("Recommended"), picture())
    book.note(made("GANSpace"), picture())
    assert [entry.title for entry in book.find()] == ["GANSpace", "Recommended"]
    assert [entry.title for entry in book.find("FACE recomm")] == ["Recommended"]
    assert book.find("recommended ganspace") == []


def test_equal_inputs_are_kept_once_and_lines_read_them_by_their_content() -> None:
    book, code = LabBook(2**20), 'to_picture(to_tensor(read_image(Path("face.png")))).save("copy.png")'
    for data in (b"one", b"one", b"two"):
        book.note(Made("Face", "Copy", "", code, "copy.png", {"face.png": data}), picture())
    assert len(book.files) == 2
    assert all(f'Path("{entry.files[0]}")' in entry.code for entry in book.entries)


def test_what_has_no_room_is_noted_and_left_out_of_the_program(tmp_path: Path) -> None:
    """A tuned face's weight change may be larger than a small book, and must not push all else out of it."""
    book = LabBook(100_000)
    book.note(made(), picture())
    code = 'stored = load_file("code.safetensors")\nto_picture(stored).save("face.png")'
    entry = book.note(Made("Face", "Tuned", "", code, "face.png", {"code.safetensors": bytes(60_000)}, face=bytes(60_000)), picture())
    assert len(book.entries) == 2 and not entry.whole and not entry.digest and not book.files and not entry.code_file
    book.remove(1)
    ran = run(book, tmp_path)
    assert ran.returncode == 0 and "# stored = load_file" in (tmp_path / "lab-book.py").read_text()
    assert "```python" in json.dumps(json.loads(as_notebook(book, "toy")))


def drawn_book() -> LabBook:
    """An entry that comes out equal, and one whose picture was another."""
    from engines import Inversion, Latent, draw_inversion, load_generator, random_w, to_picture

    generator, book = load_generator("toy"), LabBook(2**20)
    book.note(made(), to_picture(draw_inversion(generator, Inversion(Latent("w", random_w(generator, 3))))))
    return book


def run(book: LabBook, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "lab-book.py").write_bytes(as_script(book, "toy"))
    return subprocess.run([sys.executable, "lab-book.py"], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_a_script_makes_the_pictures_again_and_notices_another_one(tmp_path: Path) -> None:
    book = drawn_book()
    ran = run(book, tmp_path)
    assert ran.returncode == 0 and "01-face.png as on the page" in ran.stdout, ran.stderr
    book.note(made("another"), picture())
    ran = run(book, tmp_path)
    assert ran.returncode != 0 and "02-face.png differs" in ran.stdout


def test_a_notebook_is_one_and_loads_a_generator_once() -> None:
    book = drawn_book()
    book.note(made("<b>again</b>"), picture())
    told = nbformat.reads(as_notebook(book, "toy").decode(), as_version=4)
    nbformat.validate(told)
    code = "\n".join(cell.source for cell in told.cells if cell.cell_type == "code")
    assert code.count("load_generator(") == 1 and code.count(".save(") == 2
    assert "&lt;b&gt;again" in json.dumps(told) and "<b>again" not in json.dumps(told)


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "from os import system",
        "from engines import core",
        "from engines import create as open",
        'open("x.png")',
        '__import__("os")',
        'Path("/etc/passwd").read_bytes()',
        'from pathlib import Path\nPath("../up.png").read_bytes()',
        'from pathlib import Path\nPath("face.png").write_bytes(b"")',
        'from pathlib import Path\nPath("face.png").unlink()',
        "from engines import create\ncreate.__globals__",
        "from engines import create\n(lambda: create)()",
        "from engines import create\nx = create.__class__",
        "from .engines import create",
        "eval",
        "while True: pass",
        "x = 1 +",
        "def f(a=__builtins__): return a",
        "x = b'bytes'",
        "\0",
        "(" * 5000,
    ],
)
def test_lines_that_go_beyond_the_project_are_refused(code: str) -> None:
    with pytest.raises(StudioError, match="lines of Python"):
        check_lines(code, "face.png", [])


@pytest.mark.parametrize("name", ["../face.png", "face.exe", "a/b.png", "C:face.png", "face.png\n", "", "x" * 90 + ".png"])
def test_files_are_named_plainly(name: str) -> None:
    check_lines(DRAWN, "face.png", ["face-0123456789ab.png"])
    for saved, files in ((name, []), ("face.png", [name])):
        with pytest.raises(StudioError, match="lines of Python"):
            check_lines(DRAWN, saved, files)
