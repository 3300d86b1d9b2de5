"""Rows of numbers with their classes and weights."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse


@dataclass(frozen=True)
class Dataset:
    """Rows to learn from or to validate on.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_inputs)
        In the dtype of the network.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Positions in ``classes_``, or zeros and ones for labels; int32.
    weight : ndarray of shape (n_samples,)
        In the dtype of the network.
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
        """Return the rows in another precision, or as they are."""
        if self.X.dtype == dtype:
            return self
        return Dataset(self.X.astype(dtype), self.y, self.weight.astype(dtype))

    def dense(self) -> "Dataset":
        """Return the rows with X as an array."""
        X = self.X.toarray() if hasattr(self.X, "toarray") else self.X
        return Dataset(X, self.y, self.weight)
