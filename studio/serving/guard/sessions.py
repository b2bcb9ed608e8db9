"""A session on the page belongs to the browser that used its name first: the name alone opens nothing to another."""

import re
from collections import OrderedDict
from typing import Any

from studio.serving.guard.answers import RefusalError

SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST = 20_000


class Sessions:
    """Names of sessions, each with the browser it belongs to; a program without cookies owns none."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()

    def check(self, session: Any, visitor: str | None) -> None:
        """Note whose a session is.

        Raises:
            RefusalError: The name has another form than the page's, or the session is another browser's.
        """
        if not isinstance(session, str) or not SESSION.fullmatch(session):
            raise RefusalError(400, "The session's name (session_hash) has 1 to 64 letters and digits. Reload the page.")
        owner = self._owners.get(session)
        if owner is not None and owner != visitor:
            raise RefusalError(403, "This session belongs to another browser. Reload the page.")
        if visitor is not None:
            self._owners[session] = visitor
            self._owners.move_to_end(session)
            if len(self._owners) > _MOST:
                self._owners.popitem(last=False)
