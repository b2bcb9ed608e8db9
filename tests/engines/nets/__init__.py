"""Tests of the networks that methods share."""
