"""Look: the colours, and how numbers are said. Uses no other room."""
