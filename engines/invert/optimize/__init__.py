"""Inversion by gradient descent on the code itself."""

from engines.invert.optimize.image2stylegan import Image2StyleGAN
from engines.invert.optimize.image2stylegan_pp import Image2StyleGANpp
from engines.invert.optimize.in_domain import InDomainRefine
from engines.invert.optimize.local_embedding import LocalEmbedding, LocalRequest
from engines.invert.optimize.projector import Projector
from engines.invert.optimize.semantic_diffusion import DiffusionRequest, SemanticDiffusion
from engines.invert.optimize.stylemap_inversion import StylemapInversion

__all__ = [
    "DiffusionRequest",
    "Image2StyleGAN",
    "Image2StyleGANpp",
    "InDomainRefine",
    "LocalEmbedding",
    "LocalRequest",
    "Projector",
    "SemanticDiffusion",
    "StylemapInversion",
]
