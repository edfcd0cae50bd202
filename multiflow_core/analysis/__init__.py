"""Analysis: what an order does to a model, in numbers. Uses pruning, calibration, families, weights and support."""
