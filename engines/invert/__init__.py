"""A photo becomes a code."""

from engines.invert.optimize import Image2StyleGAN, Image2StyleGANpp, Projector, StylemapInversion
from engines.invert.recommended import Recommended
from engines.invert.tune import PivotalTuning

__all__ = ["Recommended", "Image2StyleGAN", "Image2StyleGANpp", "Projector", "StylemapInversion", "PivotalTuning"]  # noqa: RUF022
