"""Tests of distances between pictures."""
