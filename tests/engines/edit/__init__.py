"""Tests of ways of finding directions."""
