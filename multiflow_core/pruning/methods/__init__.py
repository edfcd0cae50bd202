"""The pruners, one file each: see `multiflow_core.pruning.method`."""
