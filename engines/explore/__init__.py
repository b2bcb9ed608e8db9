"""Seeing a space: projections of codes that one can plot and click."""

from engines.explore.projections import Projection

__all__ = ["Projection"]
