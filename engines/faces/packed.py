"""Weights whose kernels are stored as 8-bit codes, widened to the exact values they stand for."""

import torch
from torch import Tensor

from engines.core.weights import load_weights

RANGE = ".range"


def load_packed(name: str) -> dict[str, Tensor]:
    """Tensors of one bundled file, every coded kernel turned into float32.

    A kernel `k` stored as uint8 codes (out, ...) has beside it `k.range`: the raw bytes of a float32 (out, 2) tensor that holds the
    scale and the minimum of each output channel, so that rounding the file to half precision cannot touch them.

    Args:
        name: An entry of `assets/weights.toml`.

    Raises:
        WeightsError: No such entry, no such file, or a file that differs from the manifest.
    """
    stored = load_weights(name)
    return {key: _widened(key, stored) for key in stored if not key.endswith(RANGE)}


def _widened(key: str, stored: dict[str, Tensor]) -> Tensor:
    codes = stored[key]
    if key + RANGE not in stored:
        return codes
    limits = stored[key + RANGE].view(torch.float32)
    scale, low = limits.reshape(len(codes), 2, *[1] * (codes.dim() - 1)).unbind(1)
    return codes.float() * scale + low
