"""Tests of the parts that know about faces."""
