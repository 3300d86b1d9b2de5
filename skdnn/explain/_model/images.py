"""Images and sequences as tables: a column for each of their cells."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class OfShape(ClassifierMixin, BaseEstimator):
    """A fitted classifier of images, asked with the rows of a table.

    Parameters
    ----------
    estimator : object
        The classifier.
    row_shape : tuple of int
        Of an image.
    """

    def __init__(self, estimator: Any, row_shape: tuple[int, ...]):
        self.estimator = estimator
        self.row_shape = row_shape

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def classes_(self) -> Any:
        """The classes of the classifier."""
        return self.estimator.classes_

    def predict_proba(self, X: np.ndarray) -> Any:
        """Return the probability of each class."""
        return self.estimator.predict_proba(self._shaped(X))

    def predict(self, X: np.ndarray) -> Any:
        """Return the class of each row."""
        return self.estimator.predict(self._shaped(X))

    def score(self, X: np.ndarray, y: Any, sample_weight: Any = None) -> float:
        """Return what the classifier calls its score."""
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self.estimator.score(self._shaped(X), y, **weight)

    def _shaped(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(X).reshape(-1, *self.row_shape)


def as_table(estimator: Any, X: Any, background: Any) -> tuple[Any, Any, Any]:
    """Return a classifier of tables, rows and background rows; tables as they are.

    Raises
    ------
    ValueError
        If rows of the background have another shape than those of X.
    """
    shape = np.shape(X) if isinstance(X, np.ndarray | list) else ()
    if len(shape) < 3 or not hasattr(estimator, "predict_proba"):
        return estimator, X, background
    if background is not None and np.shape(background)[1:] != shape[1:]:
        raise ValueError(
            f"`background` must have rows of the shape of X, {shape[1:]}. Got "
            f"{np.shape(background)[1:]}."
        )
    flat = None if background is None else _flat(background)
    return OfShape(estimator, shape[1:]), _flat(X), flat


def picture(
    estimator: Any, X: np.ndarray, everyone: list[tuple[str, list[int]]]
) -> dict[str, Any]:
    """Return what an attribution keeps of images; nothing for tables.

    Parameters
    ----------
    estimator : object
        From `as_table`.
    X : ndarray of shape (n_samples, n_cells)
        The explained rows.
    everyone : list of (str, list of int)
        Name and cells of each player.

    Returns
    -------
    dict
        ``images`` of shape (n_samples, ...), and ``layout``, of the shape of an image:
        which player each cell belongs to.
    """
    if not isinstance(estimator, OfShape):
        return {}
    layout = np.empty(X.shape[1], dtype=np.intp)
    for place, (_, cells) in enumerate(everyone):
        layout[cells] = place
    shape = estimator.row_shape
    return {"images": X.reshape(-1, *shape), "layout": layout.reshape(shape)}


def cell_names(row_shape: tuple[int, ...]) -> list[str]:
    """Return a name for each cell of an image, as ``x[0, 3]``."""
    return [f"x{list(place)}" for place in np.ndindex(row_shape)]


def _flat(X: Any) -> np.ndarray:
    X = np.asarray(X)
    return X.reshape(len(X), -1)
