"""Directions that change one thing about a face: ways of finding them."""

from engines.edit.ganspace import GANSpace
from engines.edit.imported import FORMS, read_directions, write_directions
from engines.edit.interfacegan import InterFaceGAN, conditional
from engines.edit.locality import local_directions
from engines.edit.sefa import SeFa
from engines.edit.stylespace import StyleSpace

__all__ = [
    "FORMS",
    "GANSpace",
    "InterFaceGAN",
    "SeFa",
    "StyleSpace",
    "conditional",
    "local_directions",
    "read_directions",
    "write_directions",
]
