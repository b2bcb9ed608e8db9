"""FineGAN's discriminators: of background patches, of codes and whole pictures, and on features of a pre-trained network.

Singh, Ojha, Lee, arXiv:1811.11155, section 3 and appendix. The published ones look at 128 px; at 64 px the patch discriminator sees 16 px
with a stride of 2 instead of 34 px with a stride of 4, and the others halve once less. Scores and logits are given before any sigmoid or
softmax.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from engines.core.shapes import Image

_SLOPE = 0.2
PATCH, STRIDE = 16, 2
"""Receptive field of one score of the patch discriminator, and its stride, in pixels."""


class PatchDiscriminator(nn.Module):
    """Of every patch: is it background, and is it real? Width as the paper's "ndf"."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(3, width, 4, 2, bias=False),
            nn.LeakyReLU(_SLOPE),
            nn.Conv2d(width, 2 * width, 4, 1, bias=False),
            nn.LeakyReLU(_SLOPE),
            nn.Conv2d(2 * width, 4 * width, 4, 1, bias=False),
            nn.LeakyReLU(_SLOPE),
        )
        self.kind, self.real = nn.Conv2d(4 * width, 1, 1), nn.Conv2d(4 * width, 1, 1)

    def forward(self, picture: Image) -> tuple[Tensor, Tensor]:
        """How much each patch looks like background, and how real, both (B,n,n)."""
        features = self.trunk(picture)
        return self.kind(features).squeeze(1), self.real(features).squeeze(1)


def free_patches(boxes: Tensor, size: int) -> Tensor:
    """Which patches (B,n,n) of a picture of side `size` touch no pixel of a box (B,4): left, top, right, bottom."""
    starts = torch.arange((size - PATCH) // STRIDE + 1, device=boxes.device) * STRIDE
    left, top, right, bottom = boxes.unbind(dim=1)

    def met(low: Tensor, high: Tensor) -> Tensor:
        return (starts[None] < high[:, None]) & (starts[None] + PATCH > low[:, None])

    return ~(met(top, bottom)[:, :, None] & met(left, right)[:, None, :])


class Trunk(nn.Sequential):
    """A picture of a power of two down to 4 px: (B,8 * width,4,4)."""

    def __init__(self, width: int, size: int) -> None:
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(_SLOPE)]
        channels = width
        for side in [size // 2**k for k in range(1, size.bit_length() - 3)]:
            wider = min(8 * width, 2 * channels) if side > 8 else 8 * width
            layers += [nn.Conv2d(channels, wider, 4, 2, 1, bias=False), nn.BatchNorm2d(wider), nn.LeakyReLU(_SLOPE)]
            channels = wider
        super().__init__(*layers)


class CodeHead(nn.Sequential):
    """Features (B,C,4,4) to logits of a code (B,count)."""

    def __init__(self, channels: int, count: int) -> None:
        super().__init__(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(_SLOPE),
            nn.Conv2d(channels, count, 4),
            nn.Flatten(),
        )


class CodeDiscriminator(nn.Module):
    """Predicts the code that a picture was generated from, and, where asked, whether it is real."""

    def __init__(self, width: int, size: int, count: int) -> None:
        super().__init__()
        self.trunk, self.code = Trunk(width, size), CodeHead(8 * width, count)
        self.real = nn.Sequential(nn.Conv2d(8 * width, 1, 4), nn.Flatten(0))

    def logits(self, picture: Image) -> Tensor:
        """Of the code, (B,count)."""
        return self.code(self.trunk(picture))

    def score(self, picture: Image) -> Tensor:
        """How real, (B,)."""
        return self.real(self.trunk(picture))


class FeatureDiscriminator(nn.Module):
    """A discriminator on features of a frozen network, at every position of each of its layers and over the whole of the last ones.

    Sauer et al., "Projected GANs Converge Faster", arXiv:2111.01007: a discriminator on pre-trained features needs far fewer
    pictures. Changed: AlexNet's five layers as LPIPS takes them, and no random projections between them.

    Args:
        layers: Channels of each layer; those from the third on have 7 x 7 places or fewer.
        width: Channels of the features that scores are read off.
    """

    def __init__(self, layers: tuple[int, ...], width: int = 32) -> None:
        super().__init__()
        self.places = nn.ModuleList(_scores(channels, width, 3, 1) for channels in layers)
        self.whole = nn.ModuleList(_scores(channels, 2 * width, 4, 4) for channels in layers[2:])

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """How real, (B,1,n,n) for each layer (B,C,n,n), then (B,1,1,1) for the whole of each from the third on."""
        heads = [*zip(self.places, features, strict=True), *zip(self.whole, features[2:], strict=True)]
        return [head(layer) for head, layer in heads]


def _scores(channels: int, width: int, first: int, second: int) -> nn.Sequential:
    """Three convolutions of bounded slope, the second and third over so many places; an even one has no border."""
    return nn.Sequential(
        spectral_norm(nn.Conv2d(channels, width, 1)),
        nn.LeakyReLU(_SLOPE),
        spectral_norm(nn.Conv2d(width, width, first, padding=first % 2)),
        nn.LeakyReLU(_SLOPE),
        spectral_norm(nn.Conv2d(width, 1, second)),
    )
