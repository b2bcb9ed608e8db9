"""The lab book of a visit: what was made, in its order, and of each thing the lines of Python and the files that make it again."""

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO

from PIL import Image as Pil

from engines.core.errors import StudioError

MOST = 200
"""Entries of a book; older ones go."""

THUMBNAIL = 256


@dataclass(frozen=True)
class Entry:
    """Something that was made.

    Attributes:
        number: Its place in the visit, from 1.
        at: When, in seconds since 1970.
        cell: Heading of the cell that made it.
        title: The method, or what it is.
        words: Seconds and figures.
        code: Lines of Python that make it again; they read `files` and save the picture as `saved`.
        saved: Under which name the picture is saved by them.
        files: Names of the files that they read, in the book.
        digest: A hash of the picture's pixels, by which an equal one is known; none where the lines do not make it again.
        thumbnail: A small picture of it, as WebP.
        recipe: The edit as `studio.services.edit_recipe` writes it; empty for anything else.
        code_file: The file, among the book's, that holds the code of the face it shows; empty where there is none.
        follows: What it goes on with: right after an entry of the same, it takes its place.
        whole: Whether the book has all files that the lines read; a large one, as a tuned face's, has no room in a small book.
    """

    number: int
    at: float
    cell: str
    title: str
    words: str
    code: str
    saved: str
    files: tuple[str, ...] = ()
    digest: str = ""
    thumbnail: bytes = b""
    recipe: str = ""
    code_file: str = ""
    follows: str = ""
    whole: bool = True

    @property
    def needs(self) -> set[str]:
        """All files of the book that belong to it."""
        return {*self.files, *([self.code_file] if self.code_file else [])}

    def told(self, words: str) -> bool:
        """Whether all of some words are in it, in any case of letters."""
        text = f"{self.number} {self.cell} {self.title} {self.words}".lower()
        return all(word in text for word in words.lower().split())


@dataclass(frozen=True)
class Made:
    """What a cell has to say of a picture.

    Attributes:
        cell: The cell's heading.
        title: The method, or what it is.
        words: Seconds and figures.
        code: Lines of Python that make it again.
        saved: Under which name they save the picture.
        inputs: What they read, by the name in them, such as `"face.png"`.
        exact: Whether they draw the same picture again, as those of a run that was stopped do not.
        recipe: As in `Entry`.
        face: The code of the face it shows, as a file of safetensors; empty where there is none.
        follows: As in `Entry`.
    """

    cell: str
    title: str
    words: str
    code: str
    saved: str
    inputs: Mapping[str, bytes] = field(default_factory=dict)
    exact: bool = True
    recipe: str = ""
    face: bytes = b""
    follows: str = ""


@dataclass(eq=False)
class LabBook:
    """A visitor's entries and the files that belong to them.

    Attributes:
        budget: Bytes that it may hold; the oldest entries go first.
        entries: Oldest first.
        files: By name, which has a hash of the content in it.
        made: How many entries were ever written.
        changes: How often it changed, by which a page sees that there is something new.
    """

    budget: int
    entries: list[Entry] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    made: int = 0
    changes: int = 0

    def note(self, made: Made, picture: Pil.Image) -> Entry:
        """Write down what was made, with its picture in full."""
        code, names = made.code, []
        fitting = {name: data for name, data in made.inputs.items() if len(data) <= self.budget // 2}
        for name, data in fitting.items():
            names.append(self._file(name, data))
            code = code.replace(f'"{name}"', f'"{names[-1]}"')
        whole, kept = len(fitting) == len(made.inputs), bool(made.face) and len(made.face) <= self.budget // 2
        last = self.entries[-1] if self.entries else None
        goes_on = last is not None and bool(made.follows) and last.follows == made.follows
        if goes_on:
            self.entries.pop()
        else:
            self.made += 1
        entry = Entry(
            number=self.made,
            at=time.time(),
            cell=made.cell,
            title=made.title,
            words=made.words,
            code=code,
            saved=made.saved,
            files=tuple(names),
            digest=digest(picture) if made.exact and whole else "",
            thumbnail=_thumbnail(picture),
            recipe=made.recipe,
            code_file=self._file("code.safetensors", made.face) if kept else "",
            follows=made.follows,
            whole=whole,
        )
        self.entries.append(entry)
        self._tidy()
        return entry

    def find(self, words: str = "") -> list[Entry]:
        """Entries that all of some words are in, newest first."""
        return [entry for entry in reversed(self.entries) if entry.told(words)]

    def entry(self, number: int) -> Entry:
        """The entry of a number.

        Raises:
            StudioError: It is not there any more.
        """
        found = next((entry for entry in self.entries if entry.number == number), None)
        if found is None:
            raise StudioError("That entry is no longer in the lab book. Choose another.")
        return found

    def remove(self, number: int) -> None:
        """Take an entry out; one that is not there is no fault."""
        self.entries = [entry for entry in self.entries if entry.number != number]
        self._tidy()

    def take(self, entries: Iterable[Entry], files: Mapping[str, bytes]) -> None:
        """Add entries of another book, with new numbers, those that are here already left out."""
        known = {(entry.at, entry.code) for entry in self.entries}
        for entry in entries:
            if (entry.at, entry.code) not in known:
                self.made += 1
                self.files |= {name: files[name] for name in entry.needs}
                self.entries.append(replace(entry, number=self.made))
        self._tidy()

    def _file(self, name: str, data: bytes) -> str:
        stem, _, suffix = name.rpartition(".")
        named = f"{stem}-{hashlib.sha256(data).hexdigest()[:12]}.{suffix}"
        self.files[named] = data
        return named

    def _tidy(self) -> None:
        """Let the oldest entries go while there are too many or they hold too much, and files that none needs."""
        self.changes += 1
        while True:
            needed = {name for entry in self.entries for name in entry.needs}
            self.files = {name: data for name, data in self.files.items() if name in needed}
            held = sum(map(len, self.files.values())) + sum(len(entry.thumbnail) + len(entry.code) for entry in self.entries)
            if len(self.entries) <= 1 or (len(self.entries) <= MOST and held <= self.budget):
                return
            self.entries.pop(0)


def digest(picture: Pil.Image) -> str:
    """A hash of a picture's pixels."""
    return hashlib.sha256(picture.convert("RGB").tobytes()).hexdigest()


def _thumbnail(picture: Pil.Image) -> bytes:
    small, buffer = picture.convert("RGB"), BytesIO()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    small.save(buffer, format="WEBP", quality=85)
    return buffer.getvalue()
