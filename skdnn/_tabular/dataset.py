"""Rows of numbers with their classes and weights."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse


@dataclass(frozen=True)
class Dataset:
    """Rows to train on or to validate on.

    `X` is an array or a sparse matrix of shape (n_samples, n_inputs); `y` holds class
    codes, of shape (n_samples,), or zeros and ones for labels, of shape (n_samples,
    n_labels), int32; `weight` is of shape (n_samples,) and in the dtype of X.
    """

    X: Any
    y: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def take(self, positions: np.ndarray | slice) -> "Dataset":
        """Return the rows at the given positions."""
        X = self.X
        if isinstance(positions, slice) or issparse(X) or not X.flags.c_contiguous:
            return Dataset(X[positions], self.y[positions], self.weight[positions])
        # copies row by row, where an index copies number by number
        return Dataset(
            X.take(positions, axis=0), self.y[positions], self.weight[positions]
        )

    def astype(self, dtype: str) -> "Dataset":
        """Return the rows in another precision; self if they are in it."""
        if self.X.dtype == dtype:
            return self
        return Dataset(self.X.astype(dtype), self.y, self.weight.astype(dtype))

    def dense(self) -> "Dataset":
        """Return the rows with X as an array."""
        X = self.X.toarray() if hasattr(self.X, "toarray") else self.X
        return Dataset(X, self.y, self.weight)
