"""The blocks of a table with its classes and weights, checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skdnn._streaming.limits import block_rows
from skdnn._streaming.table_source import TableSource


@dataclass(frozen=True)
class TableBlock:
    """Successive rows: X, an array or a frame, labels, and the weight of each row."""

    start: int
    X: Any
    labels: np.ndarray
    weight: np.ndarray


class LabelledSource:
    """A source, its columns, and the label and the weight of each row.

    `y` is the name of a column, or an array of shape (n_rows,); `sample_weight` such
    an array, or None. Raises ``ValueError`` or ``TypeError`` if they are not.
    """

    def __init__(self, source: TableSource, y: Any, sample_weight: Any = None):
        self.source = source
        self.target = y if isinstance(y, str) else None
        if self.target is not None:
            if source.names is None:
                raise ValueError(
                    "y must be an array where the columns of X have no names. Got "
                    f"{y!r}, and X is a {source.kind}. Give one class per row."
                )
            source.require([self.target], "y")
        self.features = source.names
        if source.names is not None:
            self.features = [name for name in source.names if name != self.target]
        self.n_features = source.n_columns - (self.target is not None)
        source.check(source.names)
        self.n_rows = source.count_rows()
        if not self.n_rows or not self.n_features:
            raise ValueError(
                f"X must have at least one row and one column. Got {self.n_rows} rows "
                f"of {self.n_features} columns in a {source.kind}."
            )
        self._y = None if self.target is not None else self._of_rows(y, "y")
        self._weight = None
        if sample_weight is not None:
            self._weight = self._of_rows(sample_weight, "sample_weight")

    def _of_rows(self, values: Any, name: str) -> np.ndarray:
        """Return one value per row, not copied."""
        array = np.asarray(values)
        if array.shape != (self.n_rows,):
            column = ", or the name of a column" if name == "y" else ""
            raise ValueError(
                f"`{name}` must be an array of one value per row, of shape "
                f"({self.n_rows},){column}. Got shape {array.shape}. Rows of several "
                "labels need a table in memory."
            )
        return array

    def blocks(self) -> Iterator[TableBlock]:
        """Yield all rows, in blocks of a number that depends on the columns only.

        Raises ``ValueError`` for missing labels, negative weights, and rows that are
        not as many as were counted.
        """
        source, start = self.source, 0
        for X in source.blocks(source.names, block_rows(self.n_features)):
            rows = slice(start, start + len(X))
            if self.target is None:
                labels = self._y[rows]  # type: ignore[index]
            else:
                labels, X = X[self.target].to_numpy(), X.drop(columns=self.target)
            self._check_labels(labels, start)
            yield TableBlock(start, X, labels, self._weights(rows, len(X)))
            start += len(X)
        if start != self.n_rows:
            raise ValueError(
                f"A {source.kind} must give the same rows in each pass. Got {start} "
                f"rows, of {self.n_rows} that were counted. Write it to files first."
            )

    def weights(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the position and the weights of each block; does not read the table."""
        size = block_rows(self.n_features)
        for start in range(0, self.n_rows, size):
            rows = slice(start, min(start + size, self.n_rows))
            yield start, self._weights(rows, rows.stop - start)

    def whole(self) -> tuple[Any, Any]:
        """Return X in memory, as a frame or an array, and the labels."""
        X = next(self.source.blocks(self.source.names, self.n_rows))
        if self.target is None:
            return X, self._y
        return X.drop(columns=self.target), X[self.target]

    def _check_labels(self, labels: np.ndarray, start: int) -> None:
        missing = pd.isna(labels)
        if missing.any():
            raise ValueError(
                "y must have a class for every row. Got a missing one at position "
                f"{start + int(missing.argmax())}. Drop these rows; only X may have "
                "missing cells."
            )

    def _weights(self, rows: slice, n_rows: int) -> np.ndarray:
        if self._weight is None:
            return np.ones(n_rows)
        weight = self._weight[rows].astype(np.float64)
        if not np.isfinite(weight).all() or weight.min() < 0:
            wrong = ~np.isfinite(weight) | (weight < 0)
            position = int(wrong.argmax())
            raise ValueError(
                "`sample_weight` must be finite and not negative. Got "
                f"{weight[position]} at position {rows.start + position}; leave rows "
                "out with weight 0."
            )
        return weight
