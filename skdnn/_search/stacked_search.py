"""How a search trains its networks together and leaves the rest to scikit-learn.

scikit-learn's search runs one fit after the other and scores each at once. Here it
runs twice. In the first run nothing is fitted: it only records which rows, weights and
other metadata the fit of each split is given. Then all fits of all candidates are
trained. In the second run each fit puts in what training left, and scikit-learn scores
it, ranks it, warns of what failed and refits the best, all by its own code.
"""

import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import joblib
import numpy as np
from joblib import delayed
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object

from skdnn._runtime.compat import (
    EditedGridSearchCV,
    active_backend,
    check_parameters,
    has_callbacks,
)
from skdnn._runtime.progress import Progress
from skdnn._search.jobs import Fold, Job, Outcome, fit_alone, fit_stack, network_of
from skdnn.classifier import DNNClassifier


def fit_search(
    search: Any,
    fit: Callable[..., Any],
    candidates: Callable[..., Any],
    grid: Any,
    X: Any,
    y: Any,
    params: Any,
) -> Any:
    """Fit a search, its networks in stacks.

    Parameters
    ----------
    search : BaseSearchCV
        Of scikit-learn; gets its fitted attributes.
    fit : callable
        Its own `fit`, for a search without networks.
    candidates : callable
        Returns the candidates; called once, as they may be drawn.
    grid : dict or list of dict
        What they are made from.
    X, y, params
        As given to `fit`.

    Returns
    -------
    search
    """
    if y is None or has_callbacks(search) or not _has_networks(search.estimator, grid):
        return fit(X, y, **params)
    check_parameters(search)
    splits = _Splits(search, y)
    drawn = list(candidates())
    folds = _record_folds(search, splits, X, y, params)
    jobs = [
        Job(_candidate(search, parameters), fold, _transformer_key(search, parameters))
        for parameters in drawn
        for fold in folds
    ]
    outcomes = _run_jobs(search, jobs)
    _score(search, splits, drawn, outcomes, X, y, params)
    return search


def _has_networks(estimator: Any, grid: Any) -> bool:
    """Return whether the estimator, or a value of the grid, ends in a network."""
    parts = grid if isinstance(grid, list | tuple) else [grid]
    values = [
        value
        for part in parts
        if isinstance(part, dict)
        for choices in part.values()
        if isinstance(choices, list | tuple | np.ndarray)
        for value in choices
    ]
    ends = [
        value.steps[-1][1] if isinstance(value, Pipeline) else value
        for value in [estimator, *values]
    ]
    return any(isinstance(end, DNNClassifier) for end in ends)


def _candidate(search: Any, parameters: dict[str, Any]) -> Any:
    return clone(search.estimator).set_params(**clone(parameters, safe=False))


def _transformer_key(search: Any, parameters: dict[str, Any]) -> frozenset[Any]:
    """Return what candidates whose steps before the last are the same share.

    Values are compared by identity, never by content, so that in doubt
    a step is fitted once more.
    """
    own = ""
    if isinstance(search.estimator, Pipeline):
        own = f"{search.estimator.steps[-1][0]}__"
    return frozenset(
        (name, type(value), _hashable(value))
        for name, value in parameters.items()
        if not name.startswith(own)
    )


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


class _Splits:
    """A splitter that splits once: splits drawn again would differ."""

    def __init__(self, search: Any, y: Any) -> None:
        self._given = search.cv
        self._splitter = check_cv(
            search.cv, y, classifier=is_classifier(search.estimator)
        )
        self._splits: list[Any] | None = None

    def split(self, X: Any, y: Any = None, **params: Any) -> Iterator[Any]:
        if self._splits is None:
            self._splits = list(self._splitter.split(X, y, **params))
        return iter(self._splits)

    def get_n_splits(self, X: Any = None, y: Any = None, **params: Any) -> int:
        return self._splitter.get_n_splits(X, y, **params)

    def get_metadata_routing(self) -> Any:
        return get_routing_for_object(self._given)

    def __len__(self) -> int:
        return len(self._splits or [])


class _StandIn:
    """What a search takes for the estimator, and is handed others by.

    Parameters
    ----------
    estimator : object
        The estimator it replaces.
    hand_out : callable
        Called with the parameters of each fit; returns what is fitted.
    """

    def __init__(
        self, estimator: Any, hand_out: Callable[[dict[str, Any]], Any]
    ) -> None:
        self._estimator, self._hand_out = estimator, hand_out

    def set_params(self, **parameters: Any) -> Any:
        return self._hand_out(parameters)

    def __sklearn_clone__(self) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._estimator, name)

    def __repr__(self) -> str:
        return repr(self._estimator)


class _Shadow(EditedGridSearchCV):
    """scikit-learn's search over finished fits, with the seconds that they took."""

    seconds: np.ndarray | None = None

    def edit_results(self, results: Any) -> None:
        if self.seconds is not None:
            results["mean_fit_time"] = self.seconds.mean(axis=1)
            results["std_fit_time"] = self.seconds.std(axis=1)


def _shadow(
    search: Any, splits: _Splits, hand_out: Any, candidates: Any, **parameters: Any
) -> _Shadow:
    """Return a search in this process with the settings of the user's."""
    scoring = search.scoring
    settings = {
        "refit": search.refit,
        "error_score": search.error_score,
        "verbose": search.verbose,
        "return_train_score": search.return_train_score,
        # a scorer that the search makes itself would hold the replacement
        "scoring": check_scoring(search.estimator) if scoring is None else scoring,
    }
    # under the name of the user's class in messages of scikit-learn
    kind = type(type(search).__name__, (_Shadow,), {})
    return kind(
        _StandIn(search.estimator, hand_out),
        [{name: [value] for name, value in c.items()} for c in candidates],
        cv=splits,
        n_jobs=1,
        **settings | parameters,
    )


class _RecordedError(Exception):
    """Ends a fit that only recorded its arguments."""


def _record_folds(
    search: Any, splits: _Splits, X: Any, y: Any, params: Any
) -> list[Fold]:
    """Return what the fits of each split are given."""
    folds: list[Fold] = []

    def record(X: Any, y: Any = None, **params: Any) -> None:
        folds.append(Fold(len(folds), X, y, params))
        raise _RecordedError

    def hand_out(parameters: Any) -> Any:
        estimator = clone(search.estimator)
        estimator.fit = record
        return estimator

    shadow = _shadow(
        search,
        splits,
        hand_out,
        [{}],
        error_score=0.0,
        verbose=0,
        return_train_score=False,
    )
    with warnings.catch_warnings(), _here():
        warnings.simplefilter("ignore")  # the second run repeats all warnings
        try:
            shadow.fit(X, y, **params)
        except ValueError:  # as all fits "failed"
            if not folds or len(folds) < len(splits):
                raise
    return folds


def _run_jobs(search: Any, jobs: Sequence[Job]) -> list[Outcome]:
    """Fit all: networks in stacks, the rest by joblib with `n_jobs`."""
    outcomes: dict[int, Outcome | None] = dict.fromkeys(range(len(jobs)))
    is_network = [network_of(job.estimator) is not None for job in jobs]
    stacked = [i for i in outcomes if is_network[i]]
    is_verbose = any(getattr(network_of(job.estimator), "verbose", 0) for job in jobs)
    with Progress(len(jobs), "fit", bool(search.verbose or is_verbose)) as progress:
        if active_backend().is_local:
            stack = [jobs[i] for i in stacked]
            done = fit_stack(stack, _n_threads(search), progress.step)
        else:
            # whole folds to a worker, as far as it goes
            stacked.sort(key=lambda i: jobs[i].fold.number)
            done = _fit_stacks_elsewhere(search.n_jobs, [jobs[i] for i in stacked])
            for _ in filter(None, done):
                progress.step()
        outcomes.update(zip(stacked, done, strict=True))
        alone = [i for i, outcome in outcomes.items() if outcome is None]
        parallel = joblib.Parallel(search.n_jobs, pre_dispatch=search.pre_dispatch)
        fitted = parallel(delayed(fit_alone)(jobs[i]) for i in alone)
        for i, outcome in zip(alone, fitted, strict=True):
            outcomes[i] = outcome
            progress.step()
    return [outcome for outcome in outcomes.values() if outcome is not None]


def _fit_stacks_elsewhere(n_jobs: int | None, jobs: Sequence[Job]) -> list[Any]:
    """Send the jobs to the workers of joblib's backend, a stack to each."""
    if not jobs:
        return []
    n_stacks = min(joblib.effective_n_jobs(n_jobs), len(jobs))
    ends = np.linspace(0, len(jobs), n_stacks + 1).astype(int)
    parts = [jobs[start:end] for start, end in pairwise(ends)]
    done = joblib.Parallel(n_jobs)(delayed(fit_stack)(part, 1) for part in parts)
    return [outcome for part in done for outcome in part]


def _n_threads(search: Any) -> int | None:
    """Return how many networks train at once in this process; None is one per core."""
    backend = active_backend()
    if search.n_jobs is None and backend.n_jobs is None and not backend.is_sequential:
        return None
    return joblib.effective_n_jobs(search.n_jobs)


def _here() -> Any:
    """Return a context in which a search of one job stays in this process."""
    if active_backend().is_local:
        return nullcontext()
    return joblib.parallel_config(backend="sequential")


def _score(
    search: Any,
    splits: Any,
    candidates: Any,
    outcomes: list[Outcome],
    X: Any,
    y: Any,
    params: Any,
) -> None:
    """Have scikit-learn score what was fitted, and refit the best."""
    remaining = deque(outcomes)

    def hand_out(parameters: Any) -> Any:
        if not remaining:  # the refit
            return clone(search.estimator).set_params(**parameters)
        return _already_fitted(remaining.popleft())

    shadow = _shadow(search, splits, hand_out, candidates)
    seconds = [outcome.seconds for outcome in outcomes]
    shadow.seconds = np.reshape(seconds, (len(candidates), -1))
    with _here():
        shadow.fit(X, y, **params)
    for name, value in vars(shadow).items():
        if name.endswith("_") and not name.startswith("_"):
            setattr(search, name, value)


def _already_fitted(outcome: Outcome) -> Any:
    """Return the estimator of a fit; its next `fit` warns and raises like that one."""
    estimator = outcome.estimator

    def fit(X: Any, y: Any = None, **params: Any) -> Any:
        del estimator.fit
        outcome.replay()
        return estimator

    estimator.fit = fit
    return estimator
