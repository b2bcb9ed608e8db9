"""Speed and quality, measured side by side with what one would use instead: `python -m benchmarks`, then `python -m benchmarks.table`."""

from pathlib import Path

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
"""Where the pictures of README and guide lie."""
