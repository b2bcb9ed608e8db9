"""Networks that draw a picture from a code, behind one protocol; only ever read."""

from engines.generators.base import Generator, Prefix
from engines.generators.ffhq import Student

__all__ = ["Generator", "Prefix", "Student"]
