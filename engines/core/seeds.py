"""Noise that a seed alone decides: no global generator is ever touched."""

import torch
from torch import Tensor

from engines.core.shapes import Codes


def rng(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh random stream for `seed` on `device`."""
    return torch.Generator(device=device).manual_seed(seed)


def normal(shape: tuple[int, ...], seed: int, device: torch.device | str = "cpu") -> Tensor:
    """Standard normal noise, drawn on the CPU so that every device sees the same values."""
    return torch.randn(shape, generator=rng(seed)).to(device)


def z_codes(count: int, width: int, seed: int, device: torch.device | str = "cpu") -> Codes:
    """`count` independent z of shape (count, width) for one seed."""
    return normal((count, width), seed, device)
