"""Tests of maps of a space."""
