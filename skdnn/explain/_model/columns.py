"""One of the user's columns, as floats and back.

A number stands for itself; a word, a category, a truth value or a date is a position in
a table of the values seen.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Column:
    """One of the user's columns.

    Parameters
    ----------
    name : str
        As the user calls it.
    dtype : dtype
        What the classifier is given.
    levels : array or None
        The values that occur, for a column that is not of numbers. None for numbers.
    """

    name: str
    dtype: Any
    levels: Any

    @property
    def is_numeric(self) -> bool:
        """Whether cells are numbers, that can be compared and averaged."""
        return self.levels is None

    def decode(self, codes: np.ndarray):
        """Return cells in the user's dtype."""
        if self.levels is not None:
            return self.levels.take(codes.astype(np.intp))
        if isinstance(self.dtype, np.dtype):
            return codes.astype(self.dtype)
        return pd.array(codes, dtype=self.dtype)


def code_column(name: str, cells, back_cells) -> tuple[Column, np.ndarray, np.ndarray]:
    """Return a column, and its cells in X and in the background as floats.

    Parameters
    ----------
    name : str
        As the user calls it.
    cells : ndarray or ExtensionArray
        The column in X.
    back_cells : ndarray, ExtensionArray or None
        The column in the background; None where X is its own background.

    Raises
    ------
    ValueError
        If the two are not of one kind.
    """
    if back_cells is None:
        column, codes, _ = code_column(name, cells, cells[:0])
        return column, codes, codes
    if is_number(cells.dtype) != is_number(back_cells.dtype):
        raise ValueError(
            f"Column {name!r} must be of one kind in X and in `background`. Got "
            f"{cells.dtype} and {back_cells.dtype}."
        )
    if is_number(cells.dtype):
        back_values = _floats(back_cells)
        dtype = shared_dtype(cells, back_cells, back_values)
        return Column(name, dtype, None), _floats(cells), back_values
    both = _joined(name, cells, back_cells)
    codes, levels = _levels(both)
    codes = codes.astype(np.float64)
    return Column(name, both.dtype, levels), codes[: len(cells)], codes[len(cells) :]


def is_number(dtype) -> bool:
    """Whether cells of this dtype are numbers; truth values are not."""
    is_numeric = pd.api.types.is_numeric_dtype(dtype)
    return bool(is_numeric and not pd.api.types.is_bool_dtype(dtype))


def shared_dtype(cells, back_cells, back_values: np.ndarray):
    """Return the dtype of X, or a wider one if it would change background cells.

    Whole numbers in X beside fractions or missing cells in the background are common,
    as X is a few rows: cut to whole numbers, the background would be another.
    """
    dtype, back_dtype = cells.dtype, back_cells.dtype
    if dtype == back_dtype or not pd.api.types.is_integer_dtype(dtype):
        return dtype
    known = back_values[~np.isnan(back_values)]
    bounds = np.iinfo(getattr(dtype, "numpy_dtype", dtype))
    fits = (
        (len(known) == len(back_values) or not isinstance(dtype, np.dtype))
        and (known == np.round(known)).all()
        and (known >= bounds.min).all()
        and (known <= bounds.max).all()
    )
    if fits:
        return dtype
    return pd.concat([pd.Series(cells[:1]), pd.Series(back_cells[:1])]).dtype


def _joined(name: str, cells, back_cells) -> pd.Series:
    """Return both parts as one series in the dtype of the first."""
    # the dtype is said, or pandas would make one of its own from words
    first = pd.Series(cells, dtype=cells.dtype)
    second = pd.Series(back_cells, dtype=back_cells.dtype)
    if not len(second):
        return first
    if isinstance(first.dtype, pd.CategoricalDtype):
        lost = not second.dropna().isin(first.dtype.categories).all()
    else:
        try:
            lost = (second.astype(first.dtype).isna() != second.isna()).any()
        except (TypeError, ValueError):
            lost = True
    if lost:
        # a category that X's dtype does not list
        raise ValueError(
            f"Column {name!r} of `background` must fit its dtype in X. Got "
            f"{back_cells.dtype} beside {first.dtype}; give both the same dtype, with "
            "the same categories if it has any."
        )
    return pd.concat([first, second.astype(first.dtype)], ignore_index=True)


def _levels(both: pd.Series):
    """Return the position of each cell among the values that occur, and those."""
    if both.dtype != object:
        codes, index = pd.factorize(both, use_na_sentinel=False)
        return codes, index.array
    # pandas takes None for NaN and True for 1; an encoder may tell them apart
    places: dict[Any, int] = {}
    kept: list[Any] = []
    codes = np.empty(len(both), dtype=np.intp)
    is_missing = both.isna().to_numpy()
    for i, cell in enumerate(both.array):
        key = (type(cell), None if is_missing[i] else cell)
        if key not in places:
            places[key] = len(kept)
            kept.append(cell)
        codes[i] = places[key]
    levels = np.empty(len(kept), dtype=object)
    levels[:] = kept
    return codes, levels


def _floats(cells) -> np.ndarray:
    if isinstance(cells, np.ndarray):
        return cells.astype(np.float64)
    return cells.to_numpy(dtype=np.float64, na_value=np.nan)
