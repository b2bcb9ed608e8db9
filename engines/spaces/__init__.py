"""Codes and the spaces they live in: latent codes, slots, statistics, directions."""
