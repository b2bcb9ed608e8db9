"""Codes and their spaces: latent codes, W+ layers, statistics, directions."""
