"""Inversion by bending the generator: the code stays where it edits well, and the weights make up for what it cannot say."""

from engines.invert.tune.pti import PivotalTuning

__all__ = ["PivotalTuning"]
