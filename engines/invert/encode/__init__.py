"""Inversion by a network that was trained once: one pass, or a few."""

from engines.invert.encode.e4e import E4e
from engines.invert.encode.in_domain import InDomain
from engines.invert.encode.psp import Psp
from engines.invert.encode.restyle import ReStyle

__all__ = ["E4e", "InDomain", "Psp", "ReStyle"]
