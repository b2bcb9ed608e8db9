"""Tests of the faces that the project draws for itself."""
