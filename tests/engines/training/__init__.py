"""Tests of the trainer and its recipes, on the toy generator."""
