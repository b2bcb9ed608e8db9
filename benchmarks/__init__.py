"""Speed and quality, measured side by side with what one would use instead: `python -m benchmarks`, then `python -m benchmarks.table`."""
