"""What the wheel holds of assets/: everything but the files of entries with `ships = false` in assets/weights.toml.

A hook of hatchling's. An editable install reads assets/ of the source tree, so nothing is copied for it.
"""

import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def shipped(assets: Path) -> list[Path]:
    """Files of a folder `assets` that go into the wheel."""
    entries = tomllib.loads((assets / "weights.toml").read_text(encoding="utf-8")).values()
    left_out = {assets / "models" / entry["file"] for entry in entries if not entry.get("ships", True)}
    return sorted(path for path in assets.rglob("*") if path.is_file() and path not in left_out)


class Assets(BuildHookInterface):  # type: ignore[type-arg]
    """Lays them into the package `engines`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name each file with its place in the wheel."""
        if version == "editable":
            return
        assets = Path(self.root) / "assets"
        build_data["force_include"] |= {str(path): f"engines/_assets/{path.relative_to(assets).as_posix()}" for path in shipped(assets)}
