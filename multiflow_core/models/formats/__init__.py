"""The formats of pruned checkpoints, one file each."""
