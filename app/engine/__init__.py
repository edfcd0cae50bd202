"""Engine: models, orders and pruned models, made once for all sessions; no prose. Uses state and the core."""
