"""Frames of names and cells of the user's, which may be any text."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def frame_of(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return a frame of columns; text that is not valid Unicode stays as objects."""
    try:
        return pd.DataFrame(columns)
    except UnicodeEncodeError:
        n = max(np.size(column) for column in columns.values())
        return pd.DataFrame(
            {name: _series(column, n) for name, column in columns.items()}
        )


def series_of(cells: Any) -> pd.Series:
    """Return a series of cells; text that is not valid Unicode stays as objects."""
    try:
        return pd.Series(cells)
    except UnicodeEncodeError:
        return pd.Series(cells, dtype=object)


def rows_by(*columns: pd.Series) -> dict[tuple[Any, ...], list[int]]:
    """Return the positions of the rows by their cells, None for any missing one.

    `groupby` takes no text that is not valid Unicode.
    """
    cells = [[None if pd.isna(cell) else cell for cell in column] for column in columns]
    rows: dict[tuple[Any, ...], list[int]] = {}
    for row, key in enumerate(zip(*cells, strict=True)):
        rows.setdefault(key, []).append(row)
    return rows


def inferred(table: Any) -> Any:
    """Return columns of objects in the dtypes of their cells, where these have one."""
    try:
        return table.infer_objects()
    except UnicodeEncodeError:
        return table


def _series(column: Any, n: int) -> pd.Series:
    cells = (
        np.repeat(np.array([column], dtype=object), n)
        if np.ndim(column) == 0
        else column
    )
    return series_of(cells)
