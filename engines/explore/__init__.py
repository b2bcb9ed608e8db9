"""Latent space exploration: projections of codes to plot and click, interpolation and edit paths."""

from engines.explore.changes import Changes
from engines.explore.projections import Projection
from engines.explore.trajectories import Trajectories

__all__ = ["Changes", "Projection", "Trajectories"]
