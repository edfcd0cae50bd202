"""Data: sets of pictures with texts, of which Flatland is one. Uses support."""

from .dataset import open

__all__ = ["open"]
