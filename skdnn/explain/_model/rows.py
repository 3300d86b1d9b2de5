"""Rows in whatever container holds them."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def n_rows_of(X: Any) -> int:
    """Return the number of rows of an array or a frame."""
    return int(np.shape(X)[0])


def take(X: Any, rows: Sequence[int]) -> Any:
    """Return some rows in the container that they came in."""
    if hasattr(X, "iloc"):
        return X.iloc[list(rows)]
    return (X if hasattr(X, "shape") else np.asarray(X))[np.asarray(rows, dtype=int)]
