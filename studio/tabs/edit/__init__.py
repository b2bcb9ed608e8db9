"""The tab Edit directions."""
