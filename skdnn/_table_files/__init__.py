"""Tables in files: read as people write them, described, read again the same way."""
