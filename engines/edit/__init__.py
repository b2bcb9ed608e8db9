"""Methods that find edit directions."""

from engines.edit.codes import read_codes, write_codes
from engines.edit.delta import Delta, change_between, learnt_change
from engines.edit.delta_files import read_delta, write_delta
from engines.edit.ganspace import GANSpace
from engines.edit.imported import FORMS, read_directions, write_directions
from engines.edit.interfacegan import InterFaceGAN, conditional_direction
from engines.edit.locality import local_directions
from engines.edit.sefa import SeFa
from engines.edit.stylespace import StyleSpace

__all__ = [
    "FORMS",
    "Delta",
    "GANSpace",
    "InterFaceGAN",
    "SeFa",
    "StyleSpace",
    "change_between",
    "conditional_direction",
    "learnt_change",
    "local_directions",
    "read_codes",
    "read_delta",
    "read_directions",
    "write_codes",
    "write_delta",
    "write_directions",
]
