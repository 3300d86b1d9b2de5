"""The explanation methods, one per file."""
