"""InfoGAN's variational lower bound on the mutual information of codes and pictures, in nats.

Chen et al., arXiv:1606.03657, eq. 4: I(c; G(z,c)) >= H(c) + E[log Q(c | G(z,c))], for any Q that gives probabilities; the better Q
predicts, the tighter the bound. Only the second part is trained, so a loss is its negative.
"""

import math

import torch.nn.functional as F
from torch import Tensor


def category_loss(logits: Tensor, category: Tensor) -> Tensor:
    """-E[log Q(c|x)] of logits (N,K) and the numbers (N,) that were drawn: 0 where Q is sure and right, ln K where it guesses."""
    return F.cross_entropy(logits, category)


def continuous_loss(read: Tensor, drawn: Tensor) -> Tensor:
    """The same of continuous codes (N,C), for a Q that says a normal distribution of deviation 1; the constant is left out."""
    return 0.5 * (read - drawn).square().sum(dim=1).mean()


def category_bound(logits: Tensor, category: Tensor) -> Tensor:
    """The bound on I(c; x) for a category drawn evenly: at most ln K, and below 0 where Q is surely wrong."""
    return math.log(logits.shape[1]) - category_loss(logits, category)
