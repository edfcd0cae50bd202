"""Pruning: criteria, allocations, methods, and the order in which weights go. Uses calibration, models, weights and support."""
