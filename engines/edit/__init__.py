"""Directions that change one thing about a face: ways of finding them."""

from engines.edit.ganspace import GANSpace
from engines.edit.imported import FORMS, read_directions, write_directions
from engines.edit.interfacegan import InterFaceGAN
from engines.edit.sefa import SeFa
from engines.edit.stylespace import StyleSpace

__all__ = ["FORMS", "GANSpace", "InterFaceGAN", "SeFa", "StyleSpace", "read_directions", "write_directions"]
