"""From the cells of a table to what the network receives: a transform fitted once.

Numbers come first, then flags (missing cells, one-hot levels), then codes of wide
categories. The plain network gets numbers as they are; the recipe gets them scaled.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack, issparse

from skdnn._tabular.columns import Columns

# One-hot levels of more bytes are kept sparse.
_DENSE_BYTES = 64 * 2**20
# A category of more levels is a code, for an embedding, where the recipe asks for it.
_MOST_ONE_HOT = 8
_QUARTILES = np.array([0.25, 0.5, 0.75])
# Weights that add up to a quartile but for rounding hit it.
_ROUNDING = 1e-10
# Beyond this the smooth clip is flat, and squares are still finite.
_FAR = 1e12
_LARGEST = np.finfo(np.float64).max
# Cells that are encoded at once.
_BLOCK_CELLS = 2**20


@dataclass(frozen=True)
class Category:
    """A column of categories, as the training rows have it.

    Parameters
    ----------
    position : int
        Of the column in the table.
    levels : tuple
        The levels of the training rows.
    slots : ndarray of shape (n_codes + 1,)
        For each code of the column, the position of its level in `levels`, -1 for one
        that the training rows do not have. The last is for missing cells, -1 too.
    """

    position: int
    levels: tuple
    slots: np.ndarray

    def find(self, X: np.ndarray) -> np.ndarray:
        """Return the position in `levels` of each cell, -1 for missing or unseen."""
        codes = X[:, self.position]
        return self.slots[np.where(np.isnan(codes), -1, codes).astype(np.intp)]


@dataclass(frozen=True)
class Scale:
    """Robust scaling and a smooth clip of the numbers and flags.

    ``z / sqrt(1 + (z / 3)²)`` with ``z = (x - centre) / spread``: in between the
    quartiles about linear, never beyond ±3 (Holzmüller et al., 2024, arXiv:2407.04491).

    Parameters
    ----------
    centre, spread : ndarray of shape (n_numbers + n_flags,)
        Median and distance of the quartiles; half the range where the quartiles
        coincide; infinity for a constant column, which becomes 0.
    """

    centre: np.ndarray
    spread: np.ndarray

    def apply(self, x: np.ndarray, columns=slice(None)) -> np.ndarray:
        """Return cells of the given columns, float64, scaled and clipped."""
        with np.errstate(over="ignore"):
            z = np.clip(x - self.centre[columns], -_LARGEST, _LARGEST)
            z = np.clip(z / self.spread[columns], -_FAR, _FAR)
        return z / np.sqrt(1 + (z / 3) ** 2)


@dataclass(frozen=True)
class TableEncoder:
    """A fitted transform from the cells of a table to what the network receives.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Of what the network receives.
    numbers : ndarray of shape (n_numbers,)
        Positions of the columns of numbers.
    fill : ndarray of shape (n_numbers,)
        What stands for a missing number: the median of the training rows.
    empty : ndarray of shape (n_numbers,)
        Whether the training rows have no number there: then all cells are missing.
    flagged : ndarray
        Positions in `numbers` of the columns that have a flag for missing cells.
    one_hot, coded : tuple of Category
        Categories that become a flag a level, and those that become a code: 0 for
        missing or unseen, then the levels.
    scale : Scale or None
        None leaves numbers as they are.
    """

    dtype: str
    numbers: np.ndarray
    fill: np.ndarray
    empty: np.ndarray
    flagged: np.ndarray
    one_hot: tuple[Category, ...]
    coded: tuple[Category, ...]
    scale: Scale | None = None

    @property
    def n_numbers(self) -> int:
        """Count of the inputs that are numbers; they come first."""
        return len(self.numbers)

    @property
    def n_flags(self) -> int:
        """Count of the inputs that are flags; they come after the numbers."""
        return len(self.flagged) + self._n_one_hot

    @property
    def code_sizes(self) -> tuple[int, ...]:
        """For each input that is a code, how many codes there are; they come last."""
        return tuple(len(category.levels) + 1 for category in self.coded)

    @property
    def n_inputs(self) -> int:
        """Count of the columns that the network receives."""
        return self.n_numbers + self.n_flags + len(self.coded)

    @property
    def _n_one_hot(self) -> int:
        return sum(len(category.levels) for category in self.one_hot)

    @property
    def _is_identity(self) -> bool:
        """Whether rows without a missing cell go in as they are."""
        odd = self.one_hot or self.coded or len(self.flagged) or self.empty.any()
        return not odd and self.scale is None

    def input_names(self, names) -> list[str]:
        """Return a name for each input, from the names of the columns.

        A flag is called ``column=level`` or ``column=missing``.
        """
        own = [names[j] for j in self.numbers]
        flags = [f"{own[i]}=missing" for i in self.flagged]
        flags += [
            f"{names[category.position]}={level}"
            for category in self.one_hot
            for level in category.levels
        ]
        return [*own, *flags, *(names[category.position] for category in self.coded)]

    def encode(self, X):
        """Return what the network receives.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n_samples, n_columns)
            Numbers, and codes of categories, as :meth:`Columns.matrix` gives them; NaN
            for what is missing.

        Returns
        -------
        {ndarray, sparse matrix} of shape (n_samples, n_inputs)
            In `dtype`. Sparse if X is, or if one-hot levels are very many cells.
        """
        if self._is_identity and not has_missing(X):
            return X.astype(self.dtype, copy=False)
        if issparse(X):
            return self._encode_sparse(X)
        hot_bytes = len(X) * self._n_one_hot * np.dtype(self.dtype).itemsize
        if self.scale is None and hot_bytes > _DENSE_BYTES:
            return hstack([csr_array(self._numbers(X)), self._hot(X)], format="csr")
        out = np.empty((len(X), self.n_inputs), dtype=self.dtype)
        rows = max(1, _BLOCK_CELLS // self.n_inputs)
        for start in range(0, len(X), rows):
            part = slice(start, start + rows)
            out[part] = self._encode_dense(X[part])
        return out

    def _encode_dense(self, X: np.ndarray) -> np.ndarray:
        out = np.hstack([self._numbers(X), self._hot(X).toarray()])
        if self.scale is not None:
            out = self.scale.apply(out)
        codes = [category.find(X)[:, None] + 1 for category in self.coded]
        return np.hstack([out, *codes])

    def _numbers(self, X: np.ndarray) -> np.ndarray:
        """Return the numbers, missing ones filled in, and the flags for these."""
        # the recipe is scaled in float64, whatever it is then rounded to
        dtype = self.dtype if self.scale is None else np.float64
        numbers = X[:, self.numbers].astype(dtype)
        missing = np.isnan(numbers) | self.empty
        np.copyto(numbers, self.fill.astype(dtype), where=missing)
        return np.hstack([numbers, missing[:, self.flagged]], dtype=dtype)

    def _hot(self, X: np.ndarray):
        """Return the one-hot levels, sparse."""
        rows, slots = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        start = 0
        for category in self.one_hot:
            found = category.find(X)
            rows.append(np.flatnonzero(found >= 0))
            slots.append(start + found[rows[-1]])
            start += len(category.levels)
        cells = np.concatenate(rows), np.concatenate(slots)
        ones = np.ones(len(cells[0]), dtype=self.dtype)
        return csr_array((ones, cells), shape=(len(X), start))

    def _encode_sparse(self, X):
        X = X.astype(np.float64)
        missing = np.isnan(X.data) | self.empty[X.indices]
        flags = X.copy()
        flags.data = missing.astype(np.float64)
        flags = flags[:, self.flagged]
        X.data[missing] = self.fill[X.indices[missing]]
        if self.scale is not None:
            X.data = self.scale.apply(X.data, X.indices)
            flags.data = self.scale.apply(flags.data, self.n_numbers + flags.indices)
        return hstack([X, flags], format="csr").astype(self.dtype)


def has_missing(X) -> bool:
    """Return whether a cell may be NaN; False is sure."""
    cells = X.data if issparse(X) else X
    with np.errstate(all="ignore"):
        return bool(np.isnan(cells.sum()))


def fit_table(columns: Columns, X, weight: np.ndarray, *, recipe: bool) -> TableEncoder:
    """Learn from training rows what the network is to receive.

    Rows of weight 0 are as if they were not there; whole weights are as if rows were
    repeated.

    Parameters
    ----------
    columns : Columns
        Which columns are categories.
    X : {ndarray, sparse matrix} of shape (n_samples, n_columns)
        Numbers, and codes of categories; NaN for what is missing.
    weight : ndarray of shape (n_samples,)
        Weight of each row.
    recipe : bool
        Whether numbers and flags are scaled and clipped, and wide categories are
        codes. Else numbers stay as they are, and every level is a flag.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If no column holds anything.
    """
    counts = weight > 0
    if not counts.all():
        X, weight = X[counts], weight[counts]
    one_hot: list[Category] = []
    coded: list[Category] = []
    for position, codes in columns.codes.items():
        category = _fit_category(position, codes, X[:, position])
        is_wide = recipe and len(category.levels) > _MOST_ONE_HOT
        (coded if is_wide else one_hot).append(category)
    taken = set(columns.codes)
    numbers = np.array([j for j in range(X.shape[1]) if j not in taken], dtype=np.intp)
    centre, spread, n_missing = _fit_numbers(X, numbers, weight)
    empty = n_missing == X.shape[0]
    table = TableEncoder(
        dtype=X.dtype.name,
        numbers=numbers,
        fill=centre,
        empty=empty,
        flagged=np.flatnonzero((n_missing > 0) & ~empty),
        one_hot=tuple(one_hot),
        coded=tuple(coded),
    )
    if not table.n_inputs:
        raise ValueError(
            "X must hold at least one cell that is not missing. Got none in "
            f"{X.shape[0]} training rows of {X.shape[1]} columns."
        )
    return _with_scale(table, X, weight, centre, spread) if recipe else table


def _with_scale(table: TableEncoder, X, weight, centre, spread) -> TableEncoder:
    """Return the table with the scale of its numbers, and of its flags besides."""
    flags = table.encode(X)[:, table.n_numbers : table.n_numbers + table.n_flags]
    flag_centre, flag_spread, _ = _fit_numbers(flags, np.arange(table.n_flags), weight)
    scale = Scale(
        np.concatenate([centre, flag_centre]), np.concatenate([spread, flag_spread])
    )
    if issparse(X):  # zeros must stay zeros
        scale = Scale(np.zeros_like(scale.centre), scale.spread)
    return TableEncoder(**vars(table) | {"scale": scale})


def _fit_category(position: int, codes, cells: np.ndarray) -> Category:
    seen = np.unique(cells[~np.isnan(cells)]).astype(np.intp)
    slots = np.full(len(codes) + 1, -1)
    slots[seen] = np.arange(len(seen))
    levels = list(codes)
    return Category(position, tuple(levels[code] for code in seen), slots)


def _fit_numbers(
    X, positions: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return centre, spread and count of the missing cells of columns."""
    centre, spread = np.zeros(len(positions)), np.full(len(positions), np.inf)
    n_missing = np.zeros(len(positions), dtype=int)
    weight = weight.astype(np.float64)
    equal = not issparse(X) and weight.min() == weight.max()
    if issparse(X):
        X = X.tocsc()
        X.sum_duplicates()
    for i, j in enumerate(positions):
        cells, shares = _column(X, j, weight)
        missing = np.isnan(cells)
        n_missing[i] = missing.sum()
        if n_missing[i]:
            cells, shares = cells[~missing], shares[~missing]
        if len(cells):
            cells = cells.astype(np.float64)
            centre[i], spread[i] = _centre_and_spread(cells, None if equal else shares)
    return centre, spread, n_missing


def _column(X, j: int, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return cells of a column and their weights, zeros that are not stored in one."""
    if not issparse(X):
        return X[:, j], weight
    stored = slice(X.indptr[j], X.indptr[j + 1])
    cells, shares = X.data[stored], weight[X.indices[stored]]
    if len(cells) == len(weight):
        return cells, shares
    rest = max(weight.sum() - shares.sum(), 0)
    return np.append(cells, 0), np.append(shares, rest)


def _centre_and_spread(
    cells: np.ndarray, weight: np.ndarray | None
) -> tuple[float, float]:
    """Return the weighted median, and the scale of a column.

    The quantile is the value where the weights below first exceed the share, or the
    mean of two neighbours where they equal it (Hyndman and Fan, 1996, definition 2).
    """
    if weight is None:
        cells = np.sort(cells)
        below = np.arange(1.0, len(cells) + 1)
    else:
        order = np.argsort(cells)
        cells, below = cells[order], np.cumsum(weight[order])
    marks = _QUARTILES * below[-1]
    left = np.searchsorted(below, marks * (1 - _ROUNDING))
    right = np.searchsorted(below, marks * (1 + _ROUNDING), side="right")
    lower, upper = cells[left], cells[right]
    low, median, high = np.where(lower == upper, lower, lower / 2 + upper / 2)
    with np.errstate(over="ignore"):
        spread = min(high - low, _LARGEST)
        if not spread:
            spread = cells[-1] / 2 - cells[0] / 2
    return float(median), float(spread) or np.inf
