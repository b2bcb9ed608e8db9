"""The tab Invert."""
