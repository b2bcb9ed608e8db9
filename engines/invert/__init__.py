"""A photo becomes a code."""

from engines.invert.optimize import Image2StyleGAN, Projector

__all__ = ["Image2StyleGAN", "Projector"]
