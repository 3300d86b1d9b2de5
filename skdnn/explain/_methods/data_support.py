"""Which rows are similar to the data, and which are off it."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._model.columns import OTHERS, Column
from skdnn.explain._model.target import Problem

LEAST_ROWS = 10
_MAX_ROWS = 500
# Cells of rows that are looked up at once.
_MAX_CELLS = 2**20
# This share of the data is off the data by definition.
USUAL = 0.05
# Of distances, for errors of rounding.
_SLACK = 1e-9


class Support:
    """Finds rows that are further from the data than data rows are from each other.

    Numbers are measured in standard deviations; another category, or a missing value
    instead of a known one, counts as one. The data is a sample of the background.
    """

    def __init__(
        self,
        problem: Problem,
        random_state: np.random.RandomState,
        *,
        max_rows: int | None = _MAX_ROWS,
    ):
        from sklearn.neighbors import NearestNeighbors

        rows = problem.background
        if max_rows is not None and len(rows) > max_rows:
            rows = rows[random_state.permutation(len(rows))[:max_rows]]
        self.rows = rows
        self._columns = problem.target.columns
        known = np.isfinite(rows)
        held = np.where(known, rows, 0.0)
        count = np.maximum(known.sum(axis=0), 1)
        self._mean = held.sum(axis=0) / count
        spread = np.sqrt((np.where(known, held - self._mean, 0) ** 2).sum(0) / count)
        self._spread = np.where(spread > 0, spread, 1.0)
        self._categories = [np.unique(rows[:, j]) for j in range(rows.shape[1])]
        self._is_known = known.T.copy()
        cells = enumerate(rows.T)
        self._at = np.stack([self._scaled(j, column) for j, column in cells])
        self._nearest = NearestNeighbors(n_neighbors=1).fit(self._points(rows))
        distances = self._nearest.kneighbors()[0][:, 0]
        self._limit = float(np.quantile(distances, 1 - USUAL))

    @property
    def most_squared(self) -> float:
        """The largest squared distance from the data of rows that are not off it."""
        return (self._limit + _SLACK) ** 2

    def squares(
        self, j: int, codes: np.ndarray, near: np.ndarray | slice = slice(None)
    ) -> np.ndarray:
        """Return what one column adds to squared distances, (n_codes, n_near)."""
        if not self._columns[j].is_numeric:
            # a category that the data lacks has no coordinate of its own
            most = np.where(np.isin(codes, self._categories[j]), 1.0, 0.5)
            is_same = codes[:, None] == self.rows[near, j]
            return np.where(is_same, 0.0, most[:, None])
        squares = (self._scaled(j, codes)[:, None] - self._at[j, near]) ** 2
        is_known = np.isfinite(codes)
        if not (is_known.all() and self._is_known[j].all()):
            squares += is_known[:, None] != self._is_known[j, near]
        return np.asarray(squares)

    def outside(self, rows: np.ndarray) -> np.ndarray:
        """Return whether each coded row is off the data, of shape (n_rows,)."""
        distances = self._nearest.kneighbors(self._points(rows))[0][:, 0]
        return np.asarray(distances > self._limit + _SLACK)

    def nearest(self, rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return distances and positions of the `n` nearest rows of the data.

        Both of shape (n_rows, n); positions among all rows if none were left out.
        """
        distances, positions = self._nearest.kneighbors(self._points(rows), n)
        return distances, positions

    def shares_outside(self, tables: Sequence[np.ndarray]) -> np.ndarray:
        """Return the share of rows off the data in each of tables of equal length."""
        shares = []
        size = max(1, _MAX_CELLS // tables[0].size) if tables else 1
        for start in range(0, len(tables), size):
            part = tables[start : start + size]
            outside = self.outside(np.concatenate(part))
            shares.append(outside.reshape(len(part), -1).mean(axis=1))
        return np.concatenate(shares) if shares else np.empty(0)

    def _points(self, rows: np.ndarray) -> np.ndarray:
        """Return rows as points in a Euclidean space."""
        parts = []
        for j, column in enumerate(self._columns):
            cells = rows[:, [j]]
            if column.is_numeric:
                parts += [self._scaled(j, cells), np.isfinite(cells)]
            else:
                # the distance of two categories is the root of 2 before division
                parts.append((cells == self._categories[j]) / math.sqrt(2))
        return np.hstack(parts).astype(float)

    def _scaled(self, j: int, cells: np.ndarray) -> np.ndarray:
        """Return numbers in standard deviations from the mean, 0 if missing."""
        scaled = (cells - self._mean[j]) / self._spread[j]
        return np.where(np.isfinite(cells), scaled, 0.0)


class RowSupport:
    """Finds the changes of one coded row that are not off the data.

    Only data rows that are near in the columns that stay can be near after a change, so
    few of all combinations of values have to be compared.
    """

    def __init__(
        self, support: Support, row: np.ndarray, own: np.ndarray | None = None
    ):
        self.support = support
        self._row = row
        if own is None:
            own = np.stack([support.squares(j, row[[j]])[0] for j in range(len(row))])
        self._own = own  # squares of each column, (n_features, n_data)

    def of_changed(self, row: np.ndarray) -> "RowSupport":
        """Return the same for the row with some changes."""
        own = self._own.copy()
        for j in np.flatnonzero(row != self._row):
            own[j] = self.support.squares(int(j), row[[j]])[0]
        return RowSupport(self.support, row, own)

    @property
    def is_outside(self) -> bool:
        """Whether the row itself is off the data."""
        return bool(self._own.sum(axis=0).min() > self.support.most_squared)

    def inside(self, rows: np.ndarray) -> np.ndarray:
        """Return whether each of some rows is not off the data, of shape (n_rows,)."""
        return self.nearest(rows) <= self.support.most_squared

    def nearest(self, rows: np.ndarray) -> np.ndarray:
        """Return the squared distance of each of some rows from the data, (n_rows,)."""
        nearest = [np.empty(0)]
        size = max(1, _MAX_CELLS // self._own.shape[1])
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            stays = (part == self._row).all(axis=0)
            squares = np.repeat(self._own[stays].sum(axis=0)[None], len(part), axis=0)
            for j in np.flatnonzero(~stays):
                squares += self.support.squares(int(j), part[:, j])
            nearest.append(squares.min(axis=1))
        return np.concatenate(nearest)

    def combinations(
        self,
        columns: Sequence[int],
        values: Sequence[np.ndarray],
        squares: Sequence[np.ndarray] | None = None,
    ) -> np.ndarray:
        """Return the combinations of values of some columns that are not off the data.

        The shape is (n_combinations, n_columns); the last column varies fastest.
        `squares` are those of the values, if they are known.
        """
        most = self.support.most_squared
        others = self._others(columns)
        near = np.flatnonzero(others <= most)
        if not len(near):
            return np.empty((0, len(columns)))
        own = sums = others[None, near]
        cells = np.empty((1, 0))
        for place, (j, known) in enumerate(zip(columns, values, strict=True)):
            if squares is None:
                added = self.support.squares(j, known, near)
            else:
                added = squares[place][:, near]
            if place:
                is_near = (own + added).min(axis=1) <= most
                known, added = known[is_near], added[is_near]
            is_last = place == len(columns) - 1
            before, after, sums = _added(sums, added, most, is_last)
            cells = np.column_stack([cells[before], known[after]])
        return cells

    def _others(self, columns: Sequence[int]) -> np.ndarray:
        """Return the sums of the squares of all other columns, (n_data,)."""
        if len(columns) == 1:
            return np.asarray(self._without[columns[0]])
        stays = np.ones(len(self._own), dtype=bool)
        stays[list(columns)] = False
        return np.asarray(self._own[stays].sum(axis=0))

    @cached_property
    def _without(self) -> np.ndarray:
        """Sums without one column, added up: differences would lose small squares."""
        zero = np.zeros((1, self._own.shape[1]))
        before = np.vstack([zero, self._own[:-1].cumsum(axis=0)])
        after = np.vstack([zero, self._own[:0:-1].cumsum(axis=0)])[::-1]
        return np.asarray(before + after)


def _added(
    squares: np.ndarray, added: np.ndarray, most: float, is_last: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs of rows of two matrices whose sum has a cell that is small.

    The sums are returned as well, unless these are the last.
    """
    size = max(1, _MAX_CELLS // max(1, added.size))
    first, second, sums = [], [], []
    for start in range(0, len(squares), size):
        both = squares[start : start + size, None] + added
        pair = np.nonzero(both.min(axis=2) <= most)
        first.append(pair[0] + start)
        second.append(pair[1])
        if not is_last:
            sums.append(both[pair])
    kept = squares[:0] if is_last or not sums else np.concatenate(sums)
    empty = [np.empty(0, dtype=np.intp)]
    return np.concatenate(empty + first), np.concatenate(empty + second), kept


def mixtures(
    problem: Problem, random_state: np.random.RandomState, n_rows: int
) -> np.ndarray:
    """Return synthetic rows as of SHAP and break-down, (n_rows, n_features).

    Some values, of all numbers equally often, are those of an explained row, the others
    of a background row.
    """
    X, back, d = problem.X, problem.background, problem.target.n_features
    if d == 1:
        return X[random_state.randint(len(X), size=n_rows)]
    n_kept = random_state.randint(1, d, size=(n_rows, 1))
    turn = np.argsort(random_state.random_sample((n_rows, d)), axis=1)
    rows = X[random_state.randint(len(X), size=n_rows)]
    other = back[random_state.randint(len(back), size=n_rows)]
    return np.where(turn < n_kept, rows, other)


def code_of(column: Column, cell: Any) -> float:
    """Return the code of a value that a result shows; NaN for a missing number."""
    if column.is_numeric:
        return float(cell)
    code = column.code_by_category.get(None if pd.isna(cell) else cell)
    if code is not None:
        return float(code)
    if isinstance(cell, str) and cell == column.others_name:
        return OTHERS
    raise ValueError(
        f"`X` and `background` must be those of the result. Got none of {cell!r} in "
        f"column {column.name!r}."
    )
