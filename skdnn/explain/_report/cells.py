"""Columns of a table as arrays, their cells as text, and results as plain values."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from skdnn._runtime.names import shorten
from skdnn.explain._results.result import plain_list
from skdnn.explain._text import formatting

MAX_CELL = 120  # characters


def as_column(cells: Iterable[Any]) -> np.ndarray:
    """Return cells as floats if all are numbers, else as objects.

    Missing numbers are NaN, other missing cells None.
    """
    known = [None if is_missing(cell) else cell for cell in cells]
    given = [cell for cell in known if cell is not None]
    if given and all(isinstance(cell, float | int | np.number) for cell in given):
        return np.array([np.nan if cell is None else cell for cell in known], float)
    column = np.empty(len(known), dtype=object)
    column[:] = known
    return column


def is_missing(cell: Any) -> bool:
    """Whether a cell is None, NaN, pandas.NA or NaT."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return bool(isinstance(cell, float | np.floating) and cell != cell)


def n_missing(column: np.ndarray) -> int:
    """Return the number of missing cells of a column."""
    if column.dtype == float:
        return int(np.isnan(column).sum())
    return sum(cell is None for cell in column)


def cell_text(cell: Any) -> str:
    """Return one cell as text."""
    if is_missing(cell):
        return "missing"
    if isinstance(cell, float | np.floating):
        return formatting.number(float(cell), 4)
    return shorten(str(cell), MAX_CELL)


def plain(value: Any) -> Any:
    """Return arrays and NumPy numbers as Python's, and None for what is not finite."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    return plain_list(value)
