"""Rows in whatever holds them, and seeds in whatever gives them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def as_seed(random_state: Any) -> int:
    """Settle on one seed, for all methods; a report without one can be made again."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def n_rows_of(X: Any) -> int:
    """Give the number of rows of an array or a frame."""
    return int(np.shape(X)[0])


def take(X: Any, rows: Sequence[int]) -> Any:
    """Give some rows in the container that they came in."""
    if hasattr(X, "iloc"):
        return X.iloc[list(rows)]
    return (X if hasattr(X, "shape") else np.asarray(X))[np.asarray(rows, dtype=int)]
