"""The tables that explain functions are given: validation and access by column."""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from skdnn._tabular.columns import as_table as as_pandas
from skdnn.explain._model.images import ReshapingClassifier, pixel_names


@dataclass(frozen=True)
class Table:
    """Rows in two dimensions.

    `given` is what the user gave; `table` the same as a pandas frame or an array;
    `labels` name its columns.
    """

    given: Any
    table: Any
    labels: list[Any]

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

    @property
    def is_frame(self) -> bool:
        """Whether columns have names of their own."""
        return isinstance(self.table, pd.DataFrame)

    def head(self, n: int) -> Any:
        """Return a copy of the first rows in the user's container."""
        given = self.given
        return deepcopy(
            given.iloc[:n] if isinstance(given, pd.DataFrame) else given[:n]
        )

    def objects(self, rows: np.ndarray) -> np.ndarray:
        """Return the values of some rows, unchanged, in one array of objects."""
        values = np.empty((len(rows), self.table.shape[1]), dtype=object)
        for j in range(self.table.shape[1]):
            values[:, j] = list(self[j][rows])
        return values


def check_table(X: Any, name: str, estimator: Any) -> Table:
    """Return the columns of a table and their labels; ValueError if it is invalid."""
    if issparse(X):
        raise ValueError(
            f"`{name}` must be a frame or a dense array: cells of a sparse matrix "
            "cannot be exchanged one by one. Use .toarray()."
        )
    table = as_pandas(X)
    if isinstance(table, pd.DataFrame):
        labels = list(table.columns)
        _check_labels(labels, name)
    else:
        table = as_array(X)
        if table.ndim != 2:
            raise ValueError(
                f"`{name}` must be a table: (n_samples, n_features). Got shape "
                f"{table.shape}; one row is X[[0]]."
            )
        labels = _labels(estimator, table.shape[1])
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise ValueError(
            f"`{name}` must have rows and columns. Got shape {tuple(table.shape)}."
        )
    return Table(X, table, labels)


def _labels(estimator: Any, n_columns: int) -> list[Any]:
    """Return the names that the estimator has for the columns of an array."""
    names = getattr(estimator, "feature_names_in_", None)
    if isinstance(estimator, ReshapingClassifier):
        names = pixel_names(estimator.row_shape)
    if names is None or len(names) != n_columns:
        return [f"x{j}" for j in range(n_columns)]
    return list(names)


def as_array(X: Any) -> np.ndarray:
    """Return an array; lists of strings and numbers become objects."""
    array = np.asarray(X)
    is_mixed = not isinstance(X, np.ndarray) and array.dtype.kind in "US"
    return np.array(X, dtype=object) if is_mixed else array


def _check_labels(labels: list[Any], name: str) -> None:
    """Raise ValueError for column names that occur twice."""
    counts = Counter(str(label) for label in labels)
    twice = sorted(label for label, n in counts.items() if n > 1)
    if twice:
        raise ValueError(
            f"Column names of `{name}` must be different. Got twice: {twice}."
        )


def check_same_columns(rows: Table, back: Table) -> None:
    """Raise ValueError unless the background has the columns of X."""
    labels, back_labels = rows.labels, back.labels
    if rows.is_frame != back.is_frame:
        raise ValueError(
            "`background` must be of the kind of X. Got a "
            f"{type(back.given).__name__} beside a {type(rows.given).__name__}."
        )
    if rows.is_frame and labels != back_labels:
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
