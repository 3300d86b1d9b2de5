"""Tables that explain functions are given: what they may be, and their columns."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from skdnn.explain._model.images import OfShape, cell_names


@dataclass(frozen=True)
class Cells:
    """The columns of a table, whatever holds them."""

    table: Any

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, j: int):
        if isinstance(self.table, pd.DataFrame):
            column = self.table.iloc[:, j]
            is_plain = (
                isinstance(column.dtype, np.dtype) and column.dtype.kind in "Obiuf"
            )
            return column.to_numpy() if is_plain else column.array
        return self.table[:, j]

    def objects(self) -> np.ndarray:
        """Return the cells as they are, in one array."""
        cells = np.empty(self.table.shape, dtype=object)
        for j in range(self.table.shape[1]):
            cells[:, j] = list(self[j])
        return cells


def check_rows(X, name: str, estimator) -> tuple[Cells, list]:
    """Return the columns of a table and their labels.

    Raises
    ------
    ValueError
        If it is no table of rows and columns, or names or cells cannot be.
    """
    if issparse(X):
        raise ValueError(
            f"`{name}` must be a frame or a dense array: cells of a sparse matrix "
            "cannot be exchanged one by one. Use .toarray()."
        )
    if isinstance(X, pd.DataFrame):
        labels = list(X.columns)
        counts = Counter(str(label) for label in labels)
        twice = sorted(name for name, n in counts.items() if n > 1)
        if twice:
            raise ValueError(
                f"Column names of `{name}` must be different. Got twice: {twice}."
            )
        sparse = [str(c) for c in labels if isinstance(X[c].dtype, pd.SparseDtype)]
        if sparse:
            raise ValueError(
                f"`{name}` must have dense columns. Got sparse ones: {sparse}. Use "
                ".sparse.to_dense()."
            )
    else:
        X = np.asarray(X)
        if X.ndim != 2:
            raise ValueError(
                f"`{name}` must be a table: (n_samples, n_features). Got shape "
                f"{X.shape}; one row is X[[0]]."
            )
        names = getattr(estimator, "feature_names_in_", None)
        if isinstance(estimator, OfShape):
            names = cell_names(estimator.row_shape)
        if names is None or len(names) != X.shape[1]:
            names = [f"x{j}" for j in range(X.shape[1])]
        labels = list(names)
    if X.shape[0] == 0 or X.shape[1] == 0:
        raise ValueError(
            f"`{name}` must have rows and columns. Got shape {tuple(X.shape)}."
        )
    return Cells(X), labels


def check_same_columns(rows: Cells, back: Cells, labels: list, back_labels: list):
    """Raise ``ValueError`` unless the background has the columns of X."""
    both_frames = isinstance(rows.table, pd.DataFrame) and isinstance(
        back.table, pd.DataFrame
    )
    if type(rows.table) is not type(back.table):
        raise ValueError(
            "`background` must be of the kind of X. Got a "
            f"{type(back.table).__name__} beside a {type(rows.table).__name__}."
        )
    if both_frames and labels != back_labels:
        missing = [str(c) for c in labels if c not in back_labels]
        other = [str(c) for c in back_labels if c not in labels]
        found = (
            f"missing {missing}, unknown {other}"
            if missing or other
            else "another order"
        )
        raise ValueError(
            f"`background` must have the columns of X, in their order. Got {found}."
        )
    if len(labels) != len(back_labels):
        raise ValueError(
            f"`background` must have the {len(labels)} columns of X. Got "
            f"{len(back_labels)}."
        )
