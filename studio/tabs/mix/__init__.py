"""The tab Local mixing."""
