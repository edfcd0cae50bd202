"""Paperland: Flatland's words about a world that its models have not seen, to be learnt after pruning.

More things in a picture, several of one kind among them; cut from paper, mirrored, without white outlines; told from left to right
in openings and synonyms that Flatland's captions leave out; and asked about by questions of two steps. Every scene has a twin in
which two kinds have exchanged their colours.
"""

from .dataset import Paperland

__all__ = ["Paperland"]
