"""Distances between codes and penalties on them, in standard deviations of W."""

import torch.nn.functional as F
from torch import Tensor

from engines.core.shapes import Code, Codes


def latent_distance(codes: Codes, target: Codes, deviation: Code) -> Tensor:
    """Smooth L1 between codes, in standard deviations of each dimension of W: one number.

    Args:
        codes: (B,slots,width).
        target: As `codes`.
        deviation: (1,width), from the statistics of W.
    """
    return F.smooth_l1_loss(codes / deviation, target / deviation)


def code_errors(codes: Codes, target: Codes, deviation: Code) -> Tensor:
    """Root mean square error of every layer of every code in standard deviations of W, (B,slots)."""
    return ((codes - target) / deviation).square().mean(dim=2).sqrt()


def offset_norm(offsets: Codes) -> Tensor:
    """Sum over layers of the mean norm of the offsets (B,slots,width) from the first: e4e's delta regularisation."""
    return offsets.norm(dim=2).mean(dim=0).sum()
