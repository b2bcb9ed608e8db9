"""A place in a line, and how it stands."""

import asyncio
from dataclasses import dataclass, field

from engines.core.errors import StudioError


class Overtaken(Exception):
    """What was asked for was asked for anew before its turn: there is nothing to answer."""


@dataclass(eq=False)
class Ticket:
    """A place in a line.

    Attributes:
        visitor: Whose.
        kind: What is to be done, for how long it usually takes.
        joined: When, in seconds that only grow.
        turn: Set once it may start.
        started: When it started.
        is_taken: Whether a run of several steps has it, and gives it up by itself.
        session: Whose page asked.
        is_dropped: Whether that page was closed before its turn.
        is_overtaken: Whether the same page asked for the same thing anew before its turn.
    """

    visitor: str
    kind: str
    joined: float
    turn: asyncio.Event = field(default_factory=asyncio.Event)
    started: float | None = None
    is_taken: bool = False
    session: str = ""
    is_dropped: bool = False
    is_overtaken: bool = False

    async def wait(self) -> None:
        """Until its turn.

        Raises:
            Overtaken: A newer one of its kind came.
            StudioError: The page was closed.
        """
        await self.turn.wait()
        if self.is_overtaken:
            raise Overtaken
        if self.is_dropped:
            raise StudioError("The page that asked was closed.")


@dataclass(frozen=True)
class Standing:
    """How a ticket stands.

    Attributes:
        place: 1 for the next.
        count: How many wait.
        seconds: Until its start, as far as that is known.
    """

    place: int
    count: int
    seconds: float | None

    def __str__(self) -> str:
        if self.seconds is None:
            about = ""
        elif self.seconds < 90:
            about = f", about {max(1, round(self.seconds))} s until it starts"
        else:
            about = f", about {round(self.seconds / 60)} min until it starts"
        return f"Waiting: place {self.place} of {self.count} in line{about}."
