"""Designs evaluated: rows mixed of explained and background cells, in large blocks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from skdnn.explain._methods.shap_sampling import Design, Exact, Regression, Walks
from skdnn.explain._model.target import Step, Target

# Outputs kept at once, of all the rows that are worked on together.
_MAX_OUTPUTS = 2**20
_MAX_ROWS = 64
# So that workers that are done early find something to do.
_TASKS_A_WORKER = 4


@dataclass(frozen=True)
class Mixer:
    """Evaluates sets of players, for many explained rows at once.

    Parameters
    ----------
    target : Target
        The classifier.
    background : ndarray of shape (n_background, n_columns)
        Coded rows.
    owner : ndarray of shape (n_columns,)
        The player whom each column belongs to.
    """

    target: Target
    background: np.ndarray
    owner: np.ndarray

    @property
    def n_players(self) -> int:
        """Count of the players."""
        return int(self.owner.max()) + 1

    def worth(self, design: Design, X: np.ndarray) -> np.ndarray:
        """Return the mean output for each explained row and each set of a design.

        Parameters
        ----------
        design : Design
            Sets of players and their background rows.
        X : ndarray of shape (n_samples, n_columns)
            Coded rows.

        Returns
        -------
        ndarray of shape (n_samples, n_sets, n_outputs)
        """
        n_outputs = self.target.n_outputs
        out = np.empty((len(X), design.n_sets, n_outputs))
        share = np.full(design.n_averaged, 1 / design.n_averaged)
        most = self.target.block_rows
        n_sets = max(1, most // design.n_averaged)  # in one block
        for start in range(0, design.n_sets, n_sets):
            part = slice(start, min(start + n_sets, design.n_sets))
            kept, rest = self._bits(design, part)
            n_rows = max(1, most // len(kept))
            for first in range(0, len(X), n_rows):
                some = slice(first, first + n_rows)
                mixed = _mixed(X[some], kept, rest)
                told = self.target.predict(mixed, copy=False)
                shape = (-1, part.stop - start, design.n_averaged, n_outputs)
                # twenty times as quick as mean, which stumbles over few outputs
                out[some, part] = share @ told.reshape(shape)
        return out

    def _bits(self, design: Design, part: slice) -> tuple[np.ndarray, np.ndarray]:
        """Return which cells are the explained row's, and what the others hold.

        Both as bits: choosing by them takes a fifth of the time of choosing by truth
        values, and leaves every cell as it is.
        """
        masks = np.repeat(design.masks(part)[:, self.owner], design.n_averaged, axis=0)
        kept = -masks.astype(np.int64)  # all bits or none
        rows = np.ascontiguousarray(self.background, np.float64).view(np.int64)
        return kept, rows[design.rows(part)] & ~kept


def _mixed(X: np.ndarray, kept: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return every explained row in every mixture, of shape (n, n_columns)."""
    cells = np.ascontiguousarray(X, np.float64).view(np.int64)
    mixed = np.empty((len(X), *kept.shape), np.int64)
    np.bitwise_and(kept, cells[:, None, :], out=mixed)
    np.bitwise_or(mixed, rest, out=mixed)
    return mixed.view(np.float64).reshape(-1, kept.shape[1])


@dataclass(frozen=True)
class Series:
    """Designs of one kind, evaluated one after the other.

    Parameters
    ----------
    method : {"exact", "regression", "walks"}
        Their kind.
    n_pairs : int
        Pairs of sets, or of walks, for each background row.
    n_designs : int or None
        How many there are, at most; None is no limit.
    tolerance : float or None
        The largest standard error that ends the series early.
    seed : int
        What they are drawn from.
    """

    method: str
    n_pairs: int
    n_designs: int | None
    tolerance: float | None
    seed: int

    def design(self, mixer: Mixer, place: int) -> Design:
        """Return the design at a place of the series."""
        rows = len(mixer.background)
        if self.method == "exact":
            return Exact(mixer.n_players, rows)
        draw = np.random.RandomState([self.seed, place])
        if self.method == "walks":
            return Walks(mixer.n_players, rows, self.n_pairs, draw)
        return Regression(mixer.background, mixer.owner, self.n_pairs, draw)

    def is_done(self, n_done: int, variances: np.ndarray) -> np.ndarray:
        """Return which rows need no more, after some designs, by their variances."""
        if n_done == self.n_designs:
            return np.ones(len(variances), dtype=bool)
        if self.tolerance is None:
            return np.zeros(len(variances), dtype=bool)
        return variances.max(axis=(1, 2)) <= self.tolerance**2


def estimate(
    mixer: Mixer,
    series: Series,
    X: np.ndarray,
    ends: np.ndarray,
    *,
    n_jobs: int | None,
    step: Step,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, int | None]:
    """Return Shapley values, their errors, and the degrees of freedom of these.

    Parameters
    ----------
    mixer, series : Mixer, Series
        What evaluates, and what is evaluated.
    X : ndarray of shape (n_samples, n_columns)
        Coded rows to explain.
    ends : ndarray of shape (n_samples, n_outputs)
        Their outputs.
    n_jobs : int or None
        Processes, as joblib counts them.
    step : callable
        Called after each row.

    Returns
    -------
    values, std_errors : ndarray of shape (n_samples, n_players, n_classes)
    refit_errors : ndarray of the same shape or None
    error_df : int or None
    """
    workers = effective_n_jobs(n_jobs)
    if workers == 1:
        return _estimate_rows(mixer, series, X, ends, step)
    size = -(-len(X) // (workers * _TASKS_A_WORKER))
    tasks = (
        delayed(_estimate_rows)(mixer, series, X[i : i + size], ends[i : i + size])
        for i in range(0, len(X), size)
    )
    told = []
    for part in Parallel(n_jobs=n_jobs, return_as="generator")(tasks):
        told.append(part)
        for _ in part[0]:
            step()
    values, errors, refits, error_df = zip(*told, strict=True)
    return _joined(values), _joined(errors), _joined(refits), error_df[0]


def _joined(parts):
    """Return the parts in one array; None of members that are not there."""
    return None if parts[0] is None else np.concatenate(parts)


def _estimate_rows(
    mixer: Mixer,
    series: Series,
    X: np.ndarray,
    ends: np.ndarray,
    step: Callable[[], None] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, int | None]:
    """Go through the series, for a few rows at a time; see `estimate`."""
    k = len(mixer.target.output_names)
    values, errors, refits = [], [], []
    starts = mixer.target.predict(mixer.background)

    @lru_cache(maxsize=4)
    def design(place: int) -> Design:
        return series.design(mixer, place)

    n_outputs = max(1, design(0).n_sets) * ends.shape[1]
    size = min(_MAX_ROWS, max(1, _MAX_OUTPUTS // n_outputs))
    for start in range(0, len(X), size):
        rows, row_ends = X[start : start + size], ends[start : start + size]
        sums = np.zeros((2, len(rows), mixer.n_players, ends.shape[1]))
        todo, n_done = np.arange(len(rows)), 0
        while len(todo):
            worth = mixer.worth(design(n_done), rows[todo])
            sums[:, todo] += design(n_done).estimate(worth, row_ends[todo], starts)
            n_done += 1
            # members are not waited for
            done = series.is_done(n_done, sums[1, todo, :, :k] / n_done**2)
            sums[0, todo[done]] /= n_done
            sums[1, todo[done]] /= n_done**2
            todo = todo[~done]
            if step is not None:
                for _ in range(done.sum()):
                    step()
        # only what is told is kept: memory does not grow with rows and members
        told, apart = mixer.target.split(sums[0])
        values.append(told.copy())
        errors.append(np.sqrt(sums[1, :, :, :k]))
        refits.append(apart)
    return _joined(values), _joined(errors), _joined(refits), design(0).error_df
