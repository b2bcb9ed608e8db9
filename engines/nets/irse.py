"""The shared encoder body: improved residual units with squeeze-and-excitation, in a size that two CPU cores can train.

Paper: Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", arXiv:1801.07698, section 3.1 (IR units), with the
channel attention of Hu et al., "Squeeze-and-Excitation Networks", arXiv:1709.01507. pSp, e4e and ReStyle put their heads on a body of
50 layers and 31 M weights; this one has the same units, a stem that halves the picture, and 4.8 M weights.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

STEM = 32
STAGES = ((64, 1), (128, 1), (256, 2), (256, 2))
"""Width and number of units of each stage; each stage's first unit halves the features."""

_REDUCTION = 16
"""How much narrower the attention's middle is than what it weighs."""


class Levels(NamedTuple):
    """Features of one picture at three scales, fine to coarse.

    Attributes:
        c1: (B,128,S/8,S/8) of a picture of side S.
        c2: (B,256,S/16,S/16).
        c3: (B,256,S/32,S/32).
    """

    c1: Tensor
    c2: Tensor
    c3: Tensor


class SqueezeExcite(nn.Module):
    """Each channel weighed by what all channels are on average."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // _REDUCTION, 1, bias=False)
        self.excite = nn.Conv2d(channels // _REDUCTION, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B,C,h,w), weighed."""
        return x * self.excite(F.relu(self.squeeze(x.mean(dim=(2, 3), keepdim=True)))).sigmoid()


class Unit(nn.Module):
    """Normalise, convolve, rectify, convolve, normalise, weigh; beside a shortcut."""

    def __init__(self, channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, out_channels, 3, 1, 1, bias=False),
            nn.PReLU(out_channels),
            nn.Conv2d(out_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            SqueezeExcite(out_channels),
        )
        same = channels == out_channels
        self.shortcut: nn.Module = (
            nn.MaxPool2d(1, stride)
            if same
            else nn.Sequential(nn.Conv2d(channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (B,C,h,w) to (B,C',h/stride,w/stride)."""
        return self.branch(x) + self.shortcut(x)


class Body(nn.Module):
    """From a picture to features at 1/8, 1/16 and 1/32 of its side.

    Args:
        inputs: Channels it reads: 3 for a picture, 6 for two beside each other.
        stem: Width of the first convolution.
        stages: Width and number of units of each of the four stages.
    """

    def __init__(self, inputs: int = 3, stem: int = STEM, stages: tuple[tuple[int, int], ...] = STAGES) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(inputs, stem, 3, 2, 1, bias=False), nn.BatchNorm2d(stem), nn.PReLU(stem))
        self.stages = nn.ModuleList()
        before = stem
        for width, count in stages:
            units = [Unit(before if index == 0 else width, width, 2 if index == 0 else 1) for index in range(count)]
            self.stages.append(nn.Sequential(*units))
            before = width
        self.widths = tuple(width for width, _ in stages[1:])

    def forward(self, picture: Tensor) -> Levels:
        """Features of pictures (B,inputs,S,S) in [-1, 1]; S is a multiple of 32."""
        x, found = self.stem(picture), []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return Levels(*found[1:])
