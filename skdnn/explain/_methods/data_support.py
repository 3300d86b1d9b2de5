"""Which rows are like the data, and which lie where there is none."""

import math

import numpy as np
import pandas as pd

from skdnn.explain._model.columns import Column
from skdnn.explain._model.target import Problem

LEAST_ROWS = 10
_MAX_ROWS = 500
# This share of the data lies outside by definition.
USUAL = 0.05


class Support:
    """Tells rows that are further from the data than data rows from each other.

    A number counts in standard deviations; another level, or a missing cell beside
    one that is known, counts as one.

    Parameters
    ----------
    problem : Problem
        Its background is the data, at least 10 rows.
    random_state : RandomState
        Draws the rows to measure from, of a long background.
    """

    def __init__(self, problem: Problem, random_state: np.random.RandomState):
        from sklearn.neighbors import NearestNeighbors

        rows = problem.background
        if len(rows) > _MAX_ROWS:
            rows = rows[random_state.permutation(len(rows))[:_MAX_ROWS]]
        self._columns = problem.target.columns
        known = np.isfinite(rows)
        held = np.where(known, rows, 0.0)
        count = np.maximum(known.sum(axis=0), 1)
        self._mean = held.sum(axis=0) / count
        spread = np.sqrt((np.where(known, held - self._mean, 0) ** 2).sum(0) / count)
        self._spread = np.where(spread > 0, spread, 1.0)
        self._levels = [np.unique(rows[:, j]) for j in range(rows.shape[1])]
        self._nearest = NearestNeighbors(n_neighbors=1).fit(self._places(rows))
        apart = self._nearest.kneighbors()[0][:, 0]
        self._limit = float(np.quantile(apart, 1 - USUAL))

    def outside(self, rows: np.ndarray) -> np.ndarray:
        """Return whether each coded row lies off the data, of shape (n_rows,)."""
        apart = self._nearest.kneighbors(self._places(rows))[0][:, 0]
        return apart > self._limit + 1e-9

    def _places(self, rows: np.ndarray) -> np.ndarray:
        """Return rows as points between which distances can be measured."""
        parts = []
        for j, column in enumerate(self._columns):
            cells = rows[:, j]
            if column.is_numeric:
                known = np.isfinite(cells)
                scaled = (cells - self._mean[j]) / self._spread[j]
                parts += [np.where(known, scaled, 0.0)[:, None], known[:, None]]
            else:
                # two different levels are the root of 2 apart
                same = cells[:, None] == self._levels[j]
                parts.append(same / math.sqrt(2))
        return np.hstack(parts).astype(float)


def mixtures(
    problem: Problem, random_state: np.random.RandomState, n_rows: int
) -> np.ndarray:
    """Return rows as SHAP and break-down make them up, of shape (n_rows, n_features).

    Some cells are an explained row's, the others a background row's; every number of
    cells is as frequent as any other, as it is for Shapley values.
    """
    X, back, d = problem.X, problem.background, problem.target.n_features
    if d == 1:
        return X[random_state.randint(len(X), size=n_rows)]
    n_kept = random_state.randint(1, d, size=(n_rows, 1))
    turn = np.argsort(random_state.random_sample((n_rows, d)), axis=1)
    rows = X[random_state.randint(len(X), size=n_rows)]
    other = back[random_state.randint(len(back), size=n_rows)]
    return np.where(turn < n_kept, rows, other)


def code_of(column: Column, cell) -> float:
    """Return a shown cell as it is coded; NaN for a number that is missing.

    Raises
    ------
    ValueError
        If it is a level that neither rows nor background have.
    """
    if column.is_numeric:
        return float(cell)
    for code, level in enumerate(column.levels):
        if pd.isna(level) or pd.isna(cell):
            same = pd.isna(level) and pd.isna(cell)
        else:
            same = level == cell
        if same:
            return float(code)
    raise ValueError(
        f"`X` and `background` must be those of the result. Got none of {cell!r} in "
        f"column {column.name!r}."
    )
