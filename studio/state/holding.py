"""How much memory a visitor's things hold."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

import numpy as np
from PIL import Image as Pil
from torch import Tensor


def held_bytes(*things: object) -> int:
    """Bytes of all arrays, tensors, pictures and byte strings in dataclasses and containers; what they share counts once."""
    sizes: dict[int, int] = {}
    seen: set[int] = set()
    waiting: list[Any] = list(things)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, Tensor):
            sizes[thing.untyped_storage().data_ptr()] = thing.untyped_storage().nbytes()
        elif isinstance(thing, np.ndarray):
            sizes[id(thing)] = thing.nbytes
        elif isinstance(thing, Pil.Image):
            sizes[id(thing)] = thing.width * thing.height * len(thing.getbands())
        elif isinstance(thing, bytes):
            sizes[id(thing)] = len(thing)
        elif isinstance(thing, Mapping):
            waiting += thing.values()
        elif isinstance(thing, list | tuple | set | frozenset):
            waiting += thing
        elif is_dataclass(thing) and not isinstance(thing, type):
            waiting += vars(thing).values()
    return sum(sizes.values())
