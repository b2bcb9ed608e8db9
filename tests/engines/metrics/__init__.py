"""Tests of the reconstruction protocol."""
