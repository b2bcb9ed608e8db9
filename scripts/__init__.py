"""Committed converters: each turns files that a package ships into one entry of assets/weights.toml. Run from the repository's root."""
