"""Who a visitor is: a browser, by the cookie that it got with the page, or a program without cookies, by its session."""

import re
from collections.abc import Mapping
from typing import Any

VISITOR_COOKIE = "studio_visitor"
FORM = re.compile(r"[A-Za-z0-9_-]{32}")
"""What a cookie's value looks like."""
_SESSION = "session:"


def visitor_of(cookies: Mapping[str, str], session_hash: str | None) -> str | None:
    """Whom a request comes from; what a program calls its session is never taken for a browser's cookie."""
    name = cookies.get(VISITOR_COOKIE) or ""
    if FORM.fullmatch(name):
        return name
    return None if session_hash is None else f"{_SESSION}{session_hash}"


def is_browser(visitor: str) -> bool:
    """Whether a visitor is known by a cookie."""
    return not visitor.startswith(_SESSION)


def asker_of(request: Any) -> str:
    """Who sent a request, as far as fairness goes: the browser's cookie, else the login's token, else the address."""
    cookies = getattr(request, "cookies", None) or {}
    token = next((value for name, value in cookies.items() if name.startswith("access-token")), "")
    client = getattr(request, "client", None)
    return cookies.get(VISITOR_COOKIE) or token or getattr(client, "host", "") or str(getattr(request, "session_hash", ""))
