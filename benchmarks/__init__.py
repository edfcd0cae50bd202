"""Figures at the sizes of real checkpoints: `python -m benchmarks`."""
