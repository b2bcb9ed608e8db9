"""Networks that have seen real pictures, read as one frozen pyramid: what an encoder is told of a photo.

VGG16 (Simonyan and Zisserman, arXiv:1409.1556) and AlexNet as LPIPS uses it (arXiv:1801.03924), both trained on ImageNet's photos, the
network that tells people apart, and the picture itself. All of them ship for their losses already. Heads on them, found in closed form on
2 400 generated faces, say codes of unseen faces better than those on a body trained from scratch on 14 000, and real people's far better.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.core.images import area
from engines.core.shapes import Image
from engines.faces.identity import identity_embedder
from engines.losses.perceptual import LAYERS, Perceptual, VggFeatures
from engines.nets.pyramid import Tap

SIDE = 256
"""Side of the pictures that the trunks see."""

_COARSE, _MIDDLE, _FINE = 0, 1, 2
_GRID = 4
_VGG = {"conv1_2": (64, _FINE, 24), "conv2_2": (128, _FINE, 40), "conv3_3": (256, _MIDDLE, 64), "conv4_2": (512, _COARSE, 96)}
_ALEX = tuple(zip(LAYERS, (_FINE, _MIDDLE, _MIDDLE, _COARSE, _COARSE), (24, 48, 64, 48, 48), strict=True))
_IDENTITY = {2: (32, _FINE, 16), 6: (64, _MIDDLE, 24), 9: (128, _COARSE, 48)}
"""Of each layer that is read: its channels, the coarsest level that it belongs to, and the channels that are kept."""

_PIXELS, _CONTRAST = 16, 8
TAPS = (
    *(Tap(channels, _GRID, level, kept) for channels, level, kept in (*_VGG.values(), *_ALEX, *_IDENTITY.values())),
    Tap(3, _PIXELS, _FINE, 3),
    Tap(3, _CONTRAST, _FINE, 3),
    Tap(256, 1, _COARSE, 256),
    Tap(128, 1, _COARSE, 128),
)
LENGTH = sum(tap.channels * tap.fields**2 for tap in TAPS)


class Trunks(nn.Module):
    """What is read of a picture, flat: each tap averaged over its grid.

    Args:
        device: Where the pictures are.
    """

    taps, length = TAPS, LENGTH

    def __init__(self, device: torch.device | str = "cpu") -> None:
        super().__init__()
        self._vgg, self._alex = VggFeatures(device), Perceptual(device)
        self._identity = (identity_embedder(str(device)),)

    def forward(self, picture: Image) -> Tensor:
        """Features (B,LENGTH) of aligned pictures (B,3,S,S) in [-1, 1], with gradients to every pixel."""
        picture = area(picture, SIDE).clamp(-1, 1).contiguous(memory_format=torch.channels_last)
        maps = [*self._vgg.features(area(picture, SIDE // 2), frozenset(_VGG)), *self._alex.raw(picture), *self._of_identity(picture)]
        maps[-2:-2] = [picture, area(picture, SIDE // 2).square()]
        return torch.cat([F.adaptive_avg_pool2d(each, tap.fields).flatten(1) for each, tap in zip(maps, TAPS, strict=True)], dim=1)

    def _of_identity(self, picture: Image) -> Iterator[Tensor]:
        stages = self._identity[0].stages(picture)
        yield from (stages[block] for block in _IDENTITY)
        last = stages[-1].mean(dim=(2, 3), keepdim=True)
        yield last
        yield self._identity[0].head(last.flatten(1))[:, :, None, None]
