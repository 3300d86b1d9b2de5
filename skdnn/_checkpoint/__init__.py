"""Files that keep an unfinished fit, so that it continues where it was."""
