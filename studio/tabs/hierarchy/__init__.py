"""The tab FineGAN hierarchy sampler."""
