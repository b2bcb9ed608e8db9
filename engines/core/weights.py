"""The only place that knows where bundled files lie, and the only one that loads them.

Every weight file has an entry in `assets/weights.toml`: file, sha256, size, licence and origin. Files are safetensors, in half
precision, checked against their hash before use; nothing is ever unpickled. An entry with `ships = false` is a network that only a rare
choice or a measurement needs: its file is in the source tree, and the wheel leaves it out.
"""

import hashlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from engines.core.errors import WeightsError

_PACKAGE = Path(__file__).resolve().parent.parent
_MEND = "reinstall the package."


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


def source_assets() -> Path | None:
    """The folder `assets` of a source tree, which recipes and converters write to; None where the package was installed."""
    is_source = (_PACKAGE.parent / "pyproject.toml").is_file() and not (_PACKAGE / "_assets").is_dir()
    return _PACKAGE.parent / "assets" if is_source else None


@cache
def manifest() -> dict[str, dict[str, Any]]:
    """All entries of the bundled `weights.toml` by name.

    Raises:
        WeightsError: It is missing or cannot be read.
    """
    return entries(assets() / "weights.toml")


def entries(path: Path) -> dict[str, dict[str, Any]]:
    """All entries of a manifest by name, each with at least a `file` and its `sha256`.

    Raises:
        WeightsError: The file cannot be read, is no TOML, or has an entry of another form.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(f"The manifest {path} cannot be read ({error.strerror}): {_MEND}") from error
    except ValueError as error:  # of the TOML, or of its letters
        raise WeightsError(f"The manifest {path} is damaged ({error}): {_MEND}") from error
    for name, entry in found.items():
        if not (isinstance(entry, dict) and _is_plain(entry.get("file")) and isinstance(entry.get("sha256"), str)):
            raise WeightsError(f"The entry {name!r} of the manifest {path} lacks its file's name or its sha256: {_MEND}")
    return found


def _is_plain(name: object) -> bool:
    """Whether a manifest's file is the mere name of one in models/, and leads nowhere else."""
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")


def is_bundled(name: str) -> bool:
    """Whether there are weights of this name and their file is here."""
    return name in manifest() and _path(name).is_file()


def require(name: str) -> Path:
    """The file of one entry of `assets/weights.toml`.

    Raises:
        WeightsError: No such entry or no such file; of one that the wheel leaves out, the sentence says where it is.
    """
    if name not in manifest():
        raise WeightsError(f"No bundled weights are called {name!r}; there are: {', '.join(sorted(manifest()))}.")
    path = _path(name)
    if path.is_file():
        return path
    if manifest()[name].get("ships", True):
        raise WeightsError(f"The bundled file {path.name} is missing: {_MEND}")
    raise WeightsError(
        f"The network {name} is not in this installation: the wheel leaves it out to stay small. "
        f"It is in the source tree, assets/models/{path.name}: install from a checkout (pip install -e .) to use it."
    )


def _path(name: str) -> Path:
    return assets() / "models" / str(manifest()[name]["file"])


def load_weights(name: str) -> dict[str, Tensor]:
    """Tensors of one bundled file, widened to float32.

    Args:
        name: An entry of `assets/weights.toml`.

    Raises:
        WeightsError: No such entry, no such file, or a file that cannot be read or differs from the manifest.
    """
    path, entry = require(name), manifest()[name]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"The bundled file {entry['file']} cannot be read ({error.strerror}): {_MEND}") from error
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise WeightsError(f"The bundled file {entry['file']} was altered (its hash differs): {_MEND}")
    try:
        return {key: _widened(value) for key, value in load(data).items()}
    except SafetensorError as error:
        raise WeightsError(f"The bundled file {entry['file']} is no safetensors file: {_MEND}") from error


def _widened(value: Tensor) -> Tensor:
    return value.to(torch.float32) if value.is_floating_point() else value
