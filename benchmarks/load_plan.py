"""What visitors of the load benchmark are to do, and how they reach the studio."""

from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.load_page import CONNECTIONS
from benchmarks.load_stream import Connections

RUN_PATIENCE = 150.0
"""Seconds that a visitor waits for a run, at the least."""


@dataclass(frozen=True)
class Plan:
    """What the visitors are to do.

    Attributes:
        url: Where the studio is.
        login: User and password.
        visitors: How many.
        seconds: How long they act.
        seed: Of their choices.
        method: Of their runs.
        photos: Folder of `prepare`.
        output: Where the result is written.
        greedy: Calls of /invert that one more visitor makes at once.
        greedy_at: When, as a share of the time.
        sessions: Session hashes that these come from.
        acts: Leave after so many on the tab of sliders, even if there is time; all the time if not given.
        pauses: Shortest and longest time between two acts, in seconds.
    """

    url: str
    login: tuple[str, str]
    visitors: int
    seconds: float
    seed: int
    method: str
    photos: str
    output: str
    greedy: int = 0
    greedy_at: float = 0.5
    sessions: int = 10
    acts: int | None = None
    pauses: tuple[float, float] = (2.0, 8.0)


def browser(plan: Plan, cookies: dict[str, str] | None = None) -> httpx.AsyncClient:
    """Connections as a browser keeps them."""
    transport = Connections(limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS))
    return httpx.AsyncClient(base_url=plan.url, timeout=None, transport=transport, cookies=cookies, headers={"x-gradio-user": "app"})


async def config(http: httpx.AsyncClient, plan: Plan) -> dict[str, Any]:
    """Log in, and read what the page is made of.

    Raises:
        httpx.HTTPError: The login or the page is refused.
    """
    (await http.post("login", data={"username": plan.login[0], "password": plan.login[1]})).raise_for_status()
    answer = await http.get("config")
    answer.raise_for_status()
    return answer.json()
