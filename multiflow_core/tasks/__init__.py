"""Tasks: what a model is asked, and how well it does. Uses models, data and support."""
