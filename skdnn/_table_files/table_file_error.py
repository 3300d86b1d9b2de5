"""The error of a table that cannot be read or used."""


class TableFileError(ValueError):
    """A table file, or a choice of its columns, is unusable; one line with a remedy."""
