"""A studio as others reach it, with its login and its limits, but on loopback: `python -m benchmarks.load_serve SETTINGS`.

SETTINGS are those of `studio.settings.Settings`, as JSON.
"""

import json
import os
import sys

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from studio.server import serve
from studio.settings import Settings


class Reached(Settings):
    """Settings of a page that others reach, wherever it listens."""

    public = True


def main() -> None:
    """Serve until interrupted."""
    given = json.loads(sys.argv[1])
    serve(Reached(**given | {"auth": tuple(given["auth"])}))


if __name__ == "__main__":
    main()
