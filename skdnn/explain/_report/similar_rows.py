"""Background rows that are most similar to the explained rows."""

from dataclasses import dataclass

import numpy as np

from skdnn.explain._methods.data_support import Support
from skdnn.explain._model.target import Problem

N_SIMILAR = 5


@dataclass(frozen=True)
class SimilarRows:
    """The most similar background rows of each row, the nearest first.

    `cells`, of shape (n_rows, n_similar, n_features), are their values, `codes` their
    classes if these are known, and `distances` are those of `Support`.
    """

    cells: np.ndarray
    codes: np.ndarray | None
    distances: np.ndarray


def find_similar(
    problem: Problem, background_codes: np.ndarray | None, seed: int
) -> SimilarRows | None:
    """Find background rows similar to the rows of a problem; None of too few rows."""
    n = min(N_SIMILAR, len(problem.background))
    if n < N_SIMILAR:
        return None
    support = Support(problem, np.random.RandomState(seed), max_rows=None)
    distances, positions = support.nearest(problem.X, n)
    frame = problem.target.frame(problem.background[positions.ravel()])
    cells = np.empty((len(positions), n, problem.target.n_features), dtype=object)
    for j in range(problem.target.n_features):
        values = frame.iloc[:, j].astype(object).to_numpy()
        cells[:, :, j] = values.reshape(positions.shape)
    codes = None if background_codes is None else background_codes[positions]
    return SimilarRows(cells, codes, distances)
