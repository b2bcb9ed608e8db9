"""Tests of mixing in space."""
