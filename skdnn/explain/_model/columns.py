"""One of the user's columns, coded as floats and decoded.

A number is its own code. The code of a string, category, boolean or date is its
position among the categories that occur.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.names import free_name

# The code that stands for all rare levels of a column; see levels.py.
OTHERS = -np.inf
# How it is shown.
OTHERS_NAME = "others"


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

    @cached_property
    def code_by_category(self) -> dict[Any, int]:
        """The code of each category; that of missing ones under None."""
        codes: dict[Any, int] = {}
        for code, category in enumerate(() if self.is_numeric else self.categories):
            codes.setdefault(None if pd.isna(category) else category, code)
        return codes

    @cached_property
    def others_name(self) -> str:
        """What results show for OTHERS: "others" unless a category has that name."""
        return free_name(OTHERS_NAME, self.code_by_category)

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
        is_others = codes == OTHERS
        decoded = self.decode(np.where(is_others, 0, codes))
        values = np.fromiter(decoded, dtype=object, count=len(codes))
        if is_others.any():
            values[is_others] = self.others_name
        return values


def code_column(
    name: str, cells: Any, back_cells: Any, *, as_given: bool = False
) -> tuple[Column, np.ndarray, np.ndarray]:
    """Return a column, and its values in X and in the background coded as floats.

    `back_cells` is None where X is its own background. Objects that all are numbers, or
    booleans, count as such, unless they are to be coded `as_given`. The dtype is one
    that holds the values of both.
    """
    if not as_given:
        cells = _inferred(cells)
        back_cells = None if back_cells is None else _inferred(back_cells)
    if back_cells is None:
        column, codes, _ = _coded(name, cells, cells[:0])
        return column, codes, codes
    return _coded(name, cells, back_cells)


def _coded(
    name: str, cells: Any, back_cells: Any
) -> tuple[Column, np.ndarray, np.ndarray]:
    if is_number(cells.dtype) != is_number(back_cells.dtype):
        cells, back_cells = _of_one_kind(cells, back_cells)
    if is_number(cells.dtype):
        back_values = _floats(back_cells)
        dtype = shared_dtype(cells, back_cells, back_values)
        return Column(name, dtype, None), _floats(cells), back_values
    both = _concatenated(cells, back_cells)
    codes, categories = _factorized(both)
    codes = codes.astype(np.float64)
    column = Column(name, both.dtype, categories)
    return column, codes[: len(cells)], codes[len(cells) :]


def _inferred(cells: Any) -> Any:
    """Return objects that all are numbers or all booleans in such a dtype.

    A frame made from one record, or from one row turned into a column and back, holds
    objects only.
    """
    if cells.dtype != object:
        return cells
    has_missing = pd.isna(cells).any()
    dtype = {
        "integer": "float64" if has_missing else "int64",
        "floating": "float64",
        "mixed-integer-float": "float64",
        "boolean": "boolean" if has_missing else "bool",
    }.get(pd.api.types.infer_dtype(cells, skipna=True))
    if dtype is None:
        return cells
    try:
        return _array(pd.Series(cells, dtype=object).astype(dtype))
    except OverflowError:  # whole numbers beyond 64 bits
        return cells


def _of_one_kind(cells: Any, back_cells: Any) -> tuple[Any, Any]:
    """Return both in the dtype of one of them, else as objects.

    The background, usually rows of the training data, has the first say.
    """
    rows, back = (pd.Series(c, dtype=c.dtype) for c in (cells, back_cells))
    dtype = _first_that_fits([back.dtype, rows.dtype], rows, back)
    return _array(rows.astype(dtype)), _array(back.astype(dtype))


def _first_that_fits(dtypes: list[Any], rows: pd.Series, back: pd.Series) -> Any:
    """Return the first dtype that holds the values of both, else that of objects."""
    of_objects = np.dtype(object)
    for dtype in dtypes:
        if dtype != of_objects and _fits(rows, dtype) and _fits(back, dtype):
            return dtype
    return of_objects


def _array(series: pd.Series) -> Any:
    """Return the ndarray or ExtensionArray of a series."""
    return series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array


def _fits(series: pd.Series, dtype: Any) -> bool:
    """Return whether a dtype holds the same values, missing ones included."""
    if series.dtype == dtype:
        return True
    if isinstance(dtype, pd.CategoricalDtype):  # a cast would lose other values
        return bool(series.dropna().isin(dtype.categories).all())
    try:
        cast = series.astype(dtype)
    except (TypeError, ValueError, OverflowError):
        return False
    known = series.notna()
    if not (cast.notna() == known).all():
        return False
    pairs = zip(series[known].astype(object), cast[known].astype(object), strict=True)
    return all(before == after for before, after in pairs)


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
    plain = getattr(dtype, "subtype", dtype)  # of a sparse column
    bounds = np.iinfo(getattr(plain, "numpy_dtype", plain))
    fits = (
        (len(known) == len(back_values) or not isinstance(dtype, np.dtype))
        and (known == np.round(known)).all()
        and (known >= bounds.min).all()
        and (known <= bounds.max).all()
    )
    if fits:
        return dtype
    return pd.concat([pd.Series(cells[:1]), pd.Series(back_cells[:1])]).dtype


def _concatenated(cells: Any, back_cells: Any) -> pd.Series:
    """Return both parts as one series, in the dtype of the first if it holds both."""
    # with the dtype given, or pandas would infer another one from strings
    first = pd.Series(cells, dtype=cells.dtype)
    second = pd.Series(back_cells, dtype=back_cells.dtype)
    if not len(second):
        return first
    dtypes = [first.dtype, second.dtype]
    if all(isinstance(dtype, pd.CategoricalDtype) for dtype in dtypes):
        own, other = (dtype.categories for dtype in dtypes)
        dtypes.append(pd.CategoricalDtype(own.union(other, sort=False)))
    dtype = _first_that_fits(dtypes, first, second)
    return pd.concat([first.astype(dtype), second.astype(dtype)], ignore_index=True)


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
    if isinstance(cells.dtype, pd.SparseDtype):
        return np.asarray(cells, dtype=np.float64)
    floats: np.ndarray = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return floats
