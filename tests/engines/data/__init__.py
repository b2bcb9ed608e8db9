"""Tests of what the project draws and spoils by itself."""
