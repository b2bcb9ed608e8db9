"""The same functions for programs: stable, named endpoints."""

from studio.api.core import build

__all__ = ["build"]
