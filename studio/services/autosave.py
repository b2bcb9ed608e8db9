"""What a visitor made on their own machine outlives a restart: sessions written beside, and opened again by the browser that made them.

Only where nobody else reaches the page. Names of files are hashes of the browser's cookie and of its tab's own name.
"""

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock, Timer
from typing import Any
from weakref import WeakKeyDictionary

from engines.core.errors import StudioError
from studio.services.direction_library import Library
from studio.services.editor import Editor
from studio.services.session_file import open_session, write_session
from studio.serving.cookie import VISITOR_COOKIE
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.state.visitors import Visitors

SECONDS = 3.0
"""Between looks for what changed: so much is lost when the program is killed."""

_KEPT_SECONDS = 30 * 24 * 3600.0
_MOST_FILES = 40
_DIGITS = 24
log = logging.getLogger(__name__)


class Autosave:
    """Writes the visits of browsers into a folder.

    Args:
        editor: Whose generator they are of.
        visitors: Whose visits.
        folder: Where; made when there is something to write.
    """

    def __init__(self, editor: Editor, visitors: Visitors, folder: Path) -> None:
        self.editor, self.visitors, self.folder = editor, visitors, folder
        self._most = editor.session.settings.session_megabytes * 2**20
        self._written: WeakKeyDictionary[Visitor, object] = WeakKeyDictionary()
        self._lock = Lock()

    def watch(self, seconds: float = SECONDS) -> None:
        """Save from time to time until the program ends."""
        self.save()
        timer = Timer(seconds, self.watch, (seconds,))
        timer.daemon = True
        timer.start()

    def save(self) -> None:
        """Write the visits that changed since they were written last; a disk that is full is noted in the log."""
        with self._lock:
            for cookie, tab, visitor in self.visitors.of_browsers():
                state = _state(visitor)
                if state == self._written.get(visitor, _NOTHING):
                    continue
                try:
                    self._write(_name(cookie, tab), write_session(self.editor, visitor, self._most).data)
                except (OSError, RuntimeError, StudioError):  # also one that changed while it was read: the next look writes it
                    log.exception("A visit could not be saved")
                else:
                    self._written[visitor] = state

    def restore(self, visitor: Visitor, request: Any, tab: object) -> None:
        """Give a visitor who has nothing what their browser's tab left, or else the newest visit of the browser that no open tab has."""
        cookie = (getattr(request, "cookies", None) or {}).get(VISITOR_COOKIE, "")
        if not cookie or _state(visitor) != _NOTHING:
            return
        with self._lock:
            path = next(self._left(cookie, str(tab)), None)
            if path is None:
                return
            try:
                open_session(path.read_bytes(), self.editor, visitor, 2 * self._most)
                path.replace(self.folder / _name(cookie, str(tab)))
            except (OSError, StudioError):
                log.exception("A saved visit could not be opened")

    def _left(self, cookie: str, tab: str) -> Iterator[Path]:
        mine = self.folder / _name(cookie, tab)
        taken = {_name(cookie, other) for name, other, _ in self.visitors.of_browsers() if name == cookie} - {mine.name}
        if mine.is_file():
            yield mine
        yield from (path for path in self._files(_hash(cookie)) if path.name not in taken)

    def _files(self, start: str = "") -> list[Path]:
        """Files of ours, newest first."""
        with suppress(OSError):
            found = [path for path in self.folder.glob(f"{start}*.zip") if len(path.stem) == 2 * _DIGITS + 1]
            return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
        return []

    def _write(self, name: str, data: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self.folder / f"{name}.part"
        part.write_bytes(data)
        part.chmod(0o600)
        part.replace(self.folder / name)
        for number, path in enumerate(self._files()):
            if number >= _MOST_FILES or time.time() - path.stat().st_mtime > _KEPT_SECONDS:
                path.unlink(missing_ok=True)


def autosave_of(session: Session) -> Autosave | None:
    """What saves the visits of a studio, where its settings name a folder and nobody else reaches the page."""
    folder = session.settings.history
    if folder is None or session.settings.public:
        return None
    return Autosave(Editor(session, Library(session)), session.visitors, folder)


def _state(visitor: Visitor) -> object:
    """What is saved of a visitor, as far as one sees whether it changed."""
    if not (visitor.shelf or visitor.directions or visitor.book.entries):
        return _NOTHING
    shelf = tuple((item.key, item.title) for item in list(visitor.shelf.values()))
    return shelf, tuple(visitor.directions), visitor.book.changes, visitor.edited, visitor.mixed.mix


_NOTHING = "nothing"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _name(cookie: str, tab: str) -> str:
    return f"{_hash(cookie)}-{_hash(tab)}.zip"
