"""Non-saturating logistic GAN losses, as in StyleGAN2 (arXiv:1912.04958), and the R1 gradient penalty."""

import torch
import torch.nn.functional as F
from torch import Tensor


def generator_loss(scores: Tensor) -> Tensor:
    """Non-saturating generator loss of the discriminator's scores of generated samples: their mean softplus(-score)."""
    return F.softplus(-scores).mean()


def discriminator_loss(real: Tensor, made: Tensor) -> Tensor:
    """Discriminator loss: mean softplus(-score) of real and softplus(score) of generated samples."""
    return F.softplus(-real).mean() + F.softplus(made).mean()


def r1_penalty(scores: Tensor, inputs: Tensor) -> Tensor:
    """R1 gradient penalty (Mescheder et al., arXiv:1801.04406): squared gradient of the scores at real inputs (B,...)."""
    (gradient,) = torch.autograd.grad(scores.sum(), inputs, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1).mean()
