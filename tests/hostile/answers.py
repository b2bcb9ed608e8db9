"""What is sent to a studio, and what comes back."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True)
class Call:
    """An event or an endpoint with its values.

    Attributes:
        title: What is wrong with it.
        event: Number of the event on the page.
        values: What is sent for its inputs.
        more: Other fields of the request.
        raw: The whole request in JSON, where `json.dumps` could not write it.
    """

    title: str
    event: Any
    values: Any
    more: dict[str, Any] = field(default_factory=dict)
    raw: str = ""


@dataclass(frozen=True)
class Answer:
    """What came back for a call.

    Attributes:
        status: Of the request, or 0 if none came in time.
        words: The error's sentence; of a call that succeeded, all of its output as text.
        succeeded: Whether the event ran to its end.
        body: All that came, as text.
        seconds: From the request to the end of the answer.
    """

    status: int
    words: str
    succeeded: bool
    body: str
    seconds: float

    @property
    def refused(self) -> bool:
        """Whether it was refused, by an error or by words on the page."""
        return not self.succeeded or "⚠️" in self.words


def said(response: httpx.Response) -> str:
    """The words of a request that was refused."""
    try:
        detail = response.json()
    except ValueError:
        return response.text
    said = detail.get("detail", detail.get("error", detail)) if isinstance(detail, dict) else detail
    return said if isinstance(said, str) else json.dumps(said)


def finished(client: httpx.Client, session: str, waiting: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The last message of each event that a session waits for."""
    if not waiting:
        return
    try:
        with client.stream("GET", f"gradio_api/queue/data?session_hash={session}") as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if message.get("msg") == "process_completed" and message["event_id"] in waiting:
                    yield message["event_id"], message
                    waiting.discard(message["event_id"])
    except httpx.TransportError:
        return
