"""The fits of a search on workers: some fits at a time are one part of the work."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from sklearn.utils import get_tags, indexable

from skdnn._runtime import workers
from skdnn._runtime.compat import take_rows
from skdnn._runtime.progress import Progress
from skdnn._search.jobs import Fold, Job, Outcome, fit_alone, fit_stack, network_of

# More parts than workers: one that ends early gets another, and less is lost with one.
_PARTS_PER_WORKER = 4


@dataclass(frozen=True)
class SentRows:
    """All rows of a search, and which of them each fold is given.

    Folds overlap: as arrays of their own they would be several times as large.
    """

    X: Any
    y: Any
    positions: Sequence[np.ndarray]
    folds: Sequence[Fold]

    @classmethod
    def of(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        positions: Sequence[np.ndarray],
        folds: Sequence[Fold],
    ) -> Self:
        """Return the rows without those that the folds hold themselves."""
        if get_tags(estimator).input_tags.pairwise:  # columns are taken as well
            return cls(None, None, (), folds)
        X, y = indexable(X, y)
        bare = [replace(fold, X=None, y=None) for fold in folds]
        return cls(X, y, positions, bare)

    def fold(self, number: int) -> Fold:
        """Return a fold with its rows."""
        fold = self.folds[number]
        if not self.positions:
            return fold
        rows = self.positions[number]
        return replace(fold, X=take_rows(self.X, rows), y=take_rows(self.y, rows))


def is_verbose(search: Any, jobs: Sequence[Job]) -> bool:
    """Return whether the search, or one of its networks, shows progress."""
    networks = [network_of(job.estimator) for job in jobs]
    return bool(search.verbose or any(getattr(n, "verbose", 0) for n in networks))


def run_on_workers(search: Any, jobs: Sequence[Job], rows: SentRows) -> list[Outcome]:
    """Fit all jobs, and return their outcomes in order."""
    # whole folds, where possible, whose steps before a network are fitted once
    order = sorted(range(len(jobs)), key=lambda i: jobs[i].fold.number)
    n_parts = min(_PARTS_PER_WORKER * workers.count(search.n_jobs), len(jobs))
    ends = np.linspace(0, len(jobs), n_parts + 1).astype(int)
    parts = [
        ([_without_rows(jobs[i]) for i in order[start:end]],)
        for start, end in pairwise(ends)
    ]
    with Progress(len(jobs), "fit", is_verbose(search, jobs)) as progress:

        def report(part: list[Outcome]) -> None:
            for _ in part:
                progress.step()

        done = workers.run_parts(
            _fit_part, (rows,), parts, report, n_jobs=search.n_jobs
        )
    outcomes = dict(zip(order, (one for part in done for one in part), strict=True))
    return [outcomes[i] for i in range(len(jobs))]


def _without_rows(job: Job) -> Job:
    return replace(job, fold=replace(job.fold, X=None, y=None, params={}))


def _fit_part(rows: SentRows, jobs: Sequence[Job]) -> list[Outcome]:
    """Fit some jobs on a worker: networks as a stack, the rest one by one."""
    folds = {number: rows.fold(number) for number in {j.fold.number for j in jobs}}
    jobs = [replace(job, fold=folds[job.fold.number]) for job in jobs]
    is_stacked = [network_of(job.estimator) is not None for job in jobs]
    stacked = iter(
        fit_stack([j for j, one in zip(jobs, is_stacked, strict=True) if one], 1)
    )
    outcomes = []
    for job, one in zip(jobs, is_stacked, strict=True):
        outcome = next(stacked) if one else None
        outcomes.append(fit_alone(job) if outcome is None else outcome)
    return outcomes
