"""Directions that change one thing about a face: ways of finding them."""

from engines.edit.sefa import SeFa

__all__ = ["SeFa"]
