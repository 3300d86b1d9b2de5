"""Searches whose networks train together, and nested validation."""
