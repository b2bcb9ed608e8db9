"""What a visitor made on their own machine outlives a restart: sessions written beside, and opened again by the browser that made them.

Only where nobody else reaches the page. Names of files are hashes of the browser's cookie and of its tab's own name.
"""

import hashlib
import logging
import os
import re
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

SECONDS = 1.0
"""Between looks for what changed: so much is lost when the program is killed."""

_REST = 4.0
"""At least so many times as long as it wrote, it rests: a visit of hundreds of megabytes is not written without end."""
_SECONDS_OF_A_RUN = 30.0
"""How often the best so far of a run is written."""
_KEPT_SECONDS = 30 * 24 * 3600.0
_MOST_FILES = 40
_DIGITS = 24
_UNREAD, _PART = ".unread", ".part"
_OURS = re.compile(rf"[0-9a-f]{{{_DIGITS}}}-[0-9a-f]{{{_DIGITS}}}\.zip(\{_UNREAD}|\{_PART})?")
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
        self._failed = ""

    def watch(self, seconds: float = SECONDS) -> None:
        """Save from time to time until the program ends, whatever becomes of one time."""
        start = time.monotonic()
        try:
            self.save()
        finally:
            timer = Timer(max(seconds, _REST * (time.monotonic() - start)), self.watch, (seconds,))
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
                    self._write(self._name(cookie, tab), write_session(self.editor, visitor, self._most, own=True).data)
                except (OSError, RuntimeError, StudioError) as error:  # also one that changed while it was read: the next look writes it
                    self._note(error)
                else:
                    self._written[visitor], self._failed = state, ""

    def _note(self, error: Exception) -> None:
        """Say in the log why a visit was not saved, once for as long as the reason is the same."""
        if repr(error) != self._failed:
            log.error("A visit could not be saved", exc_info=error)
        self._failed = repr(error)

    def restore(self, visitor: Visitor, request: Any, tab: object) -> None:
        """Give a visitor who has nothing what their browser's tab left, or else the newest visit of the browser that no open tab has.

        A file that cannot be opened is laid aside, and the next one is tried.
        """
        cookie = (getattr(request, "cookies", None) or {}).get(VISITOR_COOKIE, "")
        if not cookie:
            return
        with self._lock:
            if _state(visitor) != _NOTHING:
                return
            for path in list(self._left(cookie, str(tab))):
                if self._opened(path, visitor, self.folder / self._name(cookie, str(tab))):
                    return

    def _opened(self, path: Path, visitor: Visitor, now: Path) -> bool:
        """Take a file up, which is the tab's from then on."""
        try:
            open_session(path.read_bytes(), self.editor, visitor, 2 * self._most, own=True)
            path.replace(now)
        except OSError:
            log.exception("A saved visit could not be read")
        except (RuntimeError, StudioError):
            log.exception("A saved visit could not be opened; it is laid aside as %s", path.name + _UNREAD)
            with suppress(OSError):
                path.replace(path.with_name(path.name + _UNREAD))
            return False
        return True

    def _left(self, cookie: str, tab: str) -> Iterator[Path]:
        mine = self.folder / self._name(cookie, tab)
        taken = {self._name(cookie, other) for name, other, _ in self.visitors.of_browsers() if name == cookie} - {mine.name}
        if mine.is_file():
            yield mine
        yield from (path for path in self._files(f"{self._browser(cookie)}*.zip") if path.name not in taken | {mine.name})

    def _files(self, pattern: str = "*") -> list[Path]:
        """Files of ours, newest first."""
        with suppress(OSError):
            found = [path for path in self.folder.glob(pattern) if _OURS.fullmatch(path.name)]
            return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
        return []

    def _write(self, name: str, data: bytes) -> None:
        """All of it or nothing, whenever the program or the machine ends."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self.folder / (name + _PART)
        try:
            with part.open("wb") as file:
                part.chmod(0o600)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.folder / name)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        for number, path in enumerate(self._files()):
            if number >= _MOST_FILES or time.time() - path.stat().st_mtime > _KEPT_SECONDS:
                path.unlink(missing_ok=True)

    def _browser(self, cookie: str) -> str:
        """What the names of a browser's files begin with; another generator's cannot be opened, and are others."""
        return _hash(f"{self.editor.session.generator.name} {cookie}")

    def _name(self, cookie: str, tab: str) -> str:
        return f"{self._browser(cookie)}-{_hash(tab)}.zip"


def autosave_of(session: Session) -> Autosave | None:
    """What saves the visits of a studio, where its settings name a folder and nobody else reaches the page."""
    folder = session.settings.history
    if folder is None or not session.settings.remembers:
        return None
    return Autosave(Editor(session, Library(session)), session.visitors, folder)


def _state(visitor: Visitor) -> object:
    """What is saved of a visitor, as far as one sees whether it changed."""
    made = (visitor.shelf, visitor.directions, visitor.book.entries, visitor.photo, visitor.results.inverted)
    if not any(made):
        return _NOTHING
    shelf = tuple((item.key, item.title) for item in list(visitor.shelf.values()))
    directions = tuple((key, direction.name) for key, direction in list(visitor.directions.items()))
    return shelf, directions, visitor.book.changes, visitor.edited, visitor.mixed.mix, visitor.upload, visitor.alignment, _result(visitor)


def _result(visitor: Visitor) -> object:
    """Which result is kept; that of a run under way counts as another from time to time."""
    kept = visitor.results.inverted
    if kept is None:
        return None
    return kept.method, kept.seconds // _SECONDS_OF_A_RUN if visitor.running else kept.seconds


_NOTHING = "nothing"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
