"""The encoders of pSp, e4e and ReStyle as their authors published them: IR-SE50 bodies with a tower of convolutions for every style.

Papers: arXiv:2008.00951, arXiv:2102.02766, arXiv:2104.02699; the body is that of arXiv:1801.07698. Names are those of the published
files, and every width is read from a file's weights, so that a narrow one serves as a test.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.core.shapes import Codes

Kind: TypeAlias = Literal["psp", "e4e", "restyle_psp", "restyle_e4e"]

COARSE, MIDDLE = 3, 7
"""Styles before these read c3 and p2; the rest read p1."""

_SLOPE = 0.01


class _Attention(nn.Module):
    def __init__(self, channels: int, narrow: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, narrow, 1, bias=False)
        self.fc2 = nn.Conv2d(narrow, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc2(F.relu(self.fc1(x.mean(dim=(2, 3), keepdim=True)))).sigmoid()


class _Unit(nn.Module):
    def __init__(self, channels: int, depth: int, stride: int, narrow: int) -> None:
        super().__init__()
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, depth, 3, 1, 1, bias=False),
            nn.PReLU(depth),
            nn.Conv2d(depth, depth, 3, stride, 1, bias=False),
            nn.BatchNorm2d(depth),
            _Attention(depth, narrow),
        )
        self.shortcut_layer: nn.Module = (
            nn.MaxPool2d(1, stride)
            if channels == depth
            else nn.Sequential(nn.Conv2d(channels, depth, 1, stride, bias=False), nn.BatchNorm2d(depth))
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.res_layer(x) + self.shortcut_layer(x)


class _EqualLinear(nn.Module):
    """A linear layer whose stored weight is scaled when it is used."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(width, width)), nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.weight.shape[1] ** -0.5, self.bias)


class _Style(nn.Module):
    def __init__(self, channels: int, width: int, halvings: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(halvings):
            layers += [nn.Conv2d(channels if index == 0 else width, width, 3, 2, 1), nn.LeakyReLU(_SLOPE)]
        self.convs, self.linear = nn.Sequential(*layers), _EqualLinear(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.convs(x).flatten(1))


class PublishedEncoder(nn.Module):
    """One published encoder.

    Args:
        kind: Whose form it has.
        weights: Its tensors by name, without the prefix `encoder.`; only their shapes are read here.
    """

    def __init__(self, kind: Kind, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.kind = kind
        stem, inputs = weights["input_layer.0.weight"].shape[:2]
        self.input_layer = nn.Sequential(nn.Conv2d(inputs, stem, 3, 1, 1, bias=False), nn.BatchNorm2d(stem), nn.PReLU(stem))
        depths = [weights[f"body.{index}.res_layer.1.weight"].shape[0] for index in range(_count(weights, "body"))]
        self.body, before = nn.Sequential(), stem
        for index, depth in enumerate(depths):
            stride = 2 if index == 0 or depth != before else 1
            self.body.append(_Unit(before, depth, stride, weights[f"body.{index}.res_layer.5.fc1.weight"].shape[0]))
            before = depth
        self.taps = [index for index in range(len(depths)) if index + 1 == len(depths) or depths[index + 1] != depths[index]][-3:]
        width = weights["styles.0.linear.weight"].shape[0]
        halvings = [
            len({key for key in weights if key.startswith(f"styles.{i}.convs.") and key.endswith("weight")})
            for i in range(_count(weights, "styles"))
        ]
        self.styles = nn.ModuleList(_Style(weights["styles.0.convs.0.weight"].shape[1], width, count) for count in halvings)
        self.pyramidal = kind in ("psp", "e4e")
        if self.pyramidal:
            c1, c2, c3 = (depths[tap] for tap in self.taps)
            self.latlayer1, self.latlayer2 = nn.Conv2d(c2, c3, 1), nn.Conv2d(c1, c3, 1)

    def forward(self, picture: Tensor) -> Codes:
        """Offsets (B,18,width) from the average code, of pictures (B,3,256,256), or (B,6,256,256) with the last attempt behind."""
        x, found = self.input_layer(picture), []
        for index, unit in enumerate(self.body):
            x = unit(x)
            if index in self.taps:
                found.append(x)
        vectors = torch.stack([style(level) for style, level in zip(self.styles, self._read(found), strict=True)], dim=1)
        if self.kind in ("psp", "restyle_psp"):
            return vectors
        return torch.cat([vectors[:, :1], vectors[:, :1] + vectors[:, 1:]], dim=1)

    def _read(self, found: list[Tensor]) -> list[Tensor]:
        """The map that each style reads."""
        c1, c2, c3 = found
        if not self.pyramidal:
            return [c3] * len(self.styles)
        p2 = _enlarged(c3, c2) + self.latlayer1(c2)
        p1 = _enlarged(p2, c1) + self.latlayer2(c1)
        return [c3 if index < COARSE else p2 if index < MIDDLE else p1 for index in range(len(self.styles))]


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=True)


def _count(weights: Mapping[str, Tensor], part: str) -> int:
    return 1 + max((int(key.split(".")[1]) for key in weights if key.startswith(f"{part}.")), default=-1)
