"""Tests of errors, knobs, pictures, seeds, memory and weights."""
