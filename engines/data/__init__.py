"""Faces that the project draws for itself, with what was measured on them."""

from engines.data.faces import attributes, face_bank, measure, thumbnail

__all__ = ["attributes", "face_bank", "measure", "thumbnail"]
