"""Rows around an explained row, for LIME.

Every player is drawn independently from the background. It is *like* the row's if all
its columns are: the same category, both missing, or in the same quarter of numbers.
"""

from collections.abc import Sequence

import numpy as np

from skdnn.explain._model.target import Problem

# A player is like the row's in at least this share of the rows.
_MIN_LIKE = 0.2
# Categories of a column that are control variates of the surrogate.
_MAX_CATEGORIES = 10


class Bins:
    """Which values of the background are alike: categories, and quarters of numbers."""

    def __init__(self, problem: Problem):
        self._edges = {}
        for j, column in enumerate(problem.target.columns):
            known = problem.background[:, j]
            known = known[~np.isnan(known)]
            if column.is_numeric and len(known):
                self._edges[j] = np.unique(np.quantile(known, [0.25, 0.5, 0.75]))

    def of(self, cells: np.ndarray, j: int) -> np.ndarray:
        """Return the bin of each value of a column; missing values have their own."""
        bins = np.searchsorted(self._edges[j], cells) if j in self._edges else cells
        return np.where(np.isnan(cells), -1, bins)


class Pool:
    """What a player of an explained row is drawn from: background values and its own.

    `cells`, of shape (n_background + 1, n_player_columns), has the row's own values
    last; `like` is whether they are like the row's. `terms`, of shape
    (n_background + 1, n_terms), are differences among those that are, and among the
    others: the mean is 0 in both. `own` is an additional share of the rows that get the
    row's own values.
    """

    def __init__(
        self, problem: Problem, bins: Bins, row: np.ndarray, columns: Sequence[int]
    ):
        self.columns = list(columns)
        self.cells = np.vstack([problem.background[:, self.columns], row[self.columns]])
        alike = [
            bins.of(self.cells[:, i], j) == bins.of(row[[j]], j)
            for i, j in enumerate(columns)
        ]
        self.like: np.ndarray = np.all(alike, axis=0)
        share = self.like[:-1].mean()
        self.own = max(0.0, (_MIN_LIKE - share) / (1 - share)) if share < 1 else 0.0
        chances = np.full(len(self.cells), (1 - self.own) / len(problem.background))
        chances[-1] = self.own
        is_numeric = [problem.target.columns[j].is_numeric for j in columns]
        terms = np.hstack([*map(_terms, self.cells.T, is_numeric)])
        for part in (self.like, ~self.like):
            weight = chances[part]
            if weight.sum() > 0:
                terms[part] -= weight @ terms[part] / weight.sum()
        self.terms = terms[:, np.abs(terms[chances > 0]).max(axis=0) > 1e-9]

    def draw(self, n_rows: int, draw: np.random.RandomState) -> np.ndarray:
        """Return positions in `cells`."""
        positions = draw.randint(len(self.cells) - 1, size=n_rows)
        if self.own:
            positions[draw.random_sample(n_rows) < self.own] = len(self.cells) - 1
        return positions


def _terms(cells: np.ndarray, is_numeric: bool) -> np.ndarray:
    """Return a number and whether it is known, or the commonest categories."""
    if is_numeric:
        known = np.isfinite(cells)
        size = np.where(known, cells, 0)
        size = size / (np.abs(size).max() or 1.0)
        size = np.where(known, size - size[known].mean(), 0) if known.any() else size
        return np.column_stack([size / (size.std() or 1.0), known])
    codes, counts = np.unique(cells, return_counts=True)
    common = codes[np.argsort(-counts, kind="stable")[:_MAX_CATEGORIES]]
    return np.asarray(cells[:, None] == common, dtype=float)


def draw_rows(
    pools: Sequence[Pool], row: np.ndarray, n_rows: int, draw: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coded rows around one row, which players are like the row's, and terms.

    Shapes are (n_rows, n_columns), (n_rows, n_players), bool, and (n_rows, n_terms).
    """
    rows = np.empty((n_rows, len(row)))
    like = np.empty((n_rows, len(pools)), dtype=bool)
    terms = []
    for i, pool in enumerate(pools):
        drawn = pool.draw(n_rows, draw)
        rows[:, pool.columns] = pool.cells[drawn]
        like[:, i] = pool.like[drawn]
        terms.append(pool.terms[drawn])
    return rows, like, np.hstack(terms)
