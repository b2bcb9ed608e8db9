"""A feature pyramid: fine maps that know what the coarse ones saw.

Paper: Lin et al., "Feature Pyramid Networks for Object Detection", arXiv:1612.03144, as pSp uses it (arXiv:2008.00951, section 3.1): one
1x1 convolution a level, the coarser map enlarged and added.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from engines.nets.irse import Levels


class Pyramid(nn.Module):
    """Features at three scales, all of one width.

    Args:
        widths: Channels of the levels, fine to coarse.
        width: Channels that come out.
    """

    def __init__(self, widths: tuple[int, int, int], width: int) -> None:
        super().__init__()
        self.lateral1, self.lateral2, self.lateral3 = (nn.Conv2d(channels, width, 1) for channels in widths)
        self.width = width

    def forward(self, levels: Levels) -> Levels:
        """The same scales, each with what lies above it added; sides stay."""
        p3 = self.lateral3(levels.c3)
        p2 = _enlarged(p3, levels.c2) + self.lateral2(levels.c2)
        p1 = _enlarged(p2, levels.c1) + self.lateral1(levels.c1)
        return Levels(p1, p2, p3)


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)
