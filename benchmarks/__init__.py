"""What the lab costs, beside what one would do instead: `python -m benchmarks`."""
