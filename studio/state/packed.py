"""Pictures that are kept rather than computed with: 8 bits a channel, a quarter of the memory; compressed where they are seldom seen."""

from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeVar

import torch
from PIL import Image as Pil
from torch import Tensor

from engines.core.shapes import Image

Kind = TypeVar("Kind")


def eight_bit(*names: str) -> Callable[[type[Kind]], type[Kind]]:
    """Let these fields of a dataclass hold their pictures, (B,3,H,W) in [-1, 1], at 8 bits a channel.

    Exact for what came from a picture file or goes into one. Each reading makes a new tensor on the CPU; fields that are given what another
    field was read as hold one picture together.

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

    return _holding(_EightBit, names)


def lossless(*names: str) -> Callable[[type[Kind]], type[Kind]]:
    """Let these fields of a dataclass hold their `PIL.Image.Image` compressed, without loss: a third of the memory or less.

    Each reading opens it anew, in some hundredths of a second at 1024 px.

    Example:
        >>> from dataclasses import dataclass
        >>> @lossless("photo")
        ... @dataclass
        ... class Shelved:
        ...     photo: Pil.Image | None = None
        >>> Shelved(Pil.new("RGB", (9, 9), "teal")).photo.getpixel((0, 0))
        (0, 128, 128)
    """
    return _holding(_Lossless, names)


def _holding(form: Callable[[str], Any], names: tuple[str, ...]) -> Callable[[type[Kind]], type[Kind]]:
    def packing(kind: type[Kind]) -> type[Kind]:
        for name in names:
            setattr(kind, name, form(name))
        return kind

    return packing


class _EightBit:
    """The field: what the instance holds is under the same name with a line before it."""

    def __init__(self, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        held: Tensor | None = getattr(owner, self.name)
        return None if held is None else _unpacked(held)

    def __set__(self, owner: Any, value: Image | None) -> None:
        object.__setattr__(owner, self.name, None if value is None else _packed(value))


def _unpacked(held: Tensor) -> Tensor:
    picture = held.float() / 127.5 - 1
    if not picture.is_inference():
        picture.packed = (held, picture._version)  # type: ignore[attr-defined]
    return picture


def _packed(picture: Tensor) -> Tensor:
    """At 8 bits; what it was unpacked from, unless it was changed since."""
    held, version = getattr(picture, "packed", (None, -1))
    if held is not None and picture._version == version:
        return held
    return picture.detach().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8).cpu()


class _Lossless:
    """The same for a picture of PIL's, as a file of WebP."""

    def __init__(self, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        held: bytes | None = getattr(owner, self.name)
        return None if held is None else Pil.open(BytesIO(held)).convert("RGB")

    def __set__(self, owner: Any, value: Pil.Image | None) -> None:
        if value is not None:
            file = BytesIO()
            value.convert("RGB").save(file, "WEBP", lossless=True, quality=0, method=0)
            value = file.getvalue()  # type: ignore[assignment]
        object.__setattr__(owner, self.name, value)
