"""Warnings and errors of skdnn; bad input raises ``ValueError`` and ``TypeError``."""

from sklearn.exceptions import InconsistentVersionWarning

__all__ = [
    "BaselineWarning",
    "CheckpointWarning",
    "ColumnWarning",
    "ForkError",
    "VersionWarning",
]


class BaselineWarning(UserWarning):
    """The network ended no better than predicting the class shares of the data.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skdnn import DNNClassifier
    >>> X = np.arange(20.0).reshape(-1, 1)
    >>> network = DNNClassifier((2,), max_iter=1, n_iter_no_change=9, random_state=0)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     _ = network.fit(1e4 * X, np.arange(20) % 2)
    >>> "BaselineWarning" in [warning.category.__name__ for warning in caught]
    True
    """


class CheckpointWarning(UserWarning):
    """A checkpoint could not be written; training continues without new states.

    Examples
    --------
    >>> import warnings
    >>> from skdnn.exceptions import CheckpointWarning
    >>> with warnings.catch_warnings():  # to have training stop in this case
    ...     warnings.simplefilter("error", CheckpointWarning)
    ...     # fit here
    """


class ColumnWarning(UserWarning):
    """A column of a frame is not what it looks like: an identifier, dates as words.

    Examples
    --------
    >>> import warnings
    >>> import pandas as pd
    >>> from skdnn import DNNClassifier
    >>> X = pd.DataFrame({"size": [1.0, 2.5, 4.0] * 10, "patient": range(30)})
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     _ = DNNClassifier((2,), max_iter=2).fit(X, ["a", "b"] * 15)
    >>> print(caught[0].message)
    Column 'patient' counts the rows, from 0 to 29. Drop it.
    """


class ForkError(RuntimeError):
    """Training was started in a process forked after its parent had used Keras.

    Examples
    --------
    >>> from skdnn.exceptions import ForkError
    >>> try:  # in a process that was forked after its parent had used Keras
    ...     raise ForkError("Training must not start in a forked process.")
    ... except RuntimeError as error:
    ...     print(error)
    Training must not start in a forked process.
    """


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

    Examples
    --------
    >>> from skdnn.exceptions import VersionWarning
    >>> print(VersionWarning("DNNClassifier", "0.2.0", "0.1.0"))
    This DNNClassifier was written by skdnn 0.1.0, and is read by 0.2.0. Its ...
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
