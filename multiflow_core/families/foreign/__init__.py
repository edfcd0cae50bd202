"""Checkpoints of authors who name their weights otherwise than transformers does, one file a format."""
