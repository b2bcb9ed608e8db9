"""A photo becomes a code."""

from engines.invert.optimize import Image2StyleGAN, Projector, StylemapInversion
from engines.invert.recommended import Recommended
from engines.invert.tune import PivotalTuning

__all__ = ["Recommended", "Image2StyleGAN", "Projector", "StylemapInversion", "PivotalTuning"]  # noqa: RUF022
