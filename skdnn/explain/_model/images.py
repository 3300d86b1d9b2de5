"""Images and sequences as tables with one column for each pixel."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if

from skdnn.explain._model.players import Player


class ReshapingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A fitted classifier of images of shape `row_shape` that takes rows of a table."""

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
        return self.estimator.predict_proba(self._reshaped(X))

    @available_if(lambda self: hasattr(self.estimator, "predict"))  # type: ignore[untyped-decorator]
    def predict(self, X: np.ndarray) -> Any:
        """Return the class of each row."""
        return self.estimator.predict(self._reshaped(X))

    def score(self, X: np.ndarray, y: Any, sample_weight: Any = None) -> Any:
        """Return the classifier's own score."""
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self.estimator.score(self._reshaped(X), y, **weight)

    def _reshaped(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(X).reshape(-1, *self.row_shape)


def as_table(estimator: Any, X: Any, background: Any) -> tuple[Any, Any, Any]:
    """Return classifier, rows and background as of a table; tables unchanged."""
    shape = np.shape(X) if isinstance(X, np.ndarray | list) else ()
    if len(shape) < 3 or not hasattr(estimator, "predict_proba"):
        return estimator, X, background
    if background is not None and np.shape(background)[1:] != shape[1:]:
        raise ValueError(
            f"`background` must have rows of the shape of X, {shape[1:]}. Got "
            f"{np.shape(background)[1:]}."
        )
    flat = None if background is None else _flat(background)
    return ReshapingClassifier(estimator, shape[1:]), _flat(X), flat


def image_facts(estimator: Any, X: np.ndarray, players: list[Player]) -> dict[str, Any]:
    """Return `images` and `layout` of `Attributions`; nothing for tables.

    The layout, of the shape of one image, holds the player of each pixel.
    """
    if not isinstance(estimator, ReshapingClassifier):
        return {}
    layout = np.empty(X.shape[1], dtype=np.intp)
    for i, (_, columns) in enumerate(players):
        layout[columns] = i
    shape = estimator.row_shape
    return {"images": X.reshape(-1, *shape), "layout": layout.reshape(shape)}


def pixel_names(row_shape: tuple[int, ...]) -> list[str]:
    """Return a name for each pixel, such as ``x[0, 3]``."""
    return [f"x{list(position)}" for position in np.ndindex(row_shape)]


def _flat(X: Any) -> np.ndarray:
    return np.asarray(X).reshape(len(X), -1)
