"""The logistic game between a critic and what it judges, as StyleGAN2 plays it (arXiv:1912.04958)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def convinced(scores: Tensor) -> Tensor:
    """What a maker minimises: small where the critic takes its work for real."""
    return F.softplus(-scores).mean()


def told_apart(real: Tensor, made: Tensor) -> Tensor:
    """What a critic minimises: small where real scores are high and made ones low."""
    return F.softplus(-real).mean() + F.softplus(made).mean()


def slope_penalty(scores: Tensor, inputs: Tensor) -> Tensor:
    """R1 (Mescheder et al., arXiv:1801.04406): squared slope of the scores at real inputs (B,...), which must want gradients."""
    (slope,) = torch.autograd.grad(scores.sum(), inputs, create_graph=True)
    return slope.square().flatten(1).sum(dim=1).mean()
