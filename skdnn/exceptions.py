"""Warnings and errors of skdnn; bad input raises ``ValueError`` and ``TypeError``."""

__all__ = ["BaselineWarning", "ColumnWarning", "ForkError"]


class BaselineWarning(UserWarning):
    """The network ended no better than predicting the class shares of the data."""


class ColumnWarning(UserWarning):
    """A column of a frame is not what it looks like: an identifier, dates as words."""


class ForkError(RuntimeError):
    """Training was started in a process forked after its parent had used Keras."""
