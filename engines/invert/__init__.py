"""A photo becomes a code."""

from engines.invert.optimize import Image2StyleGAN, Image2StyleGANpp, Projector

__all__ = ["Image2StyleGAN", "Image2StyleGANpp", "Projector"]
