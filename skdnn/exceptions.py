"""Warnings and errors of skdnn; bad input raises ``ValueError`` and ``TypeError``."""

from sklearn.exceptions import InconsistentVersionWarning

__all__ = ["BaselineWarning", "ColumnWarning", "ForkError", "VersionWarning"]


class BaselineWarning(UserWarning):
    """The network ended no better than predicting the class shares of the data."""


class ColumnWarning(UserWarning):
    """A column of a frame is not what it looks like: an identifier, dates as words."""


class ForkError(RuntimeError):
    """Training was started in a process forked after its parent had used Keras."""


class VersionWarning(InconsistentVersionWarning):  # type: ignore[misc]  # scikit-learn has no types
    """An estimator was written by another version of skdnn.

    A kind of scikit-learn's `InconsistentVersionWarning`, which is issued where the
    version of scikit-learn differs; a filter for that class covers both.

    Parameters
    ----------
    estimator_name : str
        The class of the estimator.
    current_version : str
        The version of skdnn that reads it.
    original_version : str
        The version of skdnn that wrote it.
    """

    def __init__(
        self, estimator_name: str, current_version: str, original_version: str
    ) -> None:
        self.estimator_name = estimator_name
        self.current_version = current_version
        self.original_version = original_version

    def __str__(self) -> str:
        return (
            f"This {self.estimator_name} was written by skdnn {self.original_version}, "
            f"and is read by {self.current_version}. Its predictions may differ: "
            "compare some with earlier ones, or fit it again."
        )
