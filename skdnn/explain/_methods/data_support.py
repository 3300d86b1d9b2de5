"""Which rows are similar to the data, and which are off it."""

import math
from collections.abc import Sequence
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
        self._columns = problem.target.columns
        known = np.isfinite(rows)
        held = np.where(known, rows, 0.0)
        count = np.maximum(known.sum(axis=0), 1)
        self._mean = held.sum(axis=0) / count
        spread = np.sqrt((np.where(known, held - self._mean, 0) ** 2).sum(0) / count)
        self._spread = np.where(spread > 0, spread, 1.0)
        self._categories = [np.unique(rows[:, j]) for j in range(rows.shape[1])]
        self._nearest = NearestNeighbors(n_neighbors=1).fit(self._points(rows))
        distances = self._nearest.kneighbors()[0][:, 0]
        self._limit = float(np.quantile(distances, 1 - USUAL))

    def outside(self, rows: np.ndarray) -> np.ndarray:
        """Return whether each coded row is off the data, of shape (n_rows,)."""
        distances = self._nearest.kneighbors(self._points(rows))[0][:, 0]
        return np.asarray(distances > self._limit + 1e-9)

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
                known = np.isfinite(cells)
                scaled = (cells - self._mean[j]) / self._spread[j]
                parts += [np.where(known, scaled, 0.0), known]
            else:
                # the distance of two categories is the root of 2 before division
                parts.append((cells == self._categories[j]) / math.sqrt(2))
        return np.hstack(parts).astype(float)


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
