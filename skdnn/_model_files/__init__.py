"""Model files: estimators kept as data, read without running code of the file."""
