"""The containers that rows come in, and are given to the classifier in.

Coded rows become a pandas frame, a frame of another library, an array or lists again:
whatever the user's rows were, so that a classifier meets no container but theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import narwhals as nw
import numpy as np
import pandas as pd

from skdnn.explain._model.columns import Column, is_number, shared_dtype
from skdnn.explain._model.tables import Table


class Container(Protocol):
    """Makes rows out of codes."""

    def rows(
        self, columns: Sequence[Column], codes: np.ndarray, *, copy: bool = True
    ) -> Any:
        """Return coded rows, of shape (n_rows, n_columns), as the user's were.

        Some classifiers scale rows in place: without `copy` the codes may change.
        """


@dataclass(frozen=True)
class PandasFrame:
    """A pandas frame with the user's labels and dtypes."""

    labels: pd.Index

    def rows(
        self, columns: Sequence[Column], codes: np.ndarray, *, copy: bool = True
    ) -> pd.DataFrame:
        """Return coded rows as a frame."""
        dtypes = {column.dtype for column in columns}
        if len(dtypes) == 1 and all(
            c.is_numeric and isinstance(c.dtype, np.dtype) for c in columns
        ):
            # one block: a hundred times faster than column by column
            block = codes.astype(columns[0].dtype, copy=copy)
            return pd.DataFrame(block, columns=self.labels, copy=False)
        series = [
            pd.Series(column.decode(codes[:, j]), dtype=column.dtype)
            for j, column in enumerate(columns)
        ]
        frame = pd.concat(series, axis=1)
        frame.columns = self.labels
        return frame


@dataclass(frozen=True)
class OtherFrame:
    """A frame of polars, pyarrow or another library that narwhals knows.

    `dtypes` are those of the library, None where it is to choose one.
    """

    names: tuple[str, ...]
    dtypes: tuple[Any, ...]
    backend: Any

    def rows(
        self, columns: Sequence[Column], codes: np.ndarray, *, copy: bool = True
    ) -> Any:
        """Return coded rows as a frame of the library."""
        del copy  # values are copied in any case
        parts = zip(self.names, columns, codes.T, self.dtypes, strict=True)
        return nw.from_dict(
            {part[0]: self._series(*part) for part in parts}
        ).to_native()

    def _series(
        self, name: str, column: Column, codes: np.ndarray, dtype: Any
    ) -> nw.Series[Any]:
        if not column.is_numeric:
            # the few categories once, then by position: objects are slow
            used, places = np.unique(codes, return_inverse=True)
            cells = [None if pd.isna(c) else c for c in column.displayed(used)]
            known = [cell for cell in cells if cell is not None]
            if dtype == nw.Categorical and not all(isinstance(c, str) for c in known):
                # narwhals makes text of categories that pyarrow has as numbers
                series = nw.new_series(name, cells, backend=self.backend)
                encoded = series.to_native().dictionary_encode()
                return nw.from_native(encoded, series_only=True)[places]
            return nw.new_series(name, cells, dtype, backend=self.backend)[places]
        numbers = nw.new_series(name, codes, nw.Float64, backend=self.backend)
        if dtype is None or dtype.is_float():
            return numbers if dtype is None else numbers.cast(dtype)
        return numbers.fill_nan(None).cast(dtype)


@dataclass(frozen=True)
class Array:
    """A two-dimensional array of one dtype."""

    dtype: Any

    def rows(
        self, columns: Sequence[Column], codes: np.ndarray, *, copy: bool = True
    ) -> np.ndarray:
        """Return coded rows as an array."""
        if is_number(self.dtype):
            return codes.astype(self.dtype, copy=copy)
        rows = np.empty(codes.shape, dtype=self.dtype)
        for j, column in enumerate(columns):
            rows[:, j] = column.decode(codes[:, j])
        return rows


@dataclass(frozen=True)
class Lists:
    """A list of one list per row."""

    def rows(
        self, columns: Sequence[Column], codes: np.ndarray, *, copy: bool = True
    ) -> list[list[Any]]:
        """Return coded rows as lists."""
        rows: list[list[Any]] = Array(np.dtype(object)).rows(columns, codes).tolist()
        return rows


def container_of(rows: Table, back: Table, columns: Sequence[Column]) -> Container:
    """Return the container of X, in dtypes that hold the values of the background."""
    if isinstance(rows.given, pd.DataFrame):
        return PandasFrame(rows.given.columns)
    if rows.is_frame:
        given = nw.from_native(rows.given, eager_only=True)
        schemas = [(rows, given.schema)]
        if not isinstance(back.given, pd.DataFrame):
            schemas.append((back, nw.from_native(back.given, eager_only=True).schema))
        dtypes = [
            # of the table whose column has the dtype of both
            next((t[name] for table, t in schemas if table[j].dtype == c.dtype), None)
            for j, (name, c) in enumerate(zip(given.columns, columns, strict=True))
        ]
        return OtherFrame(tuple(given.columns), tuple(dtypes), given.implementation)
    if isinstance(rows.given, list) and rows.table.dtype == object:
        return Lists()
    return Array(_array_dtype(rows.table, back.table))


def _array_dtype(X: np.ndarray, background: np.ndarray) -> np.dtype:
    """Return the dtype that holds the values of both arrays unchanged."""
    dtype: np.dtype = X.dtype
    if not is_number(dtype):
        return np.result_type(X, background)  # that of the longer strings
    if dtype != background.dtype:
        if not is_number(background.dtype):
            return np.dtype(object)
        values = background.astype(np.float64).ravel()
        dtype = shared_dtype(X[0], background[0], values)
    return dtype
