"""Weights whose kernels are stored as 8-bit codes, widened to the exact values they stand for."""

from collections.abc import Mapping

import torch
from torch import Tensor

from engines.core.weights import load_weights

RANGE = ".range"
_LARGE, _CODES = 1 << 16, 255
"""Numbers from which on a kernel is coded, and steps of a code."""


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


def packed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors whose large kernels are coded in 8 bits, an output channel at a time, as `load_packed` reads them.

    Args:
        weights: By name; floating ones of at least two dimensions and 65 536 numbers are coded.
    """
    found: dict[str, Tensor] = {}
    for key, value in weights.items():
        if not value.is_floating_point() or value.dim() < 2 or value.numel() < _LARGE:
            found[key] = value
            continue
        rows = value.float().flatten(1)
        low, high = rows.amin(dim=1), rows.amax(dim=1)
        scale = ((high - low) / _CODES).clamp_min(torch.finfo(torch.float32).tiny)
        codes = ((rows - low[:, None]) / scale[:, None]).round().clamp(0, _CODES).to(torch.uint8)
        found[key] = codes.unflatten(1, value.shape[1:])
        found[key + RANGE] = torch.stack([scale, low], dim=1).contiguous().view(torch.uint8)
    return found


def _widened(key: str, stored: dict[str, Tensor]) -> Tensor:
    codes = stored[key]
    if key + RANGE not in stored:
        return codes
    limits = stored[key + RANGE].view(torch.float32)
    scale, low = limits.reshape(len(codes), 2, *[1] * (codes.dim() - 1)).unbind(1)
    return codes.float() * scale + low
