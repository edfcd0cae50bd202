"""Tasks: what a model is asked, and how well it does. Uses data and support."""
