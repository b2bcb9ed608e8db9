"""StyleMapGAN's networks: mapping network, decoder with spatial modulation, encoder and discriminator.

Kim et al., "Exploiting Spatial Dimensions of Latent in GAN for Real-time Image Editing", arXiv:2104.14754, section 3 and appendix; layers
are StyleGAN2's (arXiv:1912.04958). Modules carry the names of the published checkpoints, so a file of theirs fits as it is. Changed:
nothing sample-specific touches a convolution's weight, so it is an ordinary convolution where theirs is grouped by sample.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.nets.equalised import Bias, Blur, Conv, Down, Linear, convolved, layer

_HALF = 1 / math.sqrt(2)
_SMALLEST, _GROUP, _EPS = 4, 4, 1e-8
_WIDTHS = {4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}
"""Channels by side, as published."""


@dataclass(frozen=True)
class Form:
    """The numbers that a checkpoint's training arguments fix.

    Attributes:
        size: Side of the pictures.
        side: Resolution of the stylemap.
        channels: Of z and of the stylemap.
        layers: Of the mapping network.
        rate: Factor of the mapping network's learning rate ("lr_mul").
        small: Whether the resizer stays as narrow as the stylemap ("small_generator").
        widths: Channels of the networks by side.
    """

    size: int = 256
    side: int = 8
    channels: int = 64
    layers: int = 8
    rate: float = 0.01
    small: bool = False
    widths: dict[int, int] = field(default_factory=lambda: dict(_WIDTHS))

    @property
    def sides(self) -> list[int]:
        """Sides of the decoder's blocks behind the first, smallest first."""
        return [self.side * 2**step for step in range(1, int(math.log2(self.size // self.side)) + 1)]


def small_form(size: int, side: int, channels: int, width: int) -> Form:
    """Networks of our own: as narrow as the CPU allows, half as wide at the picture's own size."""
    widths = {2**step: width if 2**step < size else width // 2 for step in range(size.bit_length())}
    return Form(size=size, side=side, channels=channels, small=True, widths=widths)


class StyledConv(nn.Module):
    """Normalised features, scaled and shifted at each position by maps of the stylemap, then convolved."""

    def __init__(self, inputs: int, outputs: int, style: int, kernel: int = 3, *, up: bool = False) -> None:
        super().__init__()
        self.conv, self.activate = Modulated(inputs, outputs, style, kernel, up=up), Bias(outputs)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Features (B,inputs,h,w) under a style (B,style,h,w)."""
        return self.activate(self.conv(x, style))


class Modulated(nn.Module):
    """The convolution of a `StyledConv`."""

    def __init__(self, inputs: int, outputs: int, style: int, kernel: int, *, up: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, outputs, inputs, kernel, kernel))
        self.scale, self.step, self.pad = 1 / math.sqrt(inputs * kernel**2), "up" if up else "same", kernel // 2
        self.gamma, self.beta = Conv(style, inputs, 3, bias=1.0), Conv(style, inputs, 3, bias=0.0)
        if up:
            self.blur = Blur(kernel, up=True)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Features (B,inputs,h,w) under a style (B,style,h,w)."""
        x = F.layer_norm(x, x.shape[1:]) * self.gamma(style) + self.beta(style)
        x = convolved(x, self.weight[0] * self.scale, self.step, self.pad)
        return self.blur(x) if self.step == "up" else x


class StyledBlock(nn.Module):
    """Two styled convolutions, the first of which doubles the size, beside a skip."""

    def __init__(self, inputs: int, outputs: int, styles: tuple[int, int]) -> None:
        super().__init__()
        self.conv1 = StyledConv(inputs, outputs, styles[0], up=True)
        self.conv2 = StyledConv(outputs, outputs, styles[1])
        self.skip = layer(inputs, outputs, 1, "up", active=False)

    def forward(self, x: Tensor, before: Tensor, behind: Tensor) -> Tensor:
        """Features (B,inputs,h,w) under the styles at h and at 2h."""
        return (self.conv2(self.conv1(x, before), behind) + self.skip(x)) * _HALF


class Constant(nn.Module):
    """The learnt constant input."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, side, side))


class Decoder(nn.Module):
    """Resizer and synthesis: from a stylemap to a picture."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        widths, sides = form.widths, form.sides
        first = widths[form.side]
        styles = [form.channels if form.small else widths[side] for side in (form.side, *sides)]
        self.input, self.conv1 = Constant(first, form.side), StyledConv(first, first, styles[0])
        pairs = list(zip((form.side, *sides), sides, strict=False))
        self.convs = nn.ModuleList(
            StyledBlock(widths[low], widths[high], (styles[place], styles[place + 1])) for place, (low, high) in enumerate(pairs)
        )
        resizers: list[nn.Module] = [layer(form.channels, styles[0], 3), layer(styles[0], styles[0], 3)]
        for place in range(len(sides)):
            resizers += [layer(styles[place], styles[place + 1], 3, "up"), layer(styles[place + 1], styles[place + 1], 3)]
        self.convs_latent = nn.ModuleList(resizers)
        self.to_rgb = StyledConv(widths[form.size], 3, styles[-1], 1)

    def resized(self, stylemap: Tensor) -> list[Tensor]:
        """W+ of a stylemap (B,C,s,s): two maps at s, and two at each doubling."""
        found = list[Tensor]()
        for resizer in self.convs_latent:
            stylemap = resizer(stylemap)
            found.append(stylemap)
        return found

    def drawn(self, resized: Sequence[Tensor]) -> Tensor:
        """Pictures (B,3,size,size), about in [-1, 1], of W+ as `resized` gives it."""
        x = self.conv1(self.input.input.expand(len(resized[0]), -1, -1, -1), resized[0])
        for place, block in enumerate(self.convs):
            x = block(x, resized[2 * place + 1], resized[2 * place + 2])
        return self.to_rgb(x, resized[-1])

    def forward(self, stylemap: Tensor) -> Tensor:
        """Pictures of stylemaps (B,C,s,s)."""
        return self.drawn(self.resized(stylemap))


class PixelNorm(nn.Module):
    """Vectors of unit mean square."""

    def forward(self, x: Tensor) -> Tensor:
        """(B,C)."""
        return x * (x.square().mean(dim=1, keepdim=True) + _EPS).rsqrt()


class StyleMapGenerator(nn.Module):
    """Mapping and decoder."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        widths = [form.channels] * form.layers + [form.channels * form.side**2]
        layers = [Linear(low, high, form.rate) for low, high in pairwise(widths)]
        self.mapping_z, self.decoder = nn.Sequential(PixelNorm(), *layers), Decoder(form)

    def map(self, z: Tensor) -> Tensor:
        """Stylemaps (B,C,s,s) of z (B,C)."""
        return self.mapping_z(z).unflatten(1, (self.form.channels, self.form.side, self.form.side))

    def forward(self, stylemap: Tensor) -> Tensor:
        """Pictures of stylemaps (B,C,s,s)."""
        return self.decoder(stylemap)


def _downs(form: Form, last: int) -> list[Down]:
    found, side = list[Down](), form.size
    while side > last:
        found.append(Down(form.widths[side], form.widths[side // 2]))
        side //= 2
    return found


class StyleMapEncoder(nn.Module):
    """From pictures to stylemaps."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.from_rgb = layer(3, form.widths[form.size], 1)
        self.convs = nn.Sequential(*_downs(form, form.side))
        self.final_conv = layer(form.widths[form.side], form.channels, 3)

    def forward(self, picture: Tensor) -> Tensor:
        """Stylemaps (B,C,s,s) of pictures (B,3,size,size) in [-1, 1]."""
        return self.final_conv(self.convs(self.from_rgb(picture)))


class StyleMapDiscriminator(nn.Module):
    """The discriminator: the encoder's trunk down to 4 px, and how alike the pictures of a batch are."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        width = form.widths[_SMALLEST]
        self.convs = nn.Sequential(layer(3, form.widths[form.size], 1), *_downs(form, _SMALLEST))
        self.final_conv = layer(width + 1, width, 3)
        self.final_linear = nn.Sequential(Linear(width * _SMALLEST**2, width), Linear(width, 1, active=False))

    def forward(self, picture: Tensor) -> Tensor:
        """Scores (B,) of pictures (B,3,size,size)."""
        x = self.convs(picture)
        return self.final_linear(self.final_conv(torch.cat([x, _unlike(x)], dim=1)).flatten(1)).squeeze(1)


def _unlike(x: Tensor) -> Tensor:
    """Mean deviation within groups of a batch, a map (B,1,h,w): the minibatch statistics of StyleGAN."""
    group = min(len(x), _GROUP)
    if len(x) % group:
        group = 1
    spread = x.unflatten(0, (group, -1)).var(dim=0, unbiased=False).add(_EPS).sqrt().mean(dim=(1, 2, 3))
    return spread.repeat(group)[:, None, None, None].expand(-1, 1, *x.shape[2:])
