"""What training rows show about unusual rows: how rare cells and pairs of cells are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Training rows that are similar in one column, and how few are enough.
_N_SIMILAR, _LEAST_SIMILAR = 50, 5
# Of each row, the columns with the largest contributions are compared with others.
_N_COMPARED = 3
# Of the standard deviation: how wide a range of numbers is at least.
_LEAST_WIDTH = 0.1
# A category that no similar row has is unusual if at least this number is expected.
_LEAST_EXPECTED = 3.0
# This number of expected rows counts as one width of a range of numbers.
_EXPECTED_PER_WIDTH = 5.0


def n_as_extreme(
    cells: np.ndarray, training: np.ndarray, is_number: bool
) -> np.ndarray:
    """Return how many training rows have cells as extreme, (n_rows,).

    For a number those with a number at least as small, or at least as large if these
    are fewer; for a category, or a missing cell, those with the same.
    """
    if not is_number:
        values, counts = np.unique(training, return_counts=True)
        at = np.minimum(np.searchsorted(values, cells), len(values) - 1)
        return np.where(values[at] == cells, counts[at], 0)
    known, counts = np.unique(training[~np.isnan(training)], return_counts=True)
    cumulated = np.append(0, np.cumsum(counts))
    below = np.searchsorted(known, cells)
    at = np.minimum(below, len(known) - 1)
    is_known = known[at] == cells if len(known) else np.zeros(len(cells), dtype=bool)
    as_low, as_high = cumulated[below + is_known], cumulated[-1] - cumulated[below]
    n_missing = len(training) - int(cumulated[-1])
    return np.where(np.isnan(cells), n_missing, np.minimum(as_low, as_high))


@dataclass
class UnusualPairs:
    """For each row, a cell that no training row similar in another column has.

    All of shape (n_rows,): positions of both columns (-1: there is none), how many
    training rows are similar, and their range (NaN for categories).
    """

    column: np.ndarray
    other: np.ndarray
    n_similar: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def none(cls, n: int) -> "UnusualPairs":
        """Return no pair for each of some rows."""
        nan = np.full(n, np.nan)
        return cls(
            np.full(n, -1), np.full(n, -1), np.zeros(n, dtype=int), nan, nan.copy()
        )


def find_pairs(
    rows: np.ndarray,
    contributions: np.ndarray,
    training: np.ndarray,
    is_numeric: Sequence[bool],
) -> UnusualPairs:
    """Return the pair of each row whose cell is furthest from similar training rows."""
    pairs = UnusualPairs.none(len(rows))
    sizes = np.zeros(len(rows))
    largest = np.argsort(-contributions, axis=1, kind="stable")[:, :_N_COMPARED].T
    compared = [_Cells(rows, columns, training, is_numeric) for columns in largest]
    for other in range(rows.shape[1]):
        similar, n_similar = _similar_rows(
            rows[:, other], training[:, other], is_numeric[other]
        )
        for cells in compared:
            low, high, size = cells.beside(similar, n_similar)
            is_pair = (n_similar >= _LEAST_SIMILAR) & (cells.columns != other)
            at = np.flatnonzero(is_pair & (size > sizes))
            sizes[at], pairs.column[at], pairs.other[at] = (
                size[at], cells.columns[at], other
            )  # fmt: skip
            pairs.n_similar[at], pairs.low[at], pairs.high[at] = (
                n_similar[at], low[at], high[at]
            )  # fmt: skip
    return pairs


class _Cells:
    """One cell of each row, compared with the same column of similar training rows."""

    def __init__(
        self,
        rows: np.ndarray,
        columns: np.ndarray,
        training: np.ndarray,
        is_numeric: Sequence[bool],
    ):
        self.columns = columns
        self._training = training
        self._cells = rows[np.arange(len(rows)), columns]
        self._is_number = np.asarray(is_numeric)[columns]
        self._least_width = np.zeros(len(rows))
        self._share = np.zeros(len(rows))  # of the category in the training rows
        for j in np.unique(columns):
            at = columns == j
            if is_numeric[j]:
                self._least_width[at] = _LEAST_WIDTH * _spread(training[:, j])
            else:
                n = n_as_extreme(self._cells[at], training[:, j], False)
                self._share[at] = n / len(training)

    def beside(
        self, similar: np.ndarray, n_similar: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return range of the similar rows, and how far outside of it each cell is.

        For numbers in widths of the range; for a category that none of them has, by how
        many are expected to.
        """
        values = self._training[similar, self.columns[:, None]]
        low, high = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            width = np.maximum(high - low, self._least_width)
            outside = np.maximum(low - self._cells, self._cells - high)
            far = np.where(outside > 0, outside / width, 0.0)
        expected = self._share * n_similar
        occurs = (values == self._cells[:, None]).any(axis=1)
        lacks = ~occurs & (expected >= _LEAST_EXPECTED)
        missed = np.where(lacks, expected / _EXPECTED_PER_WIDTH, 0.0)
        size = np.where(self._is_number, np.nan_to_num(far, nan=0.0), missed)
        nan = np.where(self._is_number, 0.0, np.nan)
        return low + nan, high + nan, size


def _spread(cells: np.ndarray) -> float:
    """Return the standard deviation of finite numbers."""
    known = cells[np.isfinite(cells)]
    with np.errstate(over="ignore", invalid="ignore"):
        return float(known.std()) if len(known) else 0.0


def _similar_rows(
    cells: np.ndarray, training: np.ndarray, is_number: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of training rows similar in one column, and their number.

    Of numbers these are the nearest in order, at most a fifth of all; of equal cells as
    many as there are, and at most 50. Positions are repeated to fill the array.
    """
    order = np.argsort(training, kind="stable")
    known = training[order]
    known = known[~np.isnan(known)]
    first = np.searchsorted(known, cells, side="left")
    last = np.searchsorted(known, cells, side="right")
    width = min(_N_SIMILAR, len(known) // 5) if is_number else 0
    is_short = last - first < width
    start = np.where(is_short, (first + last - width) // 2, first)
    start = np.clip(start, 0, max(0, len(known) - width))
    length = np.where(is_short, width, last - first)
    length = np.where(np.isnan(cells), 0, length)
    # of more equal cells, some from the first to the last
    steps = np.arange(_N_SIMILAR) * length[:, None] // _N_SIMILAR
    places = np.minimum(start[:, None] + steps, len(order) - 1)
    return order[places], np.minimum(length, _N_SIMILAR)
