"""The columns of a table: which are numeric, and the codes of the categories."""

import datetime
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_array

from skdnn._runtime.suggestions import did_you_mean
from skdnn._tabular.categories import pack, unpack
from skdnn._tabular.column_problems import factorize, spelled
from skdnn.exceptions import ColumnWarning

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
    """Which columns of a table are categorical, and their categories.

    `codes` maps the position of each categorical column to the code of each of its
    categories, from 0. All other columns are numeric; `booleans` are the positions of
    those that hold true and false only.
    """

    codes: Mapping[int, Mapping[Any, int]]
    booleans: tuple[int, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        codes = [[j, pack(of_column)] for j, of_column in self.codes.items()]
        return vars(self) | {"codes": codes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        packed = {j: unpack(categories) for j, categories in state["codes"]}
        codes = {j: _enumerated(categories) for j, categories in packed.items()}
        vars(self).update(state | {"codes": codes})

    def is_numeric(self, X: Any) -> bool:
        """Return whether all values of X are numbers that scikit-learn can check."""
        if self.codes:
            return False
        if not isinstance(X, pd.DataFrame):
            return True
        dtypes = list(X.dtypes)
        plain = all(_is_plain(t) or isinstance(t, pd.SparseDtype) for t in dtypes)
        return plain and len(dtypes) > 0

    def matrix(self, X: Any) -> np.ndarray:
        """Return X as numbers, categories as codes, NaN for missing values.

        X is a frame or an array, of shape (n_samples, n_columns). A category without a
        code counts as missing. The result is float32 if all numbers in X are, else
        float64. Raises ``ValueError`` if a numeric column holds something else, or if
        a categorical one holds only values of other types than in `fit`.
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
            label, column = X.columns[j], X.iloc[:, j]
            if j in self.codes:
                out[:, j] = _encode(label, column, self.codes[j])
            else:
                out[:, j] = _to_numbers(label, column)
        return out


def as_table(X: Any) -> Any:
    """Return a frame of any library as a pandas one, and anything else unchanged.

    Values and kinds of columns are kept: integers beside missing values stay integers,
    categories stay categories. Raises ``ValueError`` for a lazy frame.
    """
    if isinstance(X, np.ndarray | pd.DataFrame) or issparse(X):
        return X
    if nw.dependencies.is_polars_lazyframe(X):
        raise ValueError(
            "X must be a frame in memory. Got a LazyFrame; use .collect()."
        )
    if not nw.dependencies.is_into_dataframe(X):
        return X
    frame = nw.from_native(X, eager_only=True)
    columns = frame.iter_columns()  # at a third of the cost of frame[name]
    return pd.DataFrame({column.name: _pandas_column(column) for column in columns})


def read_columns(X: Any, categorical_features: Any) -> Columns:
    """Determine which columns are categorical, and their categories.

    X is an array, a sparse matrix or a pandas frame, of shape (n_samples, n_columns).
    `categorical_features` is "from_dtype" (the columns of a frame that hold categories
    or strings), names, positions, a mask, or None. Raises ``ValueError`` if a column
    is neither numeric nor categorical, or if `categorical_features` is invalid.
    """
    booleans = _booleans(X)
    if categorical_features is None:
        return Columns({}, booleans)
    if isinstance(categorical_features, str):  # "from_dtype"
        if not isinstance(X, pd.DataFrame):
            return Columns({})
        positions: Iterable[int] = [
            j
            for j, label in enumerate(X.columns)
            if _is_categorical(label, X.iloc[:, j])
        ]
    else:
        X = _as_frame(X)
        positions = _positions(categorical_features, X)
    codes = {j: _category_codes(X.columns[j], X.iloc[:, j]) for j in positions}
    return Columns(codes, tuple(j for j in booleans if j not in codes))


def _booleans(X: Any) -> tuple[int, ...]:
    """Return the positions of the columns of a frame that hold booleans only."""
    if not isinstance(X, pd.DataFrame):
        return ()
    infer, is_bool = pd.api.types.infer_dtype, pd.api.types.is_bool_dtype
    return tuple(
        j
        for j, dtype in enumerate(X.dtypes)
        if is_bool(dtype)
        or (dtype.kind == "O" and infer(X.iloc[:, j], skipna=True) == "boolean")
    )


def _as_frame(X: Any) -> pd.DataFrame:
    if isinstance(X, pd.DataFrame):
        return X
    if issparse(X):
        raise ValueError(
            "X must be a frame or a dense array where columns are categories "
            "(categorical_features). Got a sparse matrix; use .toarray()."
        )
    # np.array would turn the numbers of a list of mixed rows into strings
    X = X if isinstance(X, np.ndarray) else np.array(X, dtype=object)
    return pd.DataFrame(check_array(X, dtype=None, ensure_all_finite=False))


def _pandas_column(series: nw.Series[Any]) -> Any:
    """Return a column of another library's frame as pandas would hold it."""
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


def _is_plain(dtype: Any, kinds: str = "iuf") -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in kinds


def _shared_dtype(dtypes: list[Any], codes: Mapping[int, Any]) -> type:
    """Return float32 if no numeric column needs more, else float64."""
    kinds = [
        getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
        for j, dtype in enumerate(dtypes)
        if j not in codes
    ]
    numbers = [kind for kind in kinds if not _is_plain(kind, "b")]
    if not numbers or not all(_is_plain(kind) for kind in numbers):
        return np.float64
    return np.float32 if np.result_type(*numbers) == np.float32 else np.float64


def _is_number(dtype: Any) -> bool:
    """Return whether values of the dtype are real numbers or booleans."""
    return bool(
        pd.api.types.is_bool_dtype(dtype)
        or (
            pd.api.types.is_numeric_dtype(dtype)
            and not pd.api.types.is_complex_dtype(dtype)
        )
    )


def _is_categorical(label: Any, column: pd.Series) -> bool:
    """Return whether a column holds categories or strings, False if numbers."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype | pd.StringDtype):
        return True
    if _is_number(dtype):
        return False
    _, distinct = distinct_values(label, column.astype(object))
    kinds = {_kind(value) for value in distinct}
    for value in distinct:
        if _kind(value) not in ("strings", "numbers"):
            raise _not_numbers(label, value)
    # a column without any value is categorical, with no category
    return "strings" in kinds or not kinds


def _category_codes(label: Any, column: pd.Series) -> dict[Any, int]:
    """Return the code of each category that occurs.

    Categories are in the order of an ordered dtype, else sorted, numbers before
    strings, so that codes do not depend on the container.
    """
    _, distinct = distinct_values(label, column)
    if isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
        occur = set(distinct)
        categories = [value for value in column.dtype.categories if value in occur]
        return _enumerated(categories)
    return sorted_codes(distinct)


def sorted_codes(distinct: Iterable[Any]) -> dict[Any, int]:
    """Return the code of each category: sorted, numbers before strings."""
    try:
        return _enumerated(sorted(distinct))
    except TypeError:
        return _enumerated(sorted(distinct, key=_mixed_order))


def _enumerated(categories: Iterable[Any]) -> dict[Any, int]:
    return {category: code for code, category in enumerate(categories)}


def _mixed_order(category: Any) -> tuple[int, float, str]:
    kind = _kind(category)
    if kind == "numbers":
        return (0, float(category), "")
    return (1 if kind == "strings" else 2, 0.0, str(category))


def distinct_values(label: Any, column: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """Return what `factorize` does; ``ValueError`` for values it cannot take."""
    try:
        return factorize(column)
    except TypeError:
        odd = next(value for value in column if not _is_hashable(value))
        raise _not_numbers(label, odd) from None


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _encode(label: Any, column: pd.Series, codes: Mapping[Any, int]) -> np.ndarray:
    """Return the code of each value, NaN where it is missing or has none."""
    places, distinct = distinct_values(label, column)
    of_distinct = [codes.get(value, np.nan) for value in distinct]
    if distinct and codes and np.isnan(of_distinct).all():
        kinds, known = {_kind(v) for v in distinct}, {_kind(v) for v in codes}
        if not kinds & known:
            raise ValueError(
                f"Column {str(label)!r} must hold {' or '.join(sorted(known))}, as in "
                f"fit, such as {next(iter(codes))!r}. Got {' or '.join(sorted(kinds))},"
                f" such as {distinct[0]!r} ({column.dtype}). Convert the column to the "
                "type that it had in fit."
            )
    if np.isnan(of_distinct).any():
        _warn_of_unknown(label, distinct, codes)
    return np.array([*of_distinct, np.nan])[places]  # -1 is the last


def _warn_of_unknown(
    label: Any, distinct: Sequence[Any], codes: Mapping[Any, int]
) -> None:
    """Warn of a column whose categories are all new, or known in another spelling."""
    unknown = [value for value in distinct if value not in codes]
    if not codes:
        return
    start = f"Column {str(label)!r}"
    end = "Categories that fit did not have count as missing."
    written = {spelled(value): value for value in codes if isinstance(value, str)}
    same = [v for v in unknown if isinstance(v, str) and spelled(v) in written]
    if same:
        first = same[0]
        text = (
            f"{start} holds '{first}', which was '{written[spelled(first)]}' in fit. "
            f"{end} Write it as in fit."
        )
    elif len(unknown) == len(distinct):
        text = (
            f"{start} holds no category that it had in fit: {unknown[0]!r}, and in fit "
            f"{next(iter(codes))!r}. {end}"
        )
    else:
        return
    warnings.warn(text, ColumnWarning, stacklevel=2)


def _to_numbers(label: Any, column: pd.Series) -> np.ndarray:
    """Return the values of a numeric column, NaN where they are missing."""
    if _is_number(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    places, distinct = distinct_values(label, column.astype(object))
    for value in distinct:
        if _kind(value) != "numbers":
            raise _not_numbers(label, value)
    return np.array([*map(_float, distinct), np.nan])[places]


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer that is too large
        return np.inf


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "strings"
    if isinstance(value, Real | Decimal | np.bool):
        return "numbers"
    return "dates or times" if isinstance(value, _DATES) else type(value).__name__


def _not_numbers(label: Any, value: Any) -> ValueError:
    kind = _kind(value)
    remedy = {
        "strings": "Name it in categorical_features, which 'from_dtype' does for "
        "frames, or convert it to numbers (pandas.to_numeric).",
        "dates or times": "Convert it to numbers, such as year, month or days since a "
        "date, or drop it.",
    }.get(kind, "Convert it to numbers or strings, or drop it.")
    return ValueError(
        f"Column {str(label)!r} must hold numbers, or be categorical in fit. Got "
        f"{kind}, such as {value!r}. {remedy}"
    )


def _positions(features: Any, X: pd.DataFrame) -> list[int]:
    """Return the positions of the columns that a parameter names."""
    n = X.shape[1]
    given = np.asarray(features)
    if not given.size:
        return []
    if given.ndim == 1 and given.dtype == bool:
        if len(given) == n:
            return [int(j) for j in np.flatnonzero(given)]
        raise ValueError(
            "`categorical_features` as a mask must have one boolean per column: "
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
        f"positions or of booleans, one per column. Got {features!r}."
    )


def _position(name: str, labels: list[Any]) -> int:
    if name in labels:
        return labels.index(name)
    hint = did_you_mean(name, labels) or f" The columns are: {labels}."
    raise ValueError(
        f"`categorical_features` must name columns of X. Got {name!r}.{hint}"
    )
