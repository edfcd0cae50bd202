"""Calibration: what a method may know about data. Uses models, families, weights and support."""
