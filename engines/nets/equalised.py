"""StyleGAN2's layers with equalised learning rates: weights of unit variance, scaled when they are used.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", arXiv:1912.04958; equalised learning rates from arXiv:1710.10196,
section 4.1. Modules carry the names of the authors' checkpoints.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.core.seeds import rng

_SLOPE, _GAIN = 0.2, math.sqrt(2)
_HALF = 1 / math.sqrt(2)


def rectified(x: Tensor, bias: Tensor) -> Tensor:
    """StyleGAN2's activation: bias, leaky rectifier, and a gain that keeps the variance."""
    return F.leaky_relu(x + bias.view(1, -1, *[1] * (x.dim() - 2)), _SLOPE) * _GAIN


def unrectified(y: Tensor) -> Tensor:
    """What `rectified` made y of, where the bias was 0."""
    return torch.where(y < 0, y / _SLOPE, y) / _GAIN


class Linear(nn.Module):
    """An equalised linear layer (He's constant at run time), rectified or not."""

    def __init__(self, inputs: int, outputs: int, rate: float = 1.0, *, active: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale, self.rate, self.active = rate / math.sqrt(inputs), rate, active

    def forward(self, x: Tensor) -> Tensor:
        """(B,inputs) to (B,outputs)."""
        if self.active:
            return rectified(F.linear(x, self.weight * self.scale), self.bias * self.rate)
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)

    @torch.no_grad()
    def become(self, weight: Tensor, bias: Tensor) -> None:
        """Compute `weight` x + `bias`, which are (outputs,inputs) and (outputs,), before the rectifier."""
        self.weight.copy_(weight / self.scale)
        self.bias.copy_(bias / self.rate)


class Conv(nn.Module):
    """An equalised convolution, of the same size, of half, or (transposed) of twice; weights are (outputs,inputs,k,k) in all three."""

    def __init__(self, inputs: int, outputs: int, kernel: int, step: str = "same", *, bias: float | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = None if bias is None else nn.Parameter(torch.full((outputs,), bias))
        self.scale, self.step, self.pad = 1 / math.sqrt(inputs * kernel**2), step, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        """(B,inputs,h,w)."""
        return convolved(x, self.weight * self.scale, self.step, self.pad, self.bias)


def convolved(x: Tensor, weight: Tensor, step: str, pad: int, bias: Tensor | None = None) -> Tensor:
    """A convolution in one of three steps."""
    if step == "up":
        return F.conv_transpose2d(x, weight.transpose(0, 1), bias, stride=2)
    return F.conv2d(x, weight, bias, stride=2 if step == "down" else 1, padding=0 if step == "down" else pad)


class Blur(nn.Module):
    """The low-pass beside a change of size: [1,3,3,1] both ways.

    Args:
        kernel: Side of the convolution that it goes with.
        up: Whether that doubles the size.
    """

    kernel: Tensor

    def __init__(self, kernel: int, *, up: bool) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        square = taps[:, None] * taps
        self.register_buffer("kernel", square / square.sum() * (4 if up else 1))
        spare = 2 - (kernel - 1) if up else 2 + (kernel - 1)
        self.pad = ((spare + 1) // 2 + up, spare // 2 + up)

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,h,w)."""
        channels = x.shape[1]
        return F.conv2d(F.pad(x, (*self.pad, *self.pad)), self.kernel.expand(channels, 1, -1, -1), groups=channels)


class Bias(nn.Module):
    """Bias and rectifier."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,h,w)."""
        return rectified(x, self.bias)


def layer(inputs: int, outputs: int, kernel: int, step: str = "same", *, active: bool = True) -> nn.Sequential:
    """Convolution, blur where the size changes, bias and rectifier."""
    parts: list[nn.Module] = [Conv(inputs, outputs, kernel, step)]
    if step != "same":
        parts.insert(1 if step == "up" else 0, Blur(kernel, up=step == "up"))
    return nn.Sequential(*parts, *([Bias(outputs)] if active else []))


class Down(nn.Module):
    """A residual block that halves the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = layer(inputs, inputs, 3), layer(inputs, outputs, 3, "down")
        self.skip = layer(inputs, outputs, 1, "down", active=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B,inputs,h,w) to (B,outputs,h/2,w/2)."""
        return (self.conv2(self.conv1(x)) + self.skip(x)) * _HALF


def drawn_anew(network: nn.Module, seed: int) -> None:
    """Give all weights the values that a seed decides: of unit variance, divided by the layer's rate where it has one; biases stay."""
    stream = rng(seed)
    for module in network.modules():
        for name, weight in module.named_parameters(recurse=False):
            if name != "bias":
                rate = module.rate if isinstance(module, Linear) else 1.0
                weight.data = (torch.randn(weight.shape, generator=stream) / rate).to(weight)
