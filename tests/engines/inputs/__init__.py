"""Inputs: what requests are made of."""
