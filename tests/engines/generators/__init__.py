"""Tests of the student and the toy."""
