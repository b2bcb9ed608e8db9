"""One picture made of several, or changed in one place: what a painted mask decides."""

from engines.mix.spatial import SpatialMix
from engines.mix.stylemapgan import StyleMapMix

__all__ = ["SpatialMix", "StyleMapMix"]
