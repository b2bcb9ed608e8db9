"""What the person who starts the studio decides, and what follows from it."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from engines.core.errors import StudioError
from engines.core.images import LOCAL_MEGAPIXELS, PUBLIC_MEGAPIXELS

MOST_MINUTES = 7 * 24 * 60
"""Longest that a visitor's things are kept: as long as their cookie."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_REFUSED = ("GRADIO_VIBE_MODE",)
_IGNORED = ("GRADIO_SHARE", "GRADIO_ALLOWED_PATHS", "GRADIO_MCP_SERVER", "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "GRADIO_ROOT_PATH")


@dataclass(frozen=True)
class Settings:
    """How the studio is served; the defaults are private.

    Attributes:
        host: Address it listens on.
        port: Port; the first free one from 7860 if not given.
        share: Whether to ask Gradio's relay for a public link.
        auth: User and password, if a login is wanted.
        device: Where engines compute.
        generator: Name of the generator.
        history: Folder that visits are saved in, so that they outlive a restart; none for not at all. A public page saves none.
        grace_minutes: How long a visitor's things stay after the last tab was closed or lost the connection.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    share: bool = False
    auth: tuple[str, str] | None = field(default=None, repr=False)
    device: str = "cpu"
    generator: str = "ffhq"
    grace_minutes: float = 15.0
    history: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.grace_minutes <= MOST_MINUTES:
            raise StudioError(f"{self.grace_minutes:g} minutes came; what a visitor made is kept for 0 to {MOST_MINUTES} minutes.")

    @property
    def public(self) -> bool:
        """Whether others than the person at this machine can reach the page."""
        return self.share or self.listens_beyond

    @property
    def remembers(self) -> bool:
        """Whether visits are written to disk, so that they outlive a restart."""
        return self.history is not None and not self.public

    @property
    def listens_beyond(self) -> bool:
        """Whether the address is reached from other machines, without any relay."""
        return self.host not in _LOOPBACK

    @property
    def megapixels(self) -> float:
        """Largest picture that is read."""
        return PUBLIC_MEGAPIXELS if self.public else LOCAL_MEGAPIXELS

    @property
    def upload_megabytes(self) -> int:
        """Largest photo that is taken."""
        return 10 if self.public else 40

    @property
    def code_megabytes(self) -> int:
        """Largest file of codes or directions: the page's own download of a tuned inversion takes 28 MB."""
        return 32 if self.public else 40

    @property
    def session_megabytes(self) -> int:
        """Largest file of a saved session, written and opened."""
        return self.code_megabytes if self.public else 600

    @property
    def json_megabytes(self) -> int:
        """Largest request that is no file, such as an event with its canvases."""
        return 8 if self.public else 32

    @property
    def checkpoint_megabytes(self) -> int:
        """Largest published checkpoint that is taken, in a file of weights; none where others can reach the page."""
        return 0 if self.public else 1_600

    @property
    def runs_waiting(self) -> int:
        """Runs of all visitors that may wait in a line; further ones are refused in a sentence."""
        return 60 if self.public else 200

    @property
    def runs_each(self) -> int:
        """Runs that one visitor may have waiting or going in a line."""
        return 4 if self.public else 40

    @property
    def visitors_megabytes(self) -> int:
        """Memory that all visitors' things may hold together; whoever was idle longest gives way."""
        return 4_000 if self.public else 8_000

    @property
    def run_seconds(self) -> float:
        """Time after which a run is ended with its best result."""
        return 180.0 if self.public else 3600.0

    @property
    def shelf_megabytes(self) -> int:
        """Memory that one visitor's shelf may hold."""
        return 64 if self.public else 512

    def login(self) -> tuple[str, str] | None:
        """The login to ask for: the one given, or on a public page a generated one."""
        if self.auth or not self.public:
            return self.auth
        return "guest", secrets.token_urlsafe(9)


def check_environment() -> list[str]:
    """Names of Gradio's environment switches that are set and have no effect here.

    Raises:
        StudioError: One is set that would let visitors change the program.
    """
    for name in _REFUSED:
        if os.environ.get(name):
            raise StudioError(f"{name} is set: it would let visitors edit files and run code on this machine. Unset it and start again.")
    return [name for name in _IGNORED if os.environ.get(name)]
