"""Calibration: what a method may know of data. Uses models, families, weights and support."""
