"""Who is who: every visitor's state, found again by their browser's cookie after a reload, a locked phone or a lost connection.

A session of Gradio's ends with each reload, and its hash is known to whoever sees an address. So a visitor's state belongs to a cookie, and
within it to a tab of the browser, which says its own random name when it opens the page. Programs have no cookie; theirs belongs to
their session. States stay for a while after their last tab closed; when all together hold too much, that of whoever was idle longest
goes first.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Timer
from typing import Any

from studio.serving.cookie import VISITOR_COOKIE, visitor_of
from studio.state.holding import held_bytes
from studio.state.visitor import Visitor

MAX_VISITORS = 200
GRACE_SECONDS = 15 * 60.0
TOTAL_BYTES = 4 * 2**30
_SWEEP_SECONDS = 20.0
_LONGEST_NAME = 64


@dataclass(eq=False)
class _Home:
    """One visitor and who may come to it.

    Attributes:
        visitor: What is kept.
        cookie: The browser's, or nothing for a program.
        tab: The name that a tab of the browser gave itself, once it said so.
        open: Sessions whose page is open.
        sessions: All sessions that ever came here.
        seen: When something was last asked of it.
    """

    visitor: Visitor
    cookie: str
    seen: float
    tab: str = ""
    open: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)


class Visitors:
    """What is kept of all visitors.

    Args:
        budget: Bytes that each visitor's shelf may hold.
        total: Bytes that all visitors' states together may hold.
        grace: Seconds that a visitor's state stays after its last tab closed.
        forget: Told the visitor, as `studio.serving.cookie.visitor_of` names them, whose last state went.
        tidy: Told from time to time who has a state, and the grace time: what came late for others goes after that.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        budget: int,
        total: int = TOTAL_BYTES,
        grace: float = GRACE_SECONDS,
        forget: Callable[[str], None] = lambda visitor: None,
        tidy: Callable[[set[str], float], None] = lambda staying, seconds: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget, self.total, self.grace, self.forget, self.tidy = budget, total, grace, forget, tidy
        self._clock = clock
        self._homes: dict[tuple[str, str], _Home] = {}
        self._order: OrderedDict[_Home, None] = OrderedDict()
        self._lock = Lock()
        self._swept = clock()

    def visitor(self, request: Any) -> Visitor:
        """What is kept of whoever sent a request (`gr.Request`), new at their first."""
        with self._lock:
            home = self._home(*_names(request))
            self._touch(home)
        self._sweep_now_and_then(home)
        return home.visitor

    def arrive(self, request: Any, tab: object) -> Visitor:
        """What is kept of a page that just opened in a tab of that name: the tab's own, one that no open tab has, or a new one."""
        cookie, session = _names(request)
        name = tab[:_LONGEST_NAME] if isinstance(tab, str) else ""
        with self._lock:
            home = self._home(cookie, session)
            former = self._former(cookie, name) if cookie else None
            if former is not None and former is not home:
                self._move(session, home, former)
                home = former
            home.tab = name or home.tab
            home.open.add(session)
            self._touch(home)
            return home.visitor

    def of_browsers(self) -> list[tuple[str, str, Visitor]]:
        """Cookie, name of the tab and state of all that a browser's tab has."""
        with self._lock:
            return [(home.cookie, home.tab, home.visitor) for home in self._order if home.cookie and home.tab]

    def leave(self, request: Any) -> None:
        """Note that a page was closed: its visitor stays for the grace time, should it be opened again."""
        cookie, session = _names(request)
        with self._lock:
            home = self._homes.get((cookie, session))
            if home is not None:
                home.open.discard(session)
                home.seen = self._clock()

    def end(self, request: Any) -> None:
        """Forget what a visitor keeps in this session at once, as when they log out."""
        with self._lock:
            home = self._homes.get(_names(request))
            if home is None:
                return
            self._drop(home)
        self._tell([home])

    def sweep(self) -> None:
        """Forget states that nobody came back to, and the longest idle ones while there are too many or they hold too much."""
        with self._lock:
            now = self._swept = self._clock()
            gone = [home for home in self._order if not home.open and not home.visitor.busy and now - home.seen > self.grace]
            gone += self._excess([home for home in self._order if home not in gone])
            for home in gone:
                self._drop(home)
            staying = {name for home in self._order for name in _visitors_of(home)}
        self._tell(gone)
        self.tidy(staying, self.grace)

    def watch(self, seconds: float = _SWEEP_SECONDS) -> None:
        """Sweep from time to time until the program ends, also while nobody asks for anything."""
        self.sweep()
        timer = Timer(seconds, self.watch, (seconds,))
        timer.daemon = True
        timer.start()

    def __len__(self) -> int:
        return len(self._order)

    def _home(self, cookie: str, session: str) -> _Home:
        home = self._homes.get((cookie, session))
        if home is None:
            home = _Home(Visitor(self.budget), cookie, self._clock(), sessions={session})
            self._homes[cookie, session] = home
            self._order[home] = None
        return home

    def _former(self, cookie: str, tab: str) -> _Home | None:
        """The state that a tab had before, else the last one of its browser that no open tab has."""
        theirs = [home for home in reversed(self._order) if home.cookie == cookie]
        mine = (home for home in theirs if tab and home.tab == tab)
        idle = (home for home in theirs if not home.open and home.tab)
        return next(mine, None) or next(idle, None)

    def _move(self, session: str, old: _Home, new: _Home) -> None:
        """Let a session come to another visitor; the one it had, just opened, goes if nobody else comes there."""
        old.sessions.discard(session)
        old.open.discard(session)
        new.sessions.add(session)
        self._homes[new.cookie, session] = new
        if not old.sessions:
            self._order.pop(old, None)

    def _touch(self, home: _Home) -> None:
        home.seen = self._clock()
        self._order.move_to_end(home)

    def _drop(self, home: _Home) -> None:
        self._order.pop(home, None)
        for session in home.sessions:
            self._homes.pop((home.cookie, session), None)

    def _tell(self, gone: list[_Home]) -> None:
        """Let what else is kept of those who went be forgotten; a browser has its files together, for all its tabs."""
        with self._lock:
            staying = {home.cookie for home in self._order}
        for home in gone:
            if not home.cookie or home.cookie not in staying:
                for name in _visitors_of(home):
                    self.forget(name)

    def _excess(self, homes: list[_Home]) -> list[_Home]:
        """Visitors' states to give up for the rest to fit, those with an open page or a run last."""
        sizes = {home: held_bytes(home.visitor) for home in homes}
        count, held, gone = len(homes), sum(sizes.values()), []
        for home in sorted(homes[:-1], key=lambda home: (home.visitor.busy, bool(home.open), home.seen)):
            if count <= MAX_VISITORS and held <= self.total:
                break
            gone.append(home)
            count, held = count - 1, held - sizes[home]
        return gone

    def _sweep_now_and_then(self, home: _Home) -> None:
        if len(self._order) > MAX_VISITORS or self._clock() - self._swept > _SWEEP_SECONDS:
            self.sweep()


def _visitors_of(home: _Home) -> set[str]:
    """Under which names a state's owner is known elsewhere."""
    cookies = {VISITOR_COOKIE: home.cookie} if home.cookie else {}
    return {name for session in home.sessions if (name := visitor_of(cookies, session)) is not None}


def _names(request: Any) -> tuple[str, str]:
    """The cookie of a request, and its session."""
    cookies = getattr(request, "cookies", None) or {}
    return cookies.get(VISITOR_COOKIE, ""), getattr(request, "session_hash", None) or "nobody"
