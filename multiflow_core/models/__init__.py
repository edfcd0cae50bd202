"""Models: loading one, its layout, what it can be asked, and writing it. Uses families, weights and support."""
