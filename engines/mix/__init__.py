"""Composites of several pictures and local edits, by painted masks."""

from engines.mix.spatial import SpatialMix
from engines.mix.stylemapgan import StyleMapMix

__all__ = ["SpatialMix", "StyleMapMix"]
