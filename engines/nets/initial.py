"""First weights that a seed alone decides, without touching the global stream of random numbers."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from engines.core.seeds import rng

Network = TypeVar("Network", bound=nn.Module)


_GENTLY = 0.1


class Gentle(nn.Linear):
    """A last layer with a small scale at initialisation, so that a network begins near the average face."""


def seeded(build: Callable[[], Network], seed: int) -> Network:
    """A network whose convolutions and linear layers are drawn anew: He et al., arXiv:1502.01852, with empty biases."""
    with torch.random.fork_rng(devices=[]):
        network = build()
    stream = rng(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan_in, gain = module.weight[0].numel(), _GENTLY if isinstance(module, Gentle) else 1.0
            _fill(module.weight, torch.randn(module.weight.shape, generator=stream) * (2 / fan_in) ** 0.5 * gain)
            if module.bias is not None:
                _fill(module.bias, torch.zeros(module.bias.shape))
    return network


@torch.no_grad()
def _fill(weight: Tensor, values: Tensor) -> None:
    weight.copy_(values)


def plain(build: Callable[[], Network], seed: int) -> Network:
    """A network whose layers draw their first weights in their own way."""
    with torch.random.fork_rng(devices=[]):
        torch.random.set_rng_state(rng(seed).get_state())
        return build()


def orthogonal(build: Callable[[], Network], seed: int) -> Network:
    """A network whose convolutions and linear layers are orthogonal (Saxe et al., arXiv:1312.6120), normalisations about one."""
    with torch.random.fork_rng(devices=[]):
        network = build()
    stream = rng(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.orthogonal_(module.weight, generator=stream)
            if module.bias is not None:
                _fill(module.bias, torch.zeros(module.bias.shape))
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            _fill(module.weight, 1 + 0.02 * torch.randn(module.weight.shape, generator=stream))
    return network


def small(build: Callable[[], Network], seed: int, deviation: float = 0.02) -> Network:
    """A network of small normal weights, normalisations about one and no biases (Radford et al., arXiv:1511.06434)."""
    with torch.random.fork_rng(devices=[]):
        network = build()
    stream = rng(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            _fill(module.weight, deviation * torch.randn(module.weight.shape, generator=stream))
            if module.bias is not None:
                _fill(module.bias, torch.zeros(module.bias.shape))
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            _fill(module.weight, 1 + deviation * torch.randn(module.weight.shape, generator=stream))
    return network
