"""Rows in whatever structure a network takes them: one array, or several in a dict."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skdnn._runtime import keras_backend

# Cells of a sparse matrix that are made dense at once.
_DENSE_CELLS = 2**22


@dataclass(frozen=True)
class Rows:
    """Rows of data, the targets of a network, and weights.

    Parameters
    ----------
    X : array or nested arrays, each of shape (n_rows, ...)
        What the network receives; one sparse matrix is made dense bit by bit.
    y : array or nested arrays, each of shape (n_rows, ...)
        What it is to give.
    weight : ndarray of shape (n_rows,) or None
        Of each row.
    """

    X: Any
    y: Any
    weight: Any = None

    def __len__(self) -> int:
        return count(self.X)

    @property
    def is_plain(self) -> bool:
        """Whether there is one array each, which a compiled epoch takes."""
        weight = self.weight is None or _is_array(self.weight)
        return (_is_array(self.X) or issparse(self.X)) and _is_array(self.y) and weight

    def take(self, places: Any) -> "Rows":
        """Return some of the rows, dense."""
        weight = None if self.weight is None else take(self.weight, places)
        return Rows(take(self.X, places), take(self.y, places), weight)

    def as_network_takes(self, model: Any) -> "Rows":
        """Return the rows with floats in the dtype of the network."""
        parts = (as_network_takes(model, part) for part in self.batch())
        return Rows(*parts)

    def batch(self) -> tuple:
        """Return the rows as Keras has them: X, y and weights, if there are any."""
        parts = (self.X, self.y, self.weight)
        return parts[:2] if self.weight is None else parts

    def dense_pieces(
        self, order: np.ndarray, batch_size: int
    ) -> Iterator[tuple["Rows", np.ndarray]]:
        """Yield dense rows, and the order in which to take them, batches unbroken."""
        if not issparse(self.X):
            yield self, order
            return
        batches = max(1, _DENSE_CELLS // (self.X.shape[1] * batch_size))
        for start in range(0, len(order), batches * batch_size):
            places = order[start : start + batches * batch_size]
            yield self.take(places), np.arange(len(places))


def count(X: Any) -> int:
    """Return how many rows there are."""
    return int(_leaves(X)[0].shape[0])


def take(X: Any, places: Any) -> Any:
    """Return some rows of every array."""

    def of(array):
        part = array[places]
        return part.toarray() if issparse(part) else part

    return of(X) if issparse(X) else keras_backend.load().tree.map_structure(of, X)


def as_network_takes(model: Any, X: Any) -> Any:
    """Return arrays of floats in the float dtype of the network's inputs.

    Whole numbers stay as they are, as an embedding needs them.
    """
    keras = keras_backend.load()
    inputs = [str(tensor.dtype) for tensor in getattr(model, "inputs", None) or ()]
    floats = [name for name in inputs if name.startswith("float")]
    dtype = floats[0] if floats else keras.config.floatx()

    def of(array):
        if getattr(array, "dtype", None) is None or array.dtype.kind != "f":
            return array
        return array.astype(dtype, copy=False)

    return of(X) if issparse(X) else keras.tree.map_structure(of, X)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype != object


def _leaves(X: Any) -> list[Any]:
    return [X] if issparse(X) else keras_backend.load().tree.flatten(X)
