"""Evaluation metrics: one protocol for every method."""

from engines.metrics.reconstruction import Reconstruction

__all__ = ["Reconstruction"]
