"""Differentiable distances between pictures, and penalties on codes."""
