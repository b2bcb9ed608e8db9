"""One picture made of several, or changed in one place: what a painted mask decides."""

from engines.mix.spatial import SpatialMix

__all__ = ["SpatialMix"]
