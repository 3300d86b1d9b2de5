"""Rows in whatever structure a network takes them: one array, or nested arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skdnn._runtime import keras_backend


@dataclass(frozen=True)
class NestedRows:
    """Inputs X and targets y of a network, and a weight per row or None.

    X and y are arrays or nested arrays of shape (n_rows, ...); one sparse X is
    converted to dense rows as they are taken.
    """

    X: Any
    y: Any
    weight: Any = None

    def __len__(self) -> int:
        return count(self.X)

    @property
    def is_plain(self) -> bool:
        """Whether X, y and weight are single arrays, as a compiled epoch needs."""
        weight = self.weight is None or _is_array(self.weight)
        return (_is_array(self.X) or issparse(self.X)) and _is_array(self.y) and weight

    def take(self, positions: Any) -> "NestedRows":
        weight = None if self.weight is None else take(self.weight, positions)
        return NestedRows(take(self.X, positions), take(self.y, positions), weight)

    def dense(self) -> "NestedRows":
        """Return the rows unchanged: those that were taken are dense."""
        return self

    def in_dtype_of(self, model: Any) -> "NestedRows":
        return NestedRows(*(in_dtype_of(model, part) for part in self.batch()))

    def batch(self) -> tuple[Any, ...]:
        """Return the rows as Keras takes them: X, y and weights, if there are any."""
        parts = (self.X, self.y, self.weight)
        return parts[:2] if self.weight is None else parts


def count(X: Any) -> int:
    first = X if issparse(X) else keras_backend.load().tree.flatten(X)[0]
    return int(first.shape[0])


def take(X: Any, positions: Any) -> Any:
    """Return some rows of every array, dense."""

    def rows_of(array: Any) -> Any:
        part = array[positions]
        return part.toarray() if issparse(part) else part

    if issparse(X):
        return rows_of(X)
    return keras_backend.load().tree.map_structure(rows_of, X)


def in_dtype_of(model: Any, X: Any) -> Any:
    """Return arrays of floats in the float dtype of the network's inputs.

    Integers are unchanged, as an embedding needs them.
    """
    keras = keras_backend.load()
    inputs = [str(tensor.dtype) for tensor in getattr(model, "inputs", None) or ()]
    floats = [name for name in inputs if name.startswith("float")]
    dtype = floats[0] if floats else keras.config.floatx()

    def converted(array: Any) -> Any:
        if getattr(array, "dtype", None) is None or array.dtype.kind != "f":
            return array
        return array.astype(dtype, copy=False)

    if issparse(X):
        return converted(X)
    return keras.tree.map_structure(converted, X)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype != object
