"""Seeing a space: projections of codes that one can plot and click, and ways through it."""

from engines.explore.changes import Changes
from engines.explore.projections import Projection
from engines.explore.trajectories import Trajectories

__all__ = ["Changes", "Projection", "Trajectories"]
