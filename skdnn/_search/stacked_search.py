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
from contextlib import ExitStack, nullcontext
from typing import Any

import joblib
import numpy as np
from joblib import delayed
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object

from skdnn._checkpoint.checkpoint import Part
from skdnn._estimator.checkpointing import kept_in
from skdnn._runtime import workers
from skdnn._runtime.compat import (
    TimedGridSearchCV,
    active_backend,
    check_parameters,
    has_callbacks,
)
from skdnn._runtime.progress import Progress
from skdnn._search.checkpointing import (
    check_no_checkpoint,
    open_search_checkpoint,
    positions_of,
    refit_part,
    with_checkpoints,
)
from skdnn._search.fits_on_workers import SentRows, is_verbose, run_on_workers
from skdnn._search.jobs import (
    Fold,
    Job,
    Outcome,
    count_alike,
    fit_alone,
    fit_stack,
    last_network,
    network_of,
)
from skdnn.classifier import DNNClassifier


def fit_search(
    search: Any,
    fit: Callable[..., Any],
    draw: Callable[..., Any],
    grid: Any,
    X: Any,
    y: Any,
    params: dict[str, Any],
) -> Any:
    """Fit a search of scikit-learn, its networks in stacks, and return it.

    `fit` is its own, for a search without networks; `draw` returns the candidates of a
    `grid`, and is called once, as they may be random.
    """
    if y is None or has_callbacks(search) or not _has_networks(search.estimator, grid):
        check_no_checkpoint(search)
        return fit(X, y, **params)
    check_parameters(search)
    splits = _Splits(search, y)
    candidates = list(draw(grid))

    def run(shadow: TimedGridSearchCV) -> None:
        # in this process, as nothing is left to fit but the best
        is_here = not workers.are_set()
        with nullcontext() if is_here else joblib.parallel_config("sequential"):
            shadow.fit(X, y, **params)

    folds = _record_folds(search, splits, run)
    fits = [(candidate, fold) for candidate in candidates for fold in folds]
    estimators = [
        clone(search.estimator).set_params(**clone(candidate, safe=False))
        for candidate, _ in fits
    ]
    counts = count_alike(estimators)
    jobs = [
        Job(estimator, fold, _transformer_key(search.estimator, candidate), n_alike)
        for (candidate, fold), estimator, n_alike in zip(
            fits, estimators, counts, strict=True
        )
    ]
    table = {"X": X, "y": y, "other arguments": params, "folds": splits.positions}
    part = open_search_checkpoint(search, candidates, jobs, table)
    if workers.are_set():
        rows = SentRows.of(search.estimator, X, y, splits.train_rows, folds)
        outcomes = run_on_workers(search, jobs, rows)
    else:
        outcomes = _run_jobs(search, with_checkpoints(jobs, part, len(folds)), part)
    _score(search, splits, candidates, outcomes, run, part)
    return search


def _has_networks(estimator: Any, grid: Any) -> bool:
    """Return whether the estimator, or a value of the grid, ends in a network."""
    values = [
        value
        for part in (grid if isinstance(grid, list | tuple) else [grid])
        if isinstance(part, dict)
        for choices in part.values()
        if isinstance(choices, list | tuple | np.ndarray)
        for value in choices
    ]
    return any(
        isinstance(v.steps[-1][1] if isinstance(v, Pipeline) else v, DNNClassifier)
        for v in [estimator, *values]
    )


def _transformer_key(estimator: Any, parameters: dict[str, Any]) -> frozenset[Any]:
    """Return what candidates whose steps before the last are the same share.

    Values that cannot be hashed are compared by identity: in doubt a step is fitted
    once more.
    """
    is_pipeline = isinstance(estimator, Pipeline)
    own = f"{estimator.steps[-1][0]}__" if is_pipeline else ""
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
        is_of_classes = is_classifier(search.estimator)
        self._given = search.cv
        self._splitter = check_cv(search.cv, y, classifier=is_of_classes)
        self._splits: list[Any] | None = None

    def split(self, X: Any, y: Any = None, **params: Any) -> Iterator[Any]:
        if self._splits is None:
            self._splits = list(self._splitter.split(X, y, **params))
        return iter(self._splits)

    def get_n_splits(self, X: Any = None, y: Any = None, **params: Any) -> int:
        return self._splitter.get_n_splits(X, y, **params)

    def get_metadata_routing(self) -> Any:
        return get_routing_for_object(self._given)

    @property
    def train_rows(self) -> list[np.ndarray]:
        """The positions of the rows that each fit is given."""
        return [train for train, _ in self._splits or []]

    @property
    def positions(self) -> np.ndarray:
        """Return the positions of all parts, which identify the splits."""
        return positions_of(self._splits or [])

    def __len__(self) -> int:
        return len(self._splits or [])


class _StandIn:
    """What a search takes for the estimator; `hand_out` returns those it fits."""

    def __init__(self, estimator: Any, hand_out: Callable[..., Any]) -> None:
        self._estimator, self.set_params = estimator, hand_out

    def __sklearn_clone__(self) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._estimator, name)

    def __repr__(self) -> str:
        return repr(self._estimator)


def _shadow(
    search: Any, splits: _Splits, hand_out: Any, candidates: Any, **parameters: Any
) -> TimedGridSearchCV:
    """Return a search in this process with the settings of the user's."""
    names = ("scoring", "refit", "error_score", "verbose", "return_train_score")
    settings = {name: getattr(search, name) for name in names} | parameters
    if settings["scoring"] is None:
        # a scorer that the search makes itself would hold the replacement
        settings["scoring"] = check_scoring(search.estimator)
    # under the name of the user's class in messages of scikit-learn
    kind = type(type(search).__name__, (TimedGridSearchCV,), {})
    return kind(
        _StandIn(search.estimator, hand_out),
        [{name: [value] for name, value in c.items()} for c in candidates],
        cv=splits,
        n_jobs=1,
        **settings,
    )


class _RecordedError(Exception):
    """Ends a fit that only recorded its arguments."""


def _record_folds(
    search: Any, splits: _Splits, run: Callable[[Any], None]
) -> list[Fold]:
    """Return what the fits of each split are given."""
    folds: list[Fold] = []

    def record(X: Any, y: Any = None, **params: Any) -> None:
        folds.append(Fold(len(folds), X, y, params))
        raise _RecordedError

    def hand_out() -> Any:
        estimator = clone(search.estimator)
        estimator.fit = record
        return estimator

    settings = {"error_score": 0.0, "verbose": 0, "return_train_score": False}
    shadow = _shadow(search, splits, hand_out, [{}], **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the second run repeats all warnings
        try:
            run(shadow)
        except ValueError:  # as all fits "failed"
            if len(folds) < max(1, len(splits)):
                raise
    return folds


def _run_jobs(
    search: Any, jobs: Sequence[Job], part: Part | None = None
) -> list[Outcome]:
    """Fit all: networks in stacks, the rest by joblib with `n_jobs`."""
    outcomes: dict[int, Outcome | None] = dict.fromkeys(range(len(jobs)))
    networks = [network_of(job.estimator) for job in jobs]
    stacked = [i for i in outcomes if networks[i] is not None]
    stacked.sort(key=lambda i: jobs[i].fold.number)  # whole folds, where possible
    stack = [jobs[i] for i in stacked]
    with Progress(len(jobs), "fit", is_verbose(search, jobs)) as progress:

        def step() -> None:
            progress.step()
            if part is not None:
                part.report()

        done = fit_stack(stack, _n_threads(search), step)
        outcomes.update(zip(stacked, done, strict=True))
        alone = [i for i, outcome in outcomes.items() if outcome is None]
        # in this process, where the checkpoint is
        here = [i for i in alone if jobs[i].checkpoint is not None]
        for i in here:
            outcomes[i] = fit_alone(jobs[i])
            step()
        elsewhere = [i for i in alone if i not in here]
        parallel = joblib.Parallel(search.n_jobs, pre_dispatch=search.pre_dispatch)
        fitted = parallel(delayed(fit_alone)(jobs[i]) for i in elsewhere)
        for i, outcome in zip(elsewhere, fitted, strict=True):
            outcomes[i] = outcome
            progress.step()
        if part is not None:
            part.flush()
            part.report()
    return [outcome for outcome in outcomes.values() if outcome is not None]


def _n_threads(search: Any) -> int | None:
    """Return how many networks train at once in this process; None is one per core."""
    backend = active_backend()
    if search.n_jobs is None and backend.n_jobs is None and not backend.is_sequential:
        return None
    return joblib.effective_n_jobs(search.n_jobs)


def _score(
    search: Any,
    splits: _Splits,
    candidates: Sequence[Any],
    outcomes: Sequence[Outcome],
    run: Callable[[Any], None],
    part: Part | None,
) -> None:
    """Have scikit-learn score what was fitted, and refit the best."""
    remaining = deque(outcomes)
    refit = ExitStack()

    def hand_out(**parameters: Any) -> Any:
        if not remaining:  # the refit
            best = clone(search.estimator).set_params(**parameters)
            refit.enter_context(kept_in(last_network(best), refit_part(part, best)))
            return best
        return remaining.popleft().fitted_by_replay()

    shadow = _shadow(search, splits, hand_out, candidates)
    seconds = [outcome.seconds for outcome in outcomes]
    shadow.fit_seconds = np.reshape(seconds, (len(candidates), -1))
    with refit:
        run(shadow)
    if part is not None:
        part.report()
    for name, value in vars(shadow).items():
        if name.endswith("_") and not name.startswith("_"):
            setattr(search, name, value)
