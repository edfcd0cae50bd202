"""Support: files, memory, threads, registries and the version, for everybody. Uses nothing else."""
