"""A table as the user hands it over, as a matrix: numbers, and codes of categories."""

import datetime
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_array

_DATES = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    np.datetime64,
    np.timedelta64,
    pd.Period,
)


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are categories, and the levels these have.

    Parameters
    ----------
    codes : dict of int to dict
        For the position of each column of categories, the code of each level, from 0.
        All other columns are numbers.
    """

    codes: Mapping[int, Mapping[Any, int]]

    def take_as_it_is(self, X) -> bool:
        """Return whether the cells of X are numbers without our doing."""
        if self.codes:
            return False
        if not isinstance(X, pd.DataFrame):
            return True
        dtypes = list(X.dtypes)
        plain = all(_is_plain(t) or isinstance(t, pd.SparseDtype) for t in dtypes)
        return plain and len(dtypes) > 0

    def matrix(self, X) -> np.ndarray:
        """Return the cells as numbers, categories as codes, NaN for what is missing.

        Parameters
        ----------
        X : {DataFrame, array-like} of shape (n_samples, n_columns)
            A level that has no code counts as missing.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            Of float32 if the numbers in X are, else of float64.

        Raises
        ------
        ValueError
            If a column of numbers holds something else, or one of categories holds
            another kind of levels altogether.
        """
        X = _as_frame(X)
        dtypes = list(X.dtypes)
        out = np.empty(X.shape, dtype=_shared_dtype(dtypes, self.codes))
        plain = [
            j
            for j, dtype in enumerate(dtypes)
            if j not in self.codes and _is_plain(dtype, "biuf")
        ]
        if plain:
            out[:, plain] = X.iloc[:, plain].to_numpy(dtype=np.float64)
        for j in sorted(set(range(X.shape[1])).difference(plain)):
            label, cells = X.columns[j], X.iloc[:, j]
            if j in self.codes:
                out[:, j] = _code(label, cells, self.codes[j])
            else:
                out[:, j] = _numbers(label, cells)
        return out


def as_table(X):
    """Return a frame of any kind as pandas's, and all else as it is.

    Values and kinds of columns are kept: whole numbers beside missing cells stay
    whole, categories stay categories.

    Raises
    ------
    ValueError
        For a lazy frame.
    """
    if isinstance(X, np.ndarray | pd.DataFrame) or issparse(X):
        return X
    if nw.dependencies.is_polars_lazyframe(X):
        raise ValueError(
            "X must be rows that are there. Got a LazyFrame; use .collect()."
        )
    if not nw.dependencies.is_into_dataframe(X):
        return X
    frame = nw.from_native(X, eager_only=True)
    return pd.DataFrame({name: _cells(frame[name]) for name in frame.columns})


def read_columns(X, categorical_features) -> Columns:
    """Find out which columns are categories, and which levels they have.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_columns)
        Frames in pandas's form.
    categorical_features : "from_dtype", array-like or None
        As in :class:`~sklearn.ensemble.HistGradientBoostingClassifier`: columns of a
        frame that hold categories or words; or names, positions or a mask; or none.

    Raises
    ------
    ValueError
        If a column is neither of numbers nor of categories, or `categorical_features`
        names what is not there.
    """
    if categorical_features is None:
        return Columns({})
    if isinstance(categorical_features, str):  # "from_dtype"
        if not isinstance(X, pd.DataFrame):
            return Columns({})
        positions: Iterable[int] = [
            j
            for j, label in enumerate(X.columns)
            if _holds_categories(label, X.iloc[:, j])
        ]
    else:
        X = _as_frame(X)
        positions = _positions(categorical_features, X)
    return Columns({j: _levels(X.columns[j], X.iloc[:, j]) for j in positions})


def _as_frame(X) -> pd.DataFrame:
    if isinstance(X, pd.DataFrame):
        return X
    if issparse(X):
        raise ValueError(
            "X must be a frame or a dense array where columns are categories "
            "(categorical_features). Got a sparse matrix; use .toarray()."
        )
    # a list of rows that mix words and numbers would all become words
    X = X if isinstance(X, np.ndarray) else np.array(X, dtype=object)
    return pd.DataFrame(check_array(X, dtype=None, ensure_all_finite=False))


def _cells(series: nw.Series):
    """Return a column of another kind of frame in pandas's form."""
    dtype = series.dtype
    if isinstance(dtype, nw.Categorical | nw.Enum):
        order = dtype.categories if isinstance(dtype, nw.Enum) else None
        return pd.Categorical(
            series.to_list(),
            categories=order,
            ordered=order is not None and nw.is_ordered_categorical(series),
        )
    if dtype.is_float():
        return series.to_numpy()
    if dtype.is_integer() or dtype == nw.Boolean:
        if not series.null_count():
            return series.to_numpy()
        if dtype == nw.Boolean:
            return pd.array(series.to_list(), dtype="boolean")
        kind = "UInt64" if dtype.is_unsigned_integer() else "Int64"
        return pd.array(series.to_list(), dtype=kind)
    return pd.Series(series.to_list(), dtype=object)


def _is_plain(dtype, kinds: str = "iuf") -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in kinds


def _shared_dtype(dtypes, codes) -> type:
    """Return float32 if no column of numbers needs more, else float64."""
    kinds = [
        getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
        for j, dtype in enumerate(dtypes)
        if j not in codes
    ]
    numbers = [kind for kind in kinds if not _is_plain(kind, "b")]
    if not numbers or not all(_is_plain(kind) for kind in numbers):
        return np.float64
    return np.float32 if np.result_type(*numbers) == np.float32 else np.float64


def _is_number(dtype) -> bool:
    """Whether cells of the dtype are real numbers or truth values."""
    return pd.api.types.is_bool_dtype(dtype) or (
        pd.api.types.is_numeric_dtype(dtype)
        and not pd.api.types.is_complex_dtype(dtype)
    )


def _holds_categories(label, cells: pd.Series) -> bool:
    """Return whether a column holds categories or words, False if numbers."""
    dtype = cells.dtype
    if isinstance(dtype, pd.CategoricalDtype | pd.StringDtype):
        return True
    if _is_number(dtype):
        return False
    _, found = _distinct(label, cells.astype(object))
    kinds = {_kind(value) for value in found}
    if not kinds <= {"words", "numbers"}:
        odd = next(value for value in found if _kind(value) not in ("words", "numbers"))
        raise _not_numbers(label, odd)
    # a column that is missing altogether counts as one of words without levels
    return "words" in kinds or not kinds


def _levels(label, cells: pd.Series) -> dict[Any, int]:
    """Return the code of each level that occurs.

    Levels are in the order of an ordered dtype, else sorted, numbers before words, so
    that codes do not depend on what holds the words.
    """
    _, found = _distinct(label, cells)
    if isinstance(cells.dtype, pd.CategoricalDtype) and cells.dtype.ordered:
        occur = set(found)
        levels = [level for level in cells.dtype.categories if level in occur]
    else:
        try:
            levels = sorted(found)
        except TypeError:
            levels = sorted(found, key=_mixed_order)
    return {level: code for code, level in enumerate(levels)}


def _mixed_order(level) -> tuple:
    kind = _kind(level)
    if kind == "numbers":
        return (0, float(level), "")
    return (1 if kind == "words" else 2, 0.0, str(level))


def _distinct(label, cells: pd.Series) -> tuple[np.ndarray, list]:
    """Return the position of each cell among the values that occur, and those.

    Missing cells have the position -1.
    """
    # an array: pandas 2 makes an index of the values of a Series, where an integer
    # beyond the range of floats overflows
    values = cells.to_numpy() if cells.dtype == object else cells
    try:
        places, found = pd.factorize(values)
    except TypeError:  # cells that cannot be compared, such as lists
        odd = next(value for value in cells if not _is_hashable(value))
        raise _not_numbers(label, odd) from None
    return places, found.tolist()


def _is_hashable(value) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _code(label, cells: pd.Series, codes: Mapping[Any, int]) -> np.ndarray:
    """Return the code of each cell, NaN where it is missing or has none."""
    places, found = _distinct(label, cells)
    of_found = [codes.get(value, np.nan) for value in found]
    if found and codes and np.isnan(of_found).all():
        kinds, known = {_kind(v) for v in found}, {_kind(v) for v in codes}
        if not kinds & known:
            raise ValueError(
                f"Column {str(label)!r} must hold {' or '.join(sorted(known))}, as in "
                f"fit, such as {next(iter(codes))!r}. Got {' or '.join(sorted(kinds))},"
                f" such as {found[0]!r} ({cells.dtype}). Hand over what fit was given."
            )
    return np.array([*of_found, np.nan])[places]  # -1 is the last


def _numbers(label, cells: pd.Series) -> np.ndarray:
    """Return the cells of a column of numbers, NaN where they are missing."""
    if _is_number(cells.dtype):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    places, found = _distinct(label, cells.astype(object))
    for value in found:
        if _kind(value) != "numbers":
            raise _not_numbers(label, value)
    return np.array([*map(_float, found), np.nan])[places]


def _float(value) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number that is too large
        return np.inf


def _kind(value) -> str:
    if isinstance(value, str):
        return "words"
    if isinstance(value, Real | Decimal | np.bool):
        return "numbers"
    return "dates or times" if isinstance(value, _DATES) else type(value).__name__


def _not_numbers(label, value) -> ValueError:
    kind = _kind(value)
    remedy = {
        "words": "Let categorical_features name it, which 'from_dtype' does for "
        "frames, or make numbers of it (pandas.to_numeric).",
        "dates or times": "Make numbers of it, such as year, month or days since a "
        "date, or leave it out.",
    }.get(kind, "Make numbers or words of it, or leave it out.")
    return ValueError(
        f"Column {str(label)!r} must hold numbers, or be a category in fit. Got "
        f"{kind}, such as {value!r}. {remedy}"
    )


def _positions(features, X: pd.DataFrame) -> list[int]:
    """Return the positions of the columns that a parameter names."""
    n = X.shape[1]
    given = np.asarray(features)
    if not given.size:
        return []
    if given.ndim == 1 and given.dtype == bool:
        if len(given) == n:
            return np.flatnonzero(given).tolist()
        raise ValueError(
            "`categorical_features` as a mask must have a value a column, here "
            f"{n}. Got {len(given)}."
        )
    if given.ndim == 1 and given.dtype.kind in "iu":
        if given.min() >= 0 and given.max() < n:
            return sorted(set(given.tolist()))
        raise ValueError(
            f"`categorical_features` as positions must be from 0 to {n - 1}. Got "
            f"{given.tolist()}."
        )
    if given.ndim == 1 and all(isinstance(name, str) for name in given.tolist()):
        return sorted({_position(name, list(X.columns)) for name in given.tolist()})
    raise ValueError(
        "`categorical_features` must be 'from_dtype', None, or a list of names, of "
        f"positions or of truth values, a value a column. Got {features!r}."
    )


def _position(name: str, labels: list) -> int:
    if name in labels:
        return labels.index(name)
    near = difflib.get_close_matches(name, [str(label) for label in labels], n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {labels}."
    raise ValueError(
        f"`categorical_features` must name columns of X. Got {name!r}. {hint}"
    )
