"""Inversion by a network that was trained once: one pass, or a few."""

from engines.invert.encode.e4e import E4e
from engines.invert.encode.in_domain import InDomain
from engines.invert.encode.official import Official, OfficialEncoder, load_official
from engines.invert.encode.psp import Psp
from engines.invert.encode.restyle import ReStyle
from engines.invert.encode.stylemap import StylemapEncoder

__all__ = ["E4e", "InDomain", "Official", "OfficialEncoder", "Psp", "ReStyle", "StylemapEncoder", "load_official"]
