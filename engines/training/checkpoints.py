"""Files that a killed run goes on from: written whole or not at all, read without unpickling anything but tensors."""

import zipfile
from pathlib import Path
from typing import Any

import torch

from engines.core.errors import WeightsError


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint; a run that is killed meanwhile finds the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    torch.save(state, unfinished)
    unfinished.replace(path)


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any] | None:
    """The state that `save` wrote; None where there is no file.

    Raises:
        WeightsError: The file is no checkpoint, or cut off.
    """
    if not path.exists():
        return None
    if not zipfile.is_zipfile(path):
        raise WeightsError(f"The checkpoint {path.name} is cut off, or none. Delete it to begin anew.")
    return torch.load(path, weights_only=True, map_location=device)
