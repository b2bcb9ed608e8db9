"""A studio in a process of its own, on this machine's own address: `python -m tests.hostile.serving public PORT`."""

import sys

from studio.server import serve
from studio.settings import Settings

USER, PASSWORD = "guest", "a-password"


class Public(Settings):
    """The public profile, reached by nobody else."""

    @property
    def public(self) -> bool:
        """As if others could reach it."""
        return True


if __name__ == "__main__":
    profile, port = sys.argv[1], int(sys.argv[2])
    if profile == "public":
        serve(Public(port=port, auth=(USER, PASSWORD), generator="toy"))
    else:
        serve(Settings(port=port, generator="toy"))
