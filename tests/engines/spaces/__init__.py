"""Tests of codes, slots, statistics and directions."""
