"""Experiments: models pruned in many ways, measured, and kept in result files. Uses every room but pretrain."""
