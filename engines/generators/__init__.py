"""Networks that draw a picture from a code, behind one protocol; only ever read."""

from engines.generators.base import AnyGenerator, Generator, Prefix
from engines.generators.ffhq import FfhqGenerator

__all__ = ["AnyGenerator", "FfhqGenerator", "Generator", "Prefix"]
