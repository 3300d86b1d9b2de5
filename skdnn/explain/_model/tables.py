"""The tables that explain functions are given: validation and access by column."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from skdnn.explain._model.images import ReshapingClassifier, pixel_names


@dataclass(frozen=True)
class TableView:
    """The columns of a DataFrame or of a two-dimensional array."""

    table: Any

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, j: int) -> Any:
        """Return a column as an ndarray or ExtensionArray."""
        if isinstance(self.table, pd.DataFrame):
            column = self.table.iloc[:, j]
            dtype = column.dtype
            is_plain = isinstance(dtype, np.dtype) and dtype.kind in "Obiuf"
            return column.to_numpy() if is_plain else column.array
        return self.table[:, j]

    def objects(self) -> np.ndarray:
        """Return all values, unchanged, in one array of objects."""
        values = np.empty(self.table.shape, dtype=object)
        for j in range(self.table.shape[1]):
            values[:, j] = list(self[j])
        return values


def check_table(X: Any, name: str, estimator: Any) -> tuple[TableView, list[Any]]:
    """Return the columns of a table and their labels; ValueError if it is invalid."""
    if issparse(X):
        raise ValueError(
            f"`{name}` must be a frame or a dense array: cells of a sparse matrix "
            "cannot be exchanged one by one. Use .toarray()."
        )
    if isinstance(X, pd.DataFrame):
        labels = list(X.columns)
        _check_columns(X, name)
    else:
        X = np.asarray(X)
        if X.ndim != 2:
            raise ValueError(
                f"`{name}` must be a table: (n_samples, n_features). Got shape "
                f"{X.shape}; one row is X[[0]]."
            )
        names = getattr(estimator, "feature_names_in_", None)
        if isinstance(estimator, ReshapingClassifier):
            names = pixel_names(estimator.row_shape)
        if names is None or len(names) != X.shape[1]:
            names = [f"x{j}" for j in range(X.shape[1])]
        labels = list(names)
    if X.shape[0] == 0 or X.shape[1] == 0:
        raise ValueError(
            f"`{name}` must have rows and columns. Got shape {tuple(X.shape)}."
        )
    return TableView(X), labels


def _check_columns(X: pd.DataFrame, name: str) -> None:
    """Raise ValueError for column names that occur twice, and sparse columns."""
    counts = Counter(str(label) for label in X.columns)
    twice = sorted(label for label, n in counts.items() if n > 1)
    if twice:
        raise ValueError(
            f"Column names of `{name}` must be different. Got twice: {twice}."
        )
    sparse = [str(c) for c in X.columns if isinstance(X[c].dtype, pd.SparseDtype)]
    if sparse:
        raise ValueError(
            f"`{name}` must have dense columns. Got sparse ones: {sparse}. Use "
            ".sparse.to_dense()."
        )


def check_same_columns(
    rows: TableView, back: TableView, labels: list[Any], back_labels: list[Any]
) -> None:
    """Raise ValueError unless the background has the columns of X."""
    if type(rows.table) is not type(back.table):
        raise ValueError(
            "`background` must be of the kind of X. Got a "
            f"{type(back.table).__name__} beside a {type(rows.table).__name__}."
        )
    if isinstance(rows.table, pd.DataFrame) and labels != back_labels:
        missing = [str(c) for c in labels if c not in back_labels]
        unknown = [str(c) for c in back_labels if c not in labels]
        difference = f"missing {missing}, unknown {unknown}"
        if not missing and not unknown:
            difference = "another order"
        raise ValueError(
            f"`background` must have the columns of X, in their order. Got "
            f"{difference}."
        )
    if len(labels) != len(back_labels):
        raise ValueError(
            f"`background` must have the {len(labels)} columns of X. Got "
            f"{len(back_labels)}."
        )
