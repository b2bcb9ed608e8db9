"""Tests of the generator and the toy."""
