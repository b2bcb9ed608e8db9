"""Where networks compute: a device by name, tried before anything is loaded onto it."""

from collections.abc import Callable, Mapping

import torch

from engines.core.errors import CatalogueError

_AVAILABLE: Mapping[str, Callable[[], bool]] = {
    "cpu": lambda: True,
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
}


def usable(device: torch.device | str) -> torch.device:
    """The device called so.

    Args:
        device: cpu, cuda, mps, or one of several, such as cuda:1.

    Raises:
        CatalogueError: There is no such device, or this machine has none.
    """
    try:
        found = torch.device(device)
    except RuntimeError:
        found = None
    if found is None or found.type not in _AVAILABLE:
        raise CatalogueError(f"The device {str(device)[:40]!r} came; there are: {', '.join(_AVAILABLE)}.")
    is_there = _AVAILABLE[found.type]() and (found.type != "cuda" or (found.index or 0) < torch.cuda.device_count())
    if not is_there:
        raise CatalogueError(f"The device {found} came, and this machine has none that torch can use. Take --device cpu.")
    return found
