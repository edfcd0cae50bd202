"""Markup: small drawings as text. Uses look."""
