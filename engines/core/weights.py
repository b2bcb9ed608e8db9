"""The only place that knows where bundled files lie, and the only one that loads them.

Every weight file has an entry in `assets/weights.toml`: file, sha256, size, licence and origin. Files are safetensors, in half
precision, checked against their hash before use; nothing is ever unpickled.
"""

import hashlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load
from torch import Tensor

from engines.core.errors import WeightsError

_PACKAGE = Path(__file__).resolve().parent.parent


@cache
def assets() -> Path:
    """The folder of bundled files: inside the installed package, or beside it in a source tree.

    Raises:
        WeightsError: Neither place holds a manifest.
    """
    for folder in (_PACKAGE / "_assets", _PACKAGE.parent / "assets"):
        if (folder / "weights.toml").is_file():
            return folder
    raise WeightsError("The bundled assets are missing: install the wheel or run from a complete checkout.")


@cache
def manifest() -> dict[str, dict[str, Any]]:
    """All entries of `weights.toml` by name."""
    return tomllib.loads((assets() / "weights.toml").read_text(encoding="utf-8"))


def load_weights(name: str) -> dict[str, Tensor]:
    """Tensors of one bundled file, widened to float32.

    Args:
        name: An entry of `assets/weights.toml`.

    Raises:
        WeightsError: No such entry, no such file, or a file that differs from the manifest.
    """
    entry = manifest().get(name)
    if entry is None:
        raise WeightsError(f"No bundled weights are called {name!r}; there are: {', '.join(sorted(manifest()))}.")
    path = assets() / "models" / entry["file"]
    if not path.is_file():
        raise WeightsError(f"The bundled file {entry['file']} is missing: reinstall the package.")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise WeightsError(f"The bundled file {entry['file']} was altered (its hash differs): reinstall the package.")
    return {key: _widened(value) for key, value in load(data).items()}


def _widened(value: Tensor) -> Tensor:
    return value.to(torch.float32) if value.is_floating_point() else value
