"""Look: the colours, and how numbers are said. Uses nothing else."""
