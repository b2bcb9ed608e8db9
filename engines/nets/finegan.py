"""FineGAN's generator: a background, then a shape on it, then an appearance on that, each from a code of its own.

Singh, Ojha, Lee, "FineGAN: Unsupervised Hierarchical Disentanglement for Fine-Grained Object Generation and Discovery", arXiv:1811.11155,
section 3 and appendix. Modules carry the names of the authors' checkpoints. Changed: a code that is laid over the whole picture is the same
everywhere but at the border, so its part of a convolution is computed on three by three places and spread; the answer is the same.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.core.shapes import Image

_FIRST = 4
"""Side of the first features."""


@dataclass(frozen=True)
class Form:
    """The numbers that a checkpoint's shapes fix.

    Attributes:
        parents: Length of the parent code p.
        children: Length of the child code c, and of the background code b.
        noise: Length of z.
        width: Channels of the features of shape and background ("ngf").
        size: Side of the pictures.
        halvings: How often the first features' width is halved on the way to `width`, at most.
    """

    parents: int = 20
    children: int = 200
    noise: int = 100
    width: int = 64
    size: int = 128
    halvings: int = 4

    @property
    def doublings(self) -> int:
        """Blocks from the first features to the picture's size."""
        return int(math.log2(self.size // _FIRST))

    @property
    def first(self) -> int:
        """Channels of the first features."""
        return self.width * 2 ** min(self.halvings, self.doublings)

    @property
    def inner(self) -> int:
        """What the first layer says: features of 4 x 4 places, twice because of the gate."""
        return 2 * self.first * _FIRST**2


@dataclass(frozen=True, eq=False)
class Stages:
    """One batch of pictures as they come about; images are (N,3,S,S) in [-1, 1], masks (N,1,S,S) in [0, 1].

    Attributes:
        background: What lies behind.
        parent_mask: Where the shape is.
        parent_foreground: The shape's colours, everywhere.
        parent: The shape on the background.
        child_mask: Where the appearance is.
        child_foreground: The appearance, everywhere.
        child: The finished picture.
    """

    background: Tensor
    parent_mask: Tensor
    parent_foreground: Tensor
    parent: Tensor
    child_mask: Tensor
    child_foreground: Tensor
    child: Tensor

    @property
    def masked_parent(self) -> Tensor:
        """The shape alone, on nothing: what the parent's information loss looks at."""
        return self.parent_mask * self.parent_foreground

    @property
    def masked_child(self) -> Tensor:
        """The appearance alone, on nothing."""
        return self.child_mask * self.child_foreground


class Gated(nn.Module):
    """One half of the channels, each gated by its counterpart in the other half; quickest where channels lie last in memory."""

    def forward(self, x: Tensor) -> Tensor:
        """(B,2C,...) to (B,C,...)."""
        return F.glu(x.movedim(1, -1), dim=-1).movedim(-1, 1)


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    """3 x 3, same size, without bias."""
    return nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)


def same(inputs: int, outputs: int) -> nn.Sequential:
    """Convolution, normalisation, gate."""
    return nn.Sequential(conv(inputs, 2 * outputs), nn.BatchNorm2d(2 * outputs), Gated())


def up(inputs: int, outputs: int) -> nn.Sequential:
    """The same behind a doubling."""
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), conv(inputs, 2 * outputs), nn.BatchNorm2d(2 * outputs), Gated())


class Residual(nn.Module):
    """A residual block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            conv(channels, 2 * channels), nn.BatchNorm2d(2 * channels), Gated(), conv(channels, channels), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,h,w)."""
        return x + self.block(x)


class Start(nn.Module):
    """From a code and z to features of the picture's size."""

    def __init__(self, form: Form, code: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(code + form.noise, form.inner, bias=False), nn.BatchNorm1d(form.inner), Gated())
        self.count = form.doublings
        wide = form.first
        for number in range(1, self.count + 1):
            narrow = max(form.width, wide // 2)
            setattr(self, f"upsample{number}", up(wide, narrow))
            wide = narrow

    def forward(self, code: Tensor, z: Tensor) -> Tensor:
        """(B,width,S,S)."""
        x = self.fc(torch.cat([code, z], dim=1)).unflatten(1, (-1, _FIRST, _FIRST))
        for number in range(1, self.count + 1):
            x = getattr(self, f"upsample{number}")(x)
        return x


class Next(nn.Module):
    """Features of one stage joined by the code of the next."""

    def __init__(self, code: int, channels: int) -> None:
        super().__init__()
        self.code = code
        self.jointConv = same(code + channels, channels)
        self.residual = nn.Sequential(Residual(channels), Residual(channels))
        self.samesample = same(channels, channels // 2)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """(B,channels,S,S) to (B,channels/2,S,S)."""
        first, *others = self.jointConv
        weight: Tensor = first.weight  # type: ignore[assignment]
        joined = F.conv2d(x, weight[:, self.code :], padding=1) + tiled_convolution(code, weight[:, : self.code], x.shape[-1])
        for module in others:
            joined = module(joined)
        return self.samesample(self.residual(joined))


def tiled_convolution(code: Tensor, weight: Tensor, side: int) -> Tensor:
    """What a 3 x 3 convolution makes of a code (B,N) that lies over a whole picture, (B,O,side,side)."""
    small = F.conv2d(code[:, :, None, None].expand(-1, -1, 3, 3), weight, padding=1)
    places = torch.ones(side, dtype=torch.long, device=code.device)
    places[0], places[-1] = 0, 2
    return small[:, :, places][:, :, :, places]


class Head(nn.Module):
    """A picture or a mask off features."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.img = nn.Sequential(conv(channels, outputs), nn.Tanh() if outputs == 3 else nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """(B,outputs,S,S)."""
        return self.img(x)


class FineGenerator(nn.Module):
    """All three stages."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form, width = form, form.width
        self.h_net1_bg, self.img_net1_bg = Start(form, form.children), Head(width, 3)
        self.h_net1 = Start(form, form.parents)
        self.h_net2 = Next(form.parents, width)
        self.img_net2, self.img_net2_mask = Head(width // 2, 3), Head(width // 2, 1)
        self.h_net3 = Next(form.children, width // 2)
        self.img_net3, self.img_net3_mask = Head(width // 4, 3), Head(width // 4, 1)

    def forward(self, z: Tensor, background: Tensor, parent: Tensor, child: Tensor) -> Stages:
        """Pictures of z (N,noise) and the codes b (N,children), p (N,parents), c (N,children), one-hot or anything between."""
        behind = self.img_net1_bg(self.h_net1_bg(background, z))
        shape = self.h_net2(self.h_net1(parent, z), parent)
        parent_foreground, parent_mask = self.img_net2(shape), self.img_net2_mask(shape)
        stitched = torch.lerp(behind, parent_foreground, parent_mask)
        appearance = self.h_net3(shape, child)
        child_foreground, child_mask = self.img_net3(appearance), self.img_net3_mask(appearance)
        finished = torch.lerp(stitched, child_foreground, child_mask)
        return Stages(behind, parent_mask, parent_foreground, stitched, child_mask, child_foreground, finished)


class FlatGenerator(nn.Module):
    """One stage and one code for all that a picture shows: what FineGAN is without its idea, of the same parts."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form, width = form, form.width
        self.h_net1, self.h_net2 = Start(form, form.parents), Next(form.parents, width)
        self.img_net2 = Head(width // 2, 3)

    def forward(self, z: Tensor, code: Tensor) -> Image:
        """Pictures (N,3,S,S) in [-1, 1] of z (N,noise) and the code (N,parents), one-hot or anything between."""
        return self.img_net2(self.h_net2(self.h_net1(code, z), code))
