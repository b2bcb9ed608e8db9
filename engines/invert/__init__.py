"""A photo becomes a code."""

from engines.invert.encode import E4e, InDomain, Psp, ReStyle, StylemapEncoder
from engines.invert.optimize import (
    Image2StyleGAN,
    Image2StyleGANpp,
    InDomainRefine,
    LocalEmbedding,
    Projector,
    SemanticDiffusion,
    StylemapInversion,
)
from engines.invert.recommended import Recommended
from engines.invert.tune import PivotalTuning

__all__ = [  # noqa: RUF022 - in the order of the page
    "Recommended",
    "E4e",
    "Psp",
    "ReStyle",
    "StylemapEncoder",
    "InDomain",
    "Image2StyleGAN",
    "Image2StyleGANpp",
    "Projector",
    "InDomainRefine",
    "StylemapInversion",
    "PivotalTuning",
    "SemanticDiffusion",
    "LocalEmbedding",
]
