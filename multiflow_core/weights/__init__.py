"""Weights: the prunable matrices of a model, what is fed to them, masks over them, and the file that packs both. Uses support."""
