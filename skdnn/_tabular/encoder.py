"""From the columns of a table to the inputs of a network: a transform fitted once.

Numeric inputs come first, then flags (of missing values and one-hot categories), then
codes of columns with many categories. A plain network gets numbers unscaled, the recipe
gets them scaled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack, issparse

from skdnn._tabular.categories import pack, unpack
from skdnn._tabular.columns import Columns

# One-hot categories of more bytes are kept sparse.
_DENSE_BYTES = 64 * 2**20
# A column of more categories becomes a code, for an embedding, in the recipe.
_MOST_ONE_HOT = 8
_QUARTILES = np.array([0.25, 0.5, 0.75])
# Sums of weights this close to a quartile, relatively, equal it.
_ROUNDING = 1e-10
# Beyond this the smooth clip is flat, and squares are still finite.
_FAR = 1e12
_LARGEST = np.finfo(np.float64).max
# Values that are encoded at once.
_BLOCK_VALUES = 2**16


@dataclass(frozen=True)
class CategoricalColumn:
    """A categorical column: its position in the table, and its training categories.

    `slots`, of shape (n_codes + 1,), holds for each code of the column the position in
    `categories`, -1 for a category that the training rows do not have. Its last
    element is for missing values, -1 too.
    """

    position: int
    categories: tuple[Any, ...]
    slots: np.ndarray

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"categories": pack(self.categories)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state | {"categories": unpack(state["categories"])})

    def find(self, X: np.ndarray) -> np.ndarray:
        """Return the position in `categories` of each value; -1: missing or unknown."""
        codes = X[:, self.position]
        return self.slots[np.where(np.isnan(codes), -1, codes).astype(np.intp)]


@dataclass(frozen=True)
class Scale:
    """Robust scaling and a smooth clip of numeric inputs and flags.

    ``z / sqrt(1 + (z / 3)²)`` with ``z = (x - centre) / spread``: nearly linear between
    the quartiles, never beyond ±3 (Holzmüller et al., 2024, arXiv:2407.04491). `centre`
    is the median, `spread` the distance of the quartiles; half the range where these
    coincide; infinity for a constant column, which becomes 0. Both are of shape
    (n_numeric + n_flags,).
    """

    centre: np.ndarray
    spread: np.ndarray

    def apply(
        self, x: np.ndarray, columns: np.ndarray | slice = slice(None)
    ) -> np.ndarray:
        """Return values of the given columns scaled and clipped, float64."""
        with np.errstate(over="ignore"):
            z = np.subtract(x, self.centre[columns], dtype=np.float64)
            np.clip(z, -_LARGEST, _LARGEST, out=z)
            z /= self.spread[columns]
            np.clip(z, -_FAR, _FAR, out=z)
        length = z / 3
        length *= length
        length += 1
        z /= np.sqrt(length, out=length)
        return z


@dataclass(frozen=True)
class TableEncoder:
    """A fitted transform from the columns of a table to the inputs of a network.

    `dtype` is that of the inputs. `numeric` holds the positions of the numeric columns;
    `fill` the median of each in the training rows, for missing values; `empty` whether
    the training rows have no value there: then all values are missing. `flagged` holds
    the positions in `numeric` of the columns with a flag for missing values. Columns
    in `one_hot` become one flag per category, those in `coded` a code: 0 for a missing
    or unknown value, then the categories. Without a `scale` numbers stay unscaled.
    """

    dtype: str
    numeric: np.ndarray
    fill: np.ndarray
    empty: np.ndarray
    flagged: np.ndarray
    one_hot: tuple[CategoricalColumn, ...]
    coded: tuple[CategoricalColumn, ...]
    scale: Scale | None = None

    @property
    def n_numeric(self) -> int:
        """Number of numeric inputs; they come first."""
        return len(self.numeric)

    @property
    def n_flags(self) -> int:
        """Number of flags; they come after the numeric inputs."""
        return len(self.flagged) + self._n_one_hot

    @property
    def code_sizes(self) -> tuple[int, ...]:
        """Number of codes of each input that is a code; they come last."""
        return tuple(len(column.categories) + 1 for column in self.coded)

    @property
    def n_inputs(self) -> int:
        """Number of all inputs of the network."""
        return self.n_numeric + self.n_flags + len(self.coded)

    @property
    def _n_one_hot(self) -> int:
        return sum(len(column.categories) for column in self.one_hot)

    @property
    def _is_identity(self) -> bool:
        """Whether rows without a missing value are passed on unchanged."""
        odd = self.one_hot or self.coded or len(self.flagged) or self.empty.any()
        return not odd and self.scale is None

    def input_names(self, names: Sequence[str]) -> list[str]:
        """Return a name for each input, from the names of the columns.

        A flag is called ``column=category`` or ``column=missing``.
        """
        numeric = [names[j] for j in self.numeric]
        flags = [f"{numeric[i]}=missing" for i in self.flagged]
        flags += [
            f"{names[column.position]}={category}"
            for column in self.one_hot
            for category in column.categories
        ]
        return [*numeric, *flags, *(names[column.position] for column in self.coded)]

    def encode(self, X: Any) -> Any:
        """Return the inputs of the network, of shape (n_samples, n_inputs), in `dtype`.

        X, of shape (n_samples, n_columns), is an array or sparse matrix as
        `Columns.matrix` returns it. The result is sparse if X is, or if there are very
        many one-hot categories.
        """
        if self._is_identity and not has_missing(X):
            return X.astype(self.dtype, copy=False)
        if issparse(X):
            return self._encode_sparse(X)
        one_hot_bytes = len(X) * self._n_one_hot * np.dtype(self.dtype).itemsize
        if self.scale is None and one_hot_bytes > _DENSE_BYTES:
            parts = [csr_array(self._numeric(X)), self._one_hot(X)]
            return hstack(parts, format="csr")
        out = np.empty((len(X), self.n_inputs), dtype=self.dtype)
        rows = max(1, _BLOCK_VALUES // self.n_inputs)
        for start in range(0, len(X), rows):
            part = slice(start, start + rows)
            self._encode_dense(X[part], out[part])
        return out

    def _encode_dense(self, X: np.ndarray, out: np.ndarray) -> None:
        """Write the inputs of the network into `out`."""
        n_dense = self.n_numeric + self.n_flags
        dense = self._numeric(X)
        if self.one_hot:
            dense = np.hstack([dense, self._one_hot(X).toarray()])
        out[:, :n_dense] = dense if self.scale is None else self.scale.apply(dense)
        for i, column in enumerate(self.coded, start=n_dense):
            out[:, i] = column.find(X) + 1

    def _numeric(self, X: np.ndarray) -> np.ndarray:
        """Return the numbers, missing ones filled in, and the flags for these."""
        # the recipe scales in float64, whatever the result is rounded to
        dtype = self.dtype if self.scale is None else np.float64
        numbers = X[:, self.numeric].astype(dtype)
        missing = np.isnan(numbers) | self.empty
        np.copyto(numbers, self.fill.astype(dtype), where=missing)
        if not len(self.flagged):
            return numbers
        return np.hstack([numbers, missing[:, self.flagged]], dtype=dtype)

    def _one_hot(self, X: np.ndarray) -> csr_array:
        rows, slots = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        start = 0
        for column in self.one_hot:
            positions = column.find(X)
            rows.append(np.flatnonzero(positions >= 0))
            slots.append(start + positions[rows[-1]])
            start += len(column.categories)
        where = np.concatenate(rows), np.concatenate(slots)
        ones = np.ones(len(where[0]), dtype=self.dtype)
        return csr_array((ones, where), shape=(len(X), start))

    def _encode_sparse(self, X: Any) -> Any:
        X = X.astype(np.float64)
        missing = np.isnan(X.data) | self.empty[X.indices]
        flags = X.copy()
        flags.data = missing.astype(np.float64)
        flags = flags[:, self.flagged]
        X.data[missing] = self.fill[X.indices[missing]]
        if self.scale is not None:
            X.data = self.scale.apply(X.data, X.indices)
            flags.data = self.scale.apply(flags.data, self.n_numeric + flags.indices)
        return hstack([X, flags], format="csr").astype(self.dtype)


def has_missing(X: Any) -> bool:
    """Return False if no value is NaN; True if one may be."""
    values = X.data if issparse(X) else X
    with np.errstate(all="ignore"):
        return bool(np.isnan(values.sum()))


def fit_encoder(
    columns: Columns,
    X: Any,
    weight: np.ndarray,
    *,
    recipe: bool,
    is_sample: bool = False,
) -> TableEncoder:
    """Return an encoder fitted to training rows.

    X, of shape (n_samples, n_columns), is an array or sparse matrix as
    `Columns.matrix` returns it. Rows of weight 0 have no effect; integer weights act as
    repeated rows. In the recipe numbers and flags are scaled and clipped, and columns
    of many categories become codes; else numbers stay unscaled, and every category
    becomes a flag. Of a sample of the training rows, the categories are all those of
    the columns. Raises ``ValueError`` if no column holds a value.
    """
    counts = weight > 0
    if not counts.all():
        X, weight = X[counts], weight[counts]
    one_hot: list[CategoricalColumn] = []
    coded: list[CategoricalColumn] = []
    for position, codes in columns.codes.items():
        values = np.arange(len(codes)) if is_sample else X[:, position]
        column = _fit_categorical(position, codes, values)
        is_wide = recipe and len(column.categories) > _MOST_ONE_HOT
        (coded if is_wide else one_hot).append(column)
    numeric = [j for j in range(X.shape[1]) if j not in columns.codes]
    positions = np.array(numeric, dtype=np.intp)
    centre, spread, n_missing = _fit_numeric(X, positions, weight)
    empty = n_missing == X.shape[0]
    encoder = TableEncoder(
        dtype=X.dtype.name,
        numeric=positions,
        fill=centre,
        empty=empty,
        flagged=np.flatnonzero((n_missing > 0) & ~empty),
        one_hot=tuple(one_hot),
        coded=tuple(coded),
    )
    if not encoder.n_inputs:
        raise ValueError(
            "X must hold at least one value that is not missing. Got none in "
            f"{X.shape[0]} training rows of {X.shape[1]} columns."
        )
    return _with_scale(encoder, X, weight, centre, spread) if recipe else encoder


def _with_scale(
    encoder: TableEncoder,
    X: Any,
    weight: np.ndarray,
    centre: np.ndarray,
    spread: np.ndarray,
) -> TableEncoder:
    """Return the encoder with the scale of its numbers and flags."""
    start, n_flags = encoder.n_numeric, encoder.n_flags
    flags = encoder.encode(X)[:, start : start + n_flags]
    flag_centre, flag_spread, _ = _fit_numeric(flags, np.arange(n_flags), weight)
    centre = np.concatenate([centre, flag_centre])
    if issparse(X):  # zeros must stay zeros
        centre = np.zeros_like(centre)
    return replace(encoder, scale=Scale(centre, np.concatenate([spread, flag_spread])))


def _fit_categorical(
    position: int, codes: Mapping[Any, int], values: np.ndarray
) -> CategoricalColumn:
    present = np.unique(values[~np.isnan(values)]).astype(np.intp)
    slots = np.full(len(codes) + 1, -1)
    slots[present] = np.arange(len(present))
    categories = list(codes)
    return CategoricalColumn(position, tuple(categories[i] for i in present), slots)


def _fit_numeric(
    X: Any, positions: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return centre, spread and number of missing values of columns."""
    centre, spread = np.zeros(len(positions)), np.full(len(positions), np.inf)
    n_missing = np.zeros(len(positions), dtype=int)
    weight = weight.astype(np.float64)
    equal = not issparse(X) and weight.min() == weight.max()
    if issparse(X):
        X = X.tocsc()
        X.sum_duplicates()
    for i, j in enumerate(positions):
        values, shares = _column(X, j, weight)
        missing = np.isnan(values)
        n_missing[i] = missing.sum()
        if n_missing[i]:
            values, shares = values[~missing], shares[~missing]
        if len(values):
            values = values.astype(np.float64)
            centre[i], spread[i] = _centre_and_spread(values, None if equal else shares)
    return centre, spread, n_missing


def _column(X: Any, j: int, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values of a column and their weights; unstored zeros as one value."""
    if not issparse(X):
        return X[:, j], weight
    stored = slice(X.indptr[j], X.indptr[j + 1])
    values, shares = X.data[stored], weight[X.indices[stored]]
    if len(values) == len(weight):
        return values, shares
    rest = max(weight.sum() - shares.sum(), 0)
    return np.append(values, 0), np.append(shares, rest)


def _centre_and_spread(
    values: np.ndarray, weight: np.ndarray | None
) -> tuple[float, float]:
    """Return the weighted median, and the scale of a column.

    A quantile is the value where the cumulated weights first exceed the share, or the
    mean of two neighbours where they equal it (Hyndman and Fan, 1996, definition 2).
    """
    if weight is None:
        values = np.sort(values)
        below = np.arange(1.0, len(values) + 1)
    else:
        order = np.argsort(values)
        values, below = values[order], np.cumsum(weight[order])
    marks = _QUARTILES * below[-1]
    left = np.searchsorted(below, marks * (1 - _ROUNDING))
    right = np.searchsorted(below, marks * (1 + _ROUNDING), side="right")
    lower, upper = values[left], values[right]
    low, median, high = np.where(lower == upper, lower, lower / 2 + upper / 2)
    with np.errstate(over="ignore"):
        spread = min(high - low, _LARGEST)
        if not spread:
            spread = values[-1] / 2 - values[0] / 2
    return float(median), float(spread) or np.inf
