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
    try:
        return pd.Series(cells)
    except UnicodeEncodeError:
        return pd.Series(cells, dtype=object)
