"""Readers: one file a layout of data on disk."""
