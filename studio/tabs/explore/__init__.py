"""The tab Latent explorer."""
