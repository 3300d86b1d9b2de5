"""How unusual the cells of rows are: alone, and beside the other cells of the row.

Everything is learned from reference rows. Cells are floats: numbers, NaN if missing, or
codes of categories.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

# Squares of one standard deviation count this much as distance to the nearest value.
_GAP = 10.0
# Parts are raised to this power: one very unusual cell counts more than many slightly
# unusual ones.
_POWER = 1.5
# Standard deviations from the mean, at most.
_FURTHEST = 1e6
_RIDGE = 1e-3
# A category or missing cells have coordinates of their own from this number on.
_LEAST_ROWS, _LEAST_SHARE = 5, 0.01
_MAX_LEVELS = 8
_N_BINS = 6
# Pairs of columns that are tabulated, and that are kept.
_MAX_TABULATED, _MAX_PAIRS = 2000, 200
_CELLS_AT_ONCE = 2**20


class Numbers:
    """The numbers of one column in the reference rows."""

    def __init__(self, cells: np.ndarray):
        known = np.sort(cells[np.isfinite(cells)])
        self._known = known
        self._n_missing = len(cells) - len(known)
        self._tails = _tails(np.array([self._n_missing, len(known)]), 0)
        self._is_constant = not len(known) or known[0] == known[-1]
        self._new = _tail_of_new(len(cells), 0)
        self._has_indicator = self._n_missing >= _LEAST_ROWS and len(known) > 0
        self._center, self._spread = 0.0, 1.0
        if len(known):
            scale = np.abs(known).max() or 1.0  # squares of large numbers overflow
            self._center = float((known / scale).mean() * scale)
            self._spread = float((known / scale).std() * scale)
        edges = np.arange(1, _N_BINS) / _N_BINS
        self._edges = np.unique(_quantiles(known, edges))
        self.n_levels = len(self._edges) + 2

    def coordinates(self, cells: np.ndarray) -> np.ndarray:
        """Return standard deviations from the mean and whether missing, (n, width)."""
        is_known = ~np.isnan(cells)
        parts = []
        if not self._is_constant:
            parts.append(np.where(is_known, self._scaled(cells, self._center), 0.0))
        if self._has_indicator:
            n = len(self._known) + self._n_missing
            share = max(self._n_missing / n, _LEAST_SHARE)
            parts.append(~is_known / np.sqrt(share))
        return np.column_stack(parts) if parts else np.empty((len(cells), 0))

    def residuals(self, squares: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Return squared residuals; those of missing cells as of a category."""
        if not self._has_indicator:
            return squares
        return np.where(np.isnan(cells), 2 * np.log1p(squares), squares)

    def levels(self, cells: np.ndarray) -> np.ndarray:
        """Return the bin of each cell; missing cells have the last one."""
        bins = np.searchsorted(self._edges, cells)
        return np.where(np.isnan(cells), self.n_levels - 1, bins)

    def alone(self, cells: np.ndarray) -> np.ndarray:
        """Return how unusual cells are by themselves: gaps, new and missing ones."""
        is_known = ~np.isnan(cells)
        unusual = -2 * np.log(self._tails[is_known.astype(int)])
        if not len(self._known):
            return unusual
        if self._is_constant:
            is_new = is_known & (cells != self._known[0])
            return np.where(is_new, -2 * np.log(self._new), unusual)
        held = np.where(is_known, cells, self._known[0])
        after = np.searchsorted(self._known, held)
        below = self._known[np.maximum(after - 1, 0)]
        above = self._known[np.minimum(after, len(self._known) - 1)]
        gaps = [np.abs(self._scaled(held, at)) for at in (below, above)]
        return unusual + _GAP * np.minimum(*gaps) ** 2

    def _scaled(self, cells: np.ndarray, center: float | np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = (cells - center) / self._spread
        return np.clip(scaled, -_FURTHEST, _FURTHEST)


class Categories:
    """The categories of one column in the reference rows."""

    def __init__(self, cells: np.ndarray):
        self._values, counts = np.unique(cells, return_counts=True)
        n, n_once = len(cells), int((counts == 1).sum())
        self._tails = _tails(counts, n_once)
        self._new = _tail_of_new(n, n_once)
        often = np.argsort(-counts, kind="stable")[:_MAX_LEVELS]
        often = often[counts[often] >= max(_LEAST_ROWS, _LEAST_SHARE * n)]
        self._often, self._shares = self._values[often], counts[often] / n
        self.n_levels = len(often) + 1

    def coordinates(self, cells: np.ndarray) -> np.ndarray:
        """Return indicators of frequent categories except the first, (n, width)."""
        indicators = cells[:, None] == self._often[1:]
        return indicators / np.sqrt(self._shares[1:])

    def residuals(self, squares: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Return -2 log of a probability p whose squared residual is (1 - p) / p."""
        del cells
        return 2 * np.log1p(squares)

    def levels(self, cells: np.ndarray) -> np.ndarray:
        """Return the place among frequent categories; all others share the last."""
        levels = np.full(len(cells), self.n_levels - 1)
        for place, value in enumerate(self._often):
            levels[cells == value] = place
        return levels

    def alone(self, cells: np.ndarray) -> np.ndarray:
        """Return how unusual cells are by themselves: new and rare categories."""
        at = np.minimum(np.searchsorted(self._values, cells), len(self._values) - 1)
        is_known = self._values[at] == cells
        return -2 * np.log(np.where(is_known, self._tails[at], self._new))


class NoveltyScore:
    """Scores rows by how unlike the reference rows they are.

    The parts of each column are squared residuals given all other columns (of the
    inverse of a covariance matrix, shrunk), what a cell is by itself, and half of how
    much rarer than by chance its bin or category is with that of another column.
    """

    def __init__(self, rows: np.ndarray, is_numeric: Sequence[bool]):
        self._columns: list[Numbers | Categories] = [
            Numbers(rows[:, j]) if is_number else Categories(rows[:, j])
            for j, is_number in enumerate(is_numeric)
        ]
        blocks = [c.coordinates(rows[:, j]) for j, c in enumerate(self._columns)]
        widths = [block.shape[1] for block in blocks]
        self._ends = np.cumsum([0, *widths])
        points = np.hstack(blocks)
        self._mean = points.mean(axis=0)
        self._whiten = _whitening(points - self._mean, self._ends)
        self._pairs = self._dependent_pairs(rows)

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """Return the contribution of each column, (n_rows, n_columns); none is < 0."""
        size = max(1, _CELLS_AT_ONCE // max(self._ends[-1], rows.shape[1]))
        parts = [
            self._of_block(rows[start : start + size])
            for start in range(0, len(rows), size)
        ]
        return np.concatenate(parts)

    def _of_block(self, rows: np.ndarray) -> np.ndarray:
        columns = self._columns
        parts = np.stack([c.alone(rows[:, j]) for j, c in enumerate(columns)])
        parts += self._residuals(rows)
        levels = [c.levels(rows[:, j]) for j, c in enumerate(columns)]
        for i, j, table in self._pairs:
            half = np.take(table, levels[i] * columns[j].n_levels + levels[j])
            parts[i] += half
            parts[j] += half
        return parts.T**_POWER

    def _residuals(self, rows: np.ndarray) -> np.ndarray:
        """Return squared residuals of columns given the others, (n_columns, n_rows)."""
        blocks = [c.coordinates(rows[:, j]) for j, c in enumerate(self._columns)]
        squares = ((np.hstack(blocks) - self._mean) @ self._whiten) ** 2
        return np.stack(
            [
                column.residuals(
                    squares[:, self._ends[j] : self._ends[j + 1]].sum(axis=1),
                    rows[:, j],
                )
                for j, column in enumerate(self._columns)
            ]
        )

    def _dependent_pairs(self, rows: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
        """Return pairs of columns that depend on each other, with their tables."""
        columns = self._columns
        levels = [c.levels(rows[:, j]) for j, c in enumerate(columns)]
        kept = []
        for i, j in _most_correlated(np.column_stack(levels)):
            n_levels = columns[i].n_levels, columns[j].n_levels
            codes = levels[i] * n_levels[1] + levels[j]
            counts = np.bincount(codes, minlength=n_levels[0] * n_levels[1])
            dependence, table = _rarity(counts.reshape(n_levels))
            if dependence > 0:
                kept.append((dependence, i, j, table.ravel() / 2))
        kept.sort(key=lambda pair: -pair[0])
        return [(i, j, table) for _, i, j, table in kept[:_MAX_PAIRS]]


def _quantiles(ordered: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return quantiles that are values themselves: sums of large ones overflow."""
    return ordered[(shares * len(ordered)).astype(int)] if len(ordered) else ordered


def _tails(counts: np.ndarray, n_once: int) -> np.ndarray:
    """Return the share of rows with a value at most as frequent as each, new ones too.

    That of new ones is the share of values that occur once (Good, 1953).
    """
    n = int(counts.sum())
    order = np.argsort(counts, kind="stable")
    ordered = counts[order]
    cumulated = np.append(0, np.cumsum(ordered))
    at_most = cumulated[np.searchsorted(ordered, counts, side="right")]
    return np.minimum(1, _tail_of_new(n, n_once) + at_most / n)


def _tail_of_new(n: int, n_once: int) -> float:
    return (n_once + 1) / (n + 2)


def _whitening(points: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the matrix from centred points to whitened residuals of each column.

    With P the inverse of the covariance matrix and B the coordinates of a column, their
    residuals given all others are (P_BB)^-1 (P z)_B, with covariance (P_BB)^-1.
    """
    from sklearn.covariance import LedoitWolf

    width = points.shape[1]
    if not width:
        return np.empty((0, 0))
    covariance = LedoitWolf(assume_centered=True).fit(points).covariance_
    inverse = np.linalg.inv(covariance + _RIDGE * np.eye(width))
    whiten = np.empty((width, width))
    for start, stop in pairwise(ends.tolist()):
        own = slice(start, stop)
        root = np.linalg.cholesky(inverse[own, own])
        whiten[:, own] = np.linalg.solve(root, inverse[own]).T
    return whiten


def _most_correlated(levels: np.ndarray) -> list[tuple[int, int]]:
    """Return all pairs of columns, or of many those whose levels correlate most."""
    first, second = np.triu_indices(levels.shape[1], 1)
    if len(first) > _MAX_TABULATED:
        centred = levels - levels.mean(axis=0)
        spread = centred.std(axis=0)
        scaled = centred / np.where(spread > 0, spread, 1)
        size = np.abs(scaled.T @ scaled)[first, second]
        chosen = np.sort(np.argsort(-size, kind="stable")[:_MAX_TABULATED])
        first, second = first[chosen], second[chosen]
    return list(zip(first.tolist(), second.tolist(), strict=True))


def _rarity(counts: np.ndarray) -> tuple[float, np.ndarray]:
    """Return by how much a table is dependent, and how rare each cell is for that.

    The dependence is the G statistic less its mean and three standard deviations if the
    columns are independent. Cells as frequent as by chance, or more, are not rare.
    """
    in_rows, in_columns = counts.sum(axis=1), counts.sum(axis=0)
    expected = np.outer(in_rows, in_columns) / counts.sum()
    occurs = counts > 0
    ratio = np.log(counts[occurs] / expected[occurs])
    statistic = 2 * float((counts[occurs] * ratio).sum())
    df = ((in_rows > 0).sum() - 1) * ((in_columns > 0).sum() - 1)
    rarity = 2 * np.maximum(0, np.log((expected + 1) / (counts + 1)))
    return statistic - df - 3 * float(np.sqrt(2 * df)), rarity
