"""Inversion by gradient descent on the code itself."""

from engines.invert.optimize.image2stylegan import Image2StyleGAN
from engines.invert.optimize.projector import Projector

__all__ = ["Image2StyleGAN", "Projector"]
