"""The few operations that the FFHQ generator's layers are made of, in the order and memory format that a CPU likes.

Features travel channels-last, and a Haar stage's channels come as four contiguous bands, so that every step here is a plain
pass over memory.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

SLOPE = 0.2
"""Negative slope of every leaky ReLU in the StyleGAN2 family."""


def channels_last(x: Tensor) -> Tensor:
    """`x` (B,C,H,W) with its channels innermost in memory."""
    return x.contiguous(memory_format=torch.channels_last)


def haar_up(bands: Tensor) -> Tensor:
    """One inverse Haar step: bands (B,4C,H,W), ordered LL, LH, HL, HH, to (B,C,2H,2W).

    The factor 1/2 of the transform is left to the caller's weights, where it costs nothing.
    """
    batch, channels, height, width = bands.shape
    count = channels // 4
    ll, lh, hl, hh = bands.permute(0, 2, 3, 1).split(count, dim=3)
    low, high, cross_low, cross_high = ll + lh, ll - lh, hl + hh, hl - hh
    upper = torch.stack((low + cross_low, low - cross_low), dim=3)
    lower = torch.stack((high + cross_high, high - cross_high), dim=3)
    grid = torch.stack((upper, lower), dim=2)  # (B, H, 2, W, 2, C)
    return grid.view(batch, 2 * height, 2 * width, count).permute(0, 3, 1, 2)


def modulate(x: Tensor, style: Tensor) -> Tensor:
    """Features (B,C,H,W) times a style of shape (B,C), or of (B,C,h,w), a style per pixel stretched to the features."""
    if style.dim() == 2:
        return x * style[:, :, None, None]
    return x * (style if style.shape[-2:] == x.shape[-2:] else stretched(style, x.shape[-2], x.shape[-1]))


def stretched(maps: Tensor, height: int, width: int) -> Tensor:
    """Maps (B,C,h,w) spread bilinearly over (height,width): one matrix a side, many times quicker backwards than `F.interpolate`."""
    batch, channels, rows, columns = maps.shape
    across = _spreading(columns, width, maps.device) @ maps.permute(0, 2, 3, 1)  # (B, h, W, C)
    down = _spreading(rows, height, maps.device) @ across.reshape(batch, rows, width * channels)
    return down.view(batch, height, width, channels).permute(0, 3, 1, 2)


@lru_cache(64)
def _spreading(cells: int, size: int, device: torch.device) -> Tensor:
    """The matrix (size,cells) that a linear interpolation of values in cells is."""
    return F.interpolate(torch.eye(cells, device=device)[None], size, mode="linear", align_corners=False)[0].T.contiguous()


def shifted(style: Tensor, shift: Tensor) -> Tensor:
    """A style (B,C), or map of styles (B,C,h,w), with another of either kind added: a plain one counts everywhere alike."""
    if style.dim() == shift.dim():
        return style + shift
    return style + shift[:, :, None, None] if style.dim() == 4 else style[:, :, None, None] + shift


def at_each_cell(grid: Tensor, matrix: Tensor) -> Tensor:
    """A matrix (C,width) times the vector in each cell of a grid (B,width,s,s): (B,C,s,s)."""
    return F.conv2d(grid, matrix[:, :, None, None])


def modulated_conv(x: Tensor, style: Tensor, kernel: Tensor, bias: Tensor | None = None, *, groups: int = 1) -> Tensor:
    """Convolution, padded to keep its size, of modulated features; no demodulation (it is folded into the kernel).

    One code for a single picture goes into the kernel: it is far smaller than the features.
    """
    padding = kernel.shape[-1] // 2
    if style.shape[0] == 1 and style.dim() == 2 and x.shape[0] == 1:
        scale = style.view(-1, 1, 1, 1) if groups > 1 else style.view(1, -1, 1, 1)
        return F.conv2d(x, kernel * scale, bias, padding=padding, groups=groups)
    return F.conv2d(modulate(x, style), kernel, bias, padding=padding, groups=groups)


def activate(x: Tensor, noise: Tensor) -> Tensor:
    """Add a noise map (1 or B,1,H,W) and rectify, in place: `x` must be a fresh convolution output."""
    return F.leaky_relu_(x.add_(noise), SLOPE)
