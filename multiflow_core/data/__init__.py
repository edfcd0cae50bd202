"""Data: sets of pictures with texts, of which Flatland is one. Uses support."""
