"""Pictures that are kept rather than computed with: 8 bits a channel, a quarter of the memory."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from engines.core.shapes import Image

Kind = TypeVar("Kind")


def eight_bit(*names: str) -> Callable[[type[Kind]], type[Kind]]:
    """Let these fields of a dataclass hold their pictures, (B,3,H,W) in [-1, 1], at 8 bits a channel.

    Exact for what came from a picture file or goes into one. Each reading makes a new tensor on the CPU.

    Example:
        >>> import torch
        >>> from dataclasses import dataclass
        >>> @eight_bit("images")
        ... @dataclass
        ... class Shown:
        ...     images: torch.Tensor | None = None
        >>> Shown(torch.ones(1, 3, 2, 2)).images.mean().item()
        1.0
    """

    def packing(kind: type[Kind]) -> type[Kind]:
        for name in names:
            setattr(kind, name, _EightBit(name))
        return kind

    return packing


class _EightBit:
    """The field: what the instance holds is under the same name with a line before it."""

    def __init__(self, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        held: Tensor | None = getattr(owner, self.name)
        return None if held is None else held.float() / 127.5 - 1

    def __set__(self, owner: Any, value: Image | None) -> None:
        held = None if value is None else value.detach().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8).cpu()
        object.__setattr__(owner, self.name, held)
