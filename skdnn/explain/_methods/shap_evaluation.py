"""Evaluation of designs: mixtures of explained and background rows, in large blocks."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from skdnn._runtime import workers
from skdnn._runtime.threads import one_blas_thread
from skdnn.explain._methods.shap_sampling import Design, Exact, Regression, Walks
from skdnn.explain._model.options import Step, no_step
from skdnn.explain._model.target import Target

# Outputs held in memory at once, of all rows that are explained together.
_MAX_OUTPUTS = 2**20
_MAX_ROWS = 64
# More tasks than workers, so that workers that finish early get another one.
_TASKS_PER_WORKER = 4

# Shapley values and standard errors of shape (n_samples, n_players, n_classes), refit
# errors of that shape or None, and degrees of freedom of the standard errors.
Estimates = tuple[np.ndarray, np.ndarray, np.ndarray | None, int | None]


@dataclass(frozen=True)
class Mixer:
    """Evaluates sets of players for many explained rows at once."""

    target: Target
    background: np.ndarray  # coded rows
    owner: np.ndarray  # the player of each column

    @property
    def n_players(self) -> int:
        return int(self.owner.max()) + 1

    def worth(self, design: Design, X: np.ndarray) -> np.ndarray:
        """Return the mean output of each set, (n_samples, n_sets, n_outputs)."""
        n_outputs, n_averaged = self.target.n_outputs, design.n_averaged
        out = np.empty((len(X), design.n_sets, n_outputs))
        share = np.full(n_averaged, 1 / n_averaged)
        block_rows = self.target.block_rows
        n_sets = max(1, block_rows // n_averaged)
        for start in range(0, design.n_sets, n_sets):
            part = slice(start, min(start + n_sets, design.n_sets))
            kept, rest = self._bits(design, part)
            n_rows = max(1, block_rows // len(kept))
            for first in range(0, len(X), n_rows):
                some = slice(first, first + n_rows)
                outputs = self.target.predict(_mixed(X[some], kept, rest), copy=False)
                shape = (-1, part.stop - start, n_averaged, n_outputs)
                # twenty times as fast as mean, which is slow for few outputs
                out[some, part] = share @ outputs.reshape(shape)
        return out

    def _bits(self, design: Design, part: slice) -> tuple[np.ndarray, np.ndarray]:
        """Return bit masks of the explained row's values, and the other values' bits.

        Choosing by bits takes a fifth of the time of choosing by booleans, and leaves
        every value unchanged.
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
class DesignSeries:
    """Designs of one kind, evaluated one after the other."""

    method: str  # "exact", "regression" or "walks"
    n_pairs: int  # of sets or walks, for each background row
    n_designs: int | None  # the maximum number; None is no limit
    tolerance: float | None  # the largest standard error at which the series ends early
    seed: int

    def design(self, mixer: Mixer, position: int) -> Design:
        """Return one design; the same seed and position make the same one."""
        background, d = mixer.background, mixer.n_players
        if self.method == "exact":
            return Exact(d, len(background))
        draw = np.random.RandomState([self.seed, position])
        if self.method == "walks":
            return Walks(d, len(background), self.n_pairs, draw)
        return Regression(background, mixer.owner, self.n_pairs, draw)

    def is_done(self, n_done: int, variances: np.ndarray) -> np.ndarray:
        """Return which rows need no more designs, by their variances."""
        if n_done == self.n_designs or self.tolerance is None:
            return np.full(len(variances), n_done == self.n_designs)
        return np.asarray(variances.max(axis=(1, 2)) <= self.tolerance**2)


def estimate(
    mixer: Mixer,
    series: DesignSeries,
    X: np.ndarray,
    ends: np.ndarray,
    *,
    n_jobs: int | None,
    step: Step,
) -> Estimates:
    """Return Shapley values of coded rows X whose outputs are `ends`."""
    if workers.are_set():
        return _estimate_on_workers(mixer, series, X, ends, n_jobs, step)
    n_workers = effective_n_jobs(n_jobs)
    if n_workers == 1:
        return _estimate_rows(mixer, series, X, ends, step)
    size = -(-len(X) // (n_workers * _TASKS_PER_WORKER))
    tasks = (
        delayed(_estimate_rows)(mixer, series, X[i : i + size], ends[i : i + size])
        for i in range(0, len(X), size)
    )
    parts: list[Estimates] = []
    for part in Parallel(n_jobs=n_jobs, return_as="generator")(tasks):
        parts.append(part)
        for _ in part[0]:
            step()
    return _joined(parts)


def _estimate_on_workers(
    mixer: Mixer,
    series: DesignSeries,
    X: np.ndarray,
    ends: np.ndarray,
    n_jobs: int | None,
    step: Step,
) -> Estimates:
    """Do what `estimate` does; no row is explained beside others than in this process.

    The last digits of a matrix product depend on the rows that it is computed for.
    """
    size = _rows_together(mixer, series, ends)
    parts = [
        (X[start : start + size], ends[start : start + size])
        for start in range(0, len(X), size)
    ]

    def report(part: Estimates) -> None:
        for _ in part[0]:
            step()

    return _joined(
        workers.run_parts(_estimate_rows, (mixer, series), parts, report, n_jobs=n_jobs)
    )


def _rows_together(mixer: Mixer, series: DesignSeries, ends: np.ndarray) -> int:
    """Return how many rows are explained at the same time."""
    n_outputs = max(1, series.design(mixer, 0).n_sets) * ends.shape[1]
    return min(_MAX_ROWS, max(1, _MAX_OUTPUTS // n_outputs))


def _joined(parts: list[Estimates]) -> Estimates:
    """Return the estimates of all rows; without members there are no refit errors."""
    values, errors, refits, error_df = zip(*parts, strict=True)
    spread = None if refits[0] is None else np.concatenate(refits)
    return np.concatenate(values), np.concatenate(errors), spread, error_df[0]


def _estimate_rows(
    mixer: Mixer,
    series: DesignSeries,
    X: np.ndarray,
    ends: np.ndarray,
    step: Step = no_step,
) -> Estimates:
    """Evaluate the series for a few rows at a time; see `estimate`."""
    k = len(mixer.target.output_names)
    parts: list[Estimates] = []
    starts = mixer.target.predict(mixer.background)

    # one thread of linear algebra, in designs too: their number changes the last digits
    @lru_cache(maxsize=4)
    def design(position: int) -> Design:
        with one_blas_thread():
            return series.design(mixer, position)

    size = _rows_together(mixer, series, ends)
    for start in range(0, len(X), size):
        rows, row_ends = X[start : start + size], ends[start : start + size]
        sums = np.zeros((2, len(rows), mixer.n_players, ends.shape[1]))
        todo, n_done = np.arange(len(rows)), 0
        while len(todo):
            worth = mixer.worth(design(n_done), rows[todo])
            used = design(n_done)
            with one_blas_thread():
                sums[:, todo] += used.estimate(worth, row_ends[todo], starts)
            n_done += 1
            # the errors of the members do not count
            done = series.is_done(n_done, sums[1, todo, :, :k] / n_done**2)
            sums[0, todo[done]] /= n_done
            sums[1, todo[done]] /= n_done**2
            todo = todo[~done]
            for _ in range(done.sum()):
                step()
        # copies of what is returned: memory does not grow with rows times members
        own, spread = mixer.target.split(sums[0])
        errors = np.sqrt(sums[1, :, :, :k])
        parts.append((own.copy(), errors, spread, design(0).error_df))
    return _joined(parts)
