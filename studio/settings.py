"""What the person who starts the studio decides, and what follows from it."""

import os
import secrets
from dataclasses import dataclass

from engines.core.errors import StudioError
from engines.core.images import LOCAL_MEGAPIXELS, PUBLIC_MEGAPIXELS

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
    """

    host: str = "127.0.0.1"
    port: int | None = None
    share: bool = False
    auth: tuple[str, str] | None = None
    device: str = "cpu"
    generator: str = "ffhq"

    @property
    def public(self) -> bool:
        """Whether others than the person at this machine can reach the page."""
        return self.share or self.host not in _LOOPBACK

    @property
    def megapixels(self) -> float:
        """Largest picture that is read."""
        return PUBLIC_MEGAPIXELS if self.public else LOCAL_MEGAPIXELS

    @property
    def upload_megabytes(self) -> int:
        """Largest file that is taken."""
        return 10 if self.public else 40

    @property
    def checkpoint_megabytes(self) -> int:
        """Largest published checkpoint that is taken, in a file of weights; none where others can reach the page."""
        return 0 if self.public else 1_600

    @property
    def queue_size(self) -> int:
        """Runs that may wait; further ones are told that the queue is full."""
        return 20 if self.public else 40

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
