"""Support: files, memory, threads, the network, registries and the version, for everybody. Uses nothing else."""
