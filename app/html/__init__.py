"""HTML: small drawings as text. Uses look."""
