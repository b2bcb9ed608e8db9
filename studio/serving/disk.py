"""What lies on disk for visitors: one folder for each, gone when they leave, and all of them gone with the server.

Gradio writes pictures and uploads to a cache that it names by content and empties by age. Here the cache is a private folder of this
process, with a folder inside for each visitor, so that what one leaves can be deleted without touching another's. A lock that dies with
the process marks a folder as in use: the next start removes those of servers that were killed.
"""

import atexit
import errno
import math
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import IO, Any

from gradio.blocks import Block
from gradio.components import gallery

from engines.core.errors import StudioError
from studio.serving.cookie import is_browser
from studio.serving.threads import CarryingThreads

try:
    import fcntl
except ImportError:  # Windows keeps an open file from being deleted, which serves as the lock
    fcntl = None  # type: ignore[assignment]

PREFIX = "latent-studio-"
_LOCK = "in-use" if fcntl else "lock"
_UNLOCKED_SECONDS = 24 * 3600
SPARE_BYTES = 100 * 2**20
"""Disk that is left free when an upload is taken."""
_NOBODY = ""
_ENTRY = re.compile(r"[0-9a-f]{16}")
_FETCHED_AFTER = 15.0
"""Seconds after which a browser has surely fetched what it was sent."""
DISK_IS_FULL = "The studio's disk is full, so this could not be kept. Try again later, or tell who runs the studio."
_now: ContextVar[str] = ContextVar("_now", default=_NOBODY)


@dataclass(frozen=True)
class Bounds:
    """Most bytes on disk.

    Attributes:
        shown: Of pictures sent to one visitor; the oldest go first.
        uploaded: Of one visitor's uploads.
        total: Of all visitors together; who was away longest loses their files first.
    """

    shown: int = 64 * 2**20
    uploaded: int = 4 * 2**30
    total: int = 16 * 2**30


PUBLIC = Bounds(shown=48 * 2**20, uploaded=80 * 2**20, total=4 * 2**30)

_MADE_SECONDS = 5.0
"""After so long, a folder is looked for again: others may have tidied the place."""


@dataclass(eq=False)
class _Place:
    path: Path
    made: float = 0.0
    used: float = field(default_factory=time.monotonic)
    trimmed: float = 0.0
    adopted: set[Path] = field(default_factory=set)


class Disk:
    """The files of all visitors.

    Args:
        bounds: Most bytes.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.root = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        self._lock_file = _locked(self.root)
        self._places: dict[str, _Place] = {}
        self._lock = RLock()
        self._owner = os.getpid()
        atexit.register(self.close)

    def close(self) -> None:
        """Delete everything; a process that was forked off deletes nothing."""
        if os.getpid() == self._owner:
            self._lock_file.close()
            shutil.rmtree(self.root, ignore_errors=True)

    def folder(self, visitor: str) -> Path:
        """A visitor's folder, made at its first use; its name tells nothing."""
        with self._lock:
            place = self._places.get(visitor)
            if place is None:
                place = self._places[visitor] = _Place(self.root / secrets.token_hex(16))
            place.used = time.monotonic()
            if place.used - place.made > _MADE_SECONDS:  # each of Gradio's components asks when it is made
                place.path.mkdir(mode=0o700, exist_ok=True)
                place.made = place.used
        return place.path

    def here(self) -> Path:
        """The folder of the visitor whose request is being served, or the one that belongs to none."""
        name = _now.get()
        path = self.folder(name)
        if name != _NOBODY:
            self._trim(self._places.get(name))
        return path

    @contextmanager
    def serving(self, visitor: str | None) -> Iterator[None]:
        """Whatever is written inside is this visitor's."""
        token = _now.set(visitor or _NOBODY)
        try:
            yield
        finally:
            _now.reset(token)

    def keep(self, name: str, data: bytes, files: int, size: int) -> Path:
        """Write a download for the visitor being served; their oldest go beyond so many files or bytes, this one excepted."""
        path = self._new("kept") / name
        path.write_bytes(data)
        _drop_beyond(path.parent.parent, size, files, besides=(path.parent.name,))
        return path

    def shown_to_all(self, file: Path) -> Path:
        """A copy of a file of the program that every page loads: its address gives no other place of the machine away."""
        copy = self.root / file.name
        if not copy.is_file():
            self.root.mkdir(mode=0o700, exist_ok=True)
            shutil.copyfile(file, copy)
        return copy

    def new_upload(self, visitor: str | None) -> Path:
        """An empty folder for one upload of a visitor."""
        with self.serving(visitor):
            return self._new("uploads")

    @property
    def visitor(self) -> str:
        """Whose request is being served; empty for nobody's."""
        return _now.get()

    def owns(self, visitor: str | None, path: Path) -> bool:
        """Whether a file may be read by this visitor: it lies in their folder or in none's. Links are followed first."""
        with self._lock:
            mine = [self._places[name].path for name in {visitor or _NOBODY, _NOBODY} if name in self._places]
        return any(path.resolve().is_relative_to(folder) for folder in mine)

    def is_anothers(self, visitor: str | None, path: Path) -> bool:
        """Whether a path lies in another browser's folder; a program's has no other key than its name."""
        path = path.resolve()
        with self._lock:
            browsers = [place.path for name, place in self._places.items() if name not in (visitor, _NOBODY) and is_browser(name)]
        return any(path.is_relative_to(folder) for folder in browsers)

    def touch(self, visitor: str) -> None:
        """Note that a visitor is still here."""
        with self._lock:
            if visitor in self._places:
                self._places[visitor].used = time.monotonic()

    def adopt(self, visitor: str | None, paths: Iterable[object]) -> None:
        """Let nobody's uploads that a visitor's event names go when the last who named them is forgotten.

        A program without cookies uploads before it says who it is; only its event tells.
        """
        with self._lock:
            nobody = self._places.get(_NOBODY)
            if not visitor or nobody is None:
                return
            uploads = nobody.path / "uploads"
            parts = [path[len(f"{uploads}/") :].split("/")[0] for path in paths if isinstance(path, str) and path.startswith(f"{uploads}/")]
            named = {uploads / part for part in parts if _ENTRY.fullmatch(part) and (uploads / part).is_dir()}
            if named:
                self.folder(visitor)
                self._places[visitor].adopted |= named

    def forget(self, visitor: str) -> None:
        """Delete a visitor's files."""
        with self._lock:
            place = self._places.pop(visitor, None)
            others = self._adopted()
        if place is not None:
            shutil.rmtree(place.path, ignore_errors=True)
            for entry in place.adopted - others:
                shutil.rmtree(entry, ignore_errors=True)

    def tidy(self, staying: set[str], seconds: float) -> None:
        """Delete what was drawn for someone who had left by then, and uploads that no event of anybody has named for so long."""
        before = time.monotonic() - seconds
        with self._lock:
            late = [name for name, place in self._places.items() if place.used < before and name not in staying and name != _NOBODY]
            nobody, adopted = self._places.get(_NOBODY), self._adopted()
        for name in late:
            self.forget(name)
        for changed, _, path in _entries(nobody.path / "uploads") if nobody else ():
            if changed < time.time() - seconds and path not in adopted:
                _delete(path)

    def _adopted(self) -> set[Path]:
        return set[Path]().union(*(place.adopted for place in self._places.values()))

    def forget_idle(self, seconds: float) -> None:
        """Delete the files of all who have not been seen for so long."""
        before = time.monotonic() - seconds
        with self._lock:
            idle = [name for name, place in self._places.items() if place.used < before and name != _NOBODY]
        for name in idle:
            self.forget(name)

    def make_room(self, size: int) -> None:
        """See that an upload of so many bytes can be taken, at the cost of whoever was away longest.

        Raises:
            StudioError: It can not.
        """
        if shutil.disk_usage(self.root).free < size + SPARE_BYTES:
            raise StudioError(DISK_IS_FULL)
        with self._lock:
            away = sorted((place.used, name) for name, place in self._places.items() if name != _NOBODY)
        total = size_of(self.root)
        for used, name in away:
            if total + size <= self.bounds.total or time.monotonic() - used < 60:
                break
            total -= sum(size_of(folder) for folder in (self._places[name].path, *self._places[name].adopted))
            self.forget(name)
        if total + size > self.bounds.total:
            raise StudioError("The studio holds as many files as it may. Try again in some minutes.")

    def trim_uploads(self, upload: Path) -> None:
        """Delete a visitor's oldest uploads beyond their share, this one excepted."""
        _drop_beyond(upload.parent, self.bounds.uploaded, besides=(upload.name,))

    def _new(self, kind: str) -> Path:
        folder = self.here() / kind / secrets.token_hex(8)
        folder.mkdir(mode=0o700, parents=True)
        return folder

    def _trim(self, place: _Place | None) -> None:
        """Now and then, delete the oldest pictures beyond a visitor's share; what a browser may still be fetching stays."""
        now = time.monotonic()
        if place is None or now - place.trimmed < 5:
            return
        place.trimmed = now
        _drop_beyond(place.path, self.bounds.shown, before=time.time() - _FETCHED_AFTER, besides=("uploads", "kept"))


def sweep() -> int:
    """Delete the folders of servers that ended without doing so; returns how many."""
    swept = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if folder.is_dir() and not folder.is_symlink() and _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept


def is_full(error: BaseException) -> bool:
    """Whether an error says that the disk, or one's share of it, is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(stat.st_size for stat in _stats(folder))


def _locked(folder: Path) -> IO[bytes]:
    """The lock of a folder; it has its name only once it is held."""
    file = (folder / "lock").open("wb")
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / "lock").rename(folder / _LOCK)
    return file


def _is_abandoned(folder: Path) -> bool:
    """Whether no process holds a folder's lock; one without a lock is abandoned after a day."""
    try:
        if not (folder / _LOCK).is_file():
            return time.time() - folder.stat().st_mtime > _UNLOCKED_SECONDS
        if fcntl is None:
            (folder / _LOCK).unlink()
            return True
        with (folder / _LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except OSError:
        return False


def _drop_beyond(folder: Path, most: int, files: int = 10_000, before: float = math.inf, besides: tuple[str, ...] = ()) -> None:
    """Delete a folder's oldest entries until the rest is within bounds; what is newer than `before`, and `besides`, stays."""
    kept = sum(size_of(folder / name) for name in besides) if before == math.inf else 0
    entries = sorted(_entries(folder, besides), key=lambda entry: entry[0])
    total, count = kept + sum(size for _, size, _ in entries), len(entries) + len(besides)
    for changed, size, path in entries:
        if (total <= most and count <= files) or changed > before:
            return
        total, count = total - size, count - 1
        _delete(path)


def _entries(folder: Path, besides: tuple[str, ...] = ()) -> list[tuple[float, int, Path]]:
    """When each entry changed last, its bytes, and its path."""
    found = list[tuple[float, int, Path]]()
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in besides:
            try:
                stats = [path.lstat(), *_stats(path)]
            except FileNotFoundError:
                continue
            found.append((max(stat.st_mtime for stat in stats), sum(stat.st_size for stat in stats[1:]), path))
    return found


def _stats(path: Path) -> Iterator[os.stat_result]:
    """Of all files below a folder; what goes meanwhile counts as nothing."""
    for parent, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                yield (Path(parent) / name).lstat()


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


disk = Disk()
os.environ["GRADIO_TEMP_DIR"] = str(disk.root)


class _Cache:
    """Where each of Gradio's components keeps its files: with the visitor that it is answering."""

    def __get__(self, block: object, kind: type | None = None) -> str:
        return str(disk.here())

    def __set__(self, block: object, value: Any) -> None:
        """Gradio sets one folder for all; that is not taken."""


Block.GRADIO_CACHE = _Cache()
gallery.ThreadPoolExecutor = CarryingThreads  # type: ignore[attr-defined]
