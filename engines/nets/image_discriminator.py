"""A discriminator of an encoder's reconstructions against generated pictures, for the domain-guided encoder.

Paper: Zhu et al., "In-Domain GAN Inversion for Real Image Editing", arXiv:2004.00049, section 3.1, with StyleGAN's
discriminator. This one is small: halving convolutions down to 4 px, 1.0 M weights at 128 px.
"""

from torch import Tensor, nn

from engines.core.images import area
from engines.core.shapes import Image

SMALLEST = 4
_FIRST, _WIDEST, _SLOPE = 32, 256, 0.2


class ImageDiscriminator(nn.Module):
    """Scores of pictures; above 0 for real ones.

    Args:
        size: Side at which it looks, a power of two of 8 or more.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        layers: list[nn.Module] = []
        channels, wider = 3, _FIRST
        while size > SMALLEST:
            layers += [nn.Conv2d(channels, wider, 3, 2, 1), nn.LeakyReLU(_SLOPE)]
            channels, wider, size = wider, min(_WIDEST, 2 * wider), size // 2
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * SMALLEST**2, 1))

    def forward(self, picture: Image) -> Tensor:
        """Scores (B,) of pictures (B,3,R,R) in [-1, 1]."""
        return self.layers(area(picture, self.size)).squeeze(1)
