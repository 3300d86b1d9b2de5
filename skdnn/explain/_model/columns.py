"""One of the user's columns, coded as floats and decoded.

A number is its own code. The code of a string, category, boolean or date is its
position among the categories that occur.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Column:
    """One of the user's columns.

    `dtype` is what the classifier is given; `categories` are the values that occur, in
    the order of their codes, or None for a numeric column.
    """

    name: str
    dtype: Any
    categories: Any

    @property
    def is_numeric(self) -> bool:
        """Whether values are numbers, which can be compared and averaged."""
        return self.categories is None

    @property
    def is_integer(self) -> bool:
        """Whether the dtype holds whole numbers only."""
        return bool(pd.api.types.is_integer_dtype(self.dtype))

    @property
    def is_ordered(self) -> bool:
        """Whether the categories have a meaningful order."""
        if isinstance(self.dtype, pd.CategoricalDtype):
            return bool(self.dtype.ordered)
        return bool(
            pd.api.types.is_bool_dtype(self.dtype)
            or pd.api.types.is_datetime64_any_dtype(self.dtype)
        )

    def decode(self, codes: np.ndarray) -> Any:
        """Return values in the user's dtype."""
        if self.categories is not None:
            return self.categories.take(codes.astype(np.intp))
        if isinstance(self.dtype, np.dtype):
            return codes.astype(self.dtype)
        return pd.array(codes, dtype=self.dtype)

    def rounded(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers, as floats, after a round trip through the dtype."""
        held = pd.Series(self.decode(numbers), dtype=self.dtype)
        return np.array(held.to_numpy(dtype=np.float64, na_value=np.nan))

    def sort_categories(self, codes: np.ndarray) -> np.ndarray:
        """Return codes in the order of the dtype, else of the values, missing last."""
        values = pd.Series(self.decode(codes), dtype=self.dtype)
        try:
            order = values.sort_values(kind="stable").index
        except TypeError:  # values of several types
            order = values.astype(str).sort_values(kind="stable").index
        return np.asarray(codes[order.to_numpy()])

    def displayed(self, codes: np.ndarray) -> np.ndarray:
        """Return codes as results show them: floats, or the categories themselves."""
        if self.is_numeric:
            return self.rounded(codes)
        values = np.empty(len(codes), dtype=object)
        values[:] = list(self.decode(codes))
        return values


def code_column(
    name: str, cells: Any, back_cells: Any
) -> tuple[Column, np.ndarray, np.ndarray]:
    """Return a column, and its values in X and in the background coded as floats.

    `back_cells` is None where X is its own background. ValueError if the two are not
    of one kind.
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
    both = _concatenated(name, cells, back_cells)
    codes, categories = _factorized(both)
    codes = codes.astype(np.float64)
    column = Column(name, both.dtype, categories)
    return column, codes[: len(cells)], codes[len(cells) :]


def is_number(dtype: Any) -> bool:
    """Whether values of this dtype are numbers; booleans are not."""
    is_numeric = pd.api.types.is_numeric_dtype(dtype)
    return bool(is_numeric and not pd.api.types.is_bool_dtype(dtype))


def shared_dtype(cells: Any, back_cells: Any, back_values: np.ndarray) -> Any:
    """Return the dtype of X, or a wider one if it would change background values.

    X, a few rows, often holds whole numbers only where the background has fractions or
    missing values; truncated to whole numbers, the background would be another one.
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


def _concatenated(name: str, cells: Any, back_cells: Any) -> pd.Series:
    """Return both parts as one series in the dtype of the first."""
    # with the dtype given, or pandas would infer another one from strings
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


def _factorized(both: pd.Series) -> tuple[np.ndarray, Any]:
    """Return the position of each value among those that occur, and these."""
    if both.dtype != object:
        codes, index = pd.factorize(both, use_na_sentinel=False)
        return codes, index.array
    # pandas takes None for NaN and True for 1; an encoder may distinguish them
    positions: dict[Any, int] = {}
    kept: list[Any] = []
    codes = np.empty(len(both), dtype=np.intp)
    is_missing = both.isna().to_numpy()
    for i, cell in enumerate(both.array):
        key = (type(cell), None if is_missing[i] else cell)
        if key not in positions:
            positions[key] = len(kept)
            kept.append(cell)
        codes[i] = positions[key]
    categories = np.empty(len(kept), dtype=object)
    categories[:] = kept
    return codes, categories


def _floats(cells: Any) -> np.ndarray:
    if isinstance(cells, np.ndarray):
        return cells.astype(np.float64)
    floats: np.ndarray = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return floats
