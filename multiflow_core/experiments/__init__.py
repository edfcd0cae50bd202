"""Experiments: models pruned in many ways, measured, and kept in result files. Uses tasks, pruning, calibration, models,
weights, data and support.
"""
