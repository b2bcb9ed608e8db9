"""The five tabs; no tab imports another."""
