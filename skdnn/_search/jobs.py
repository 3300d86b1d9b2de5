"""The fits of a search as jobs: networks are trained in stacks, all else alone."""

import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from types import TracebackType
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from skdnn._estimator import prepare as _fitting
from skdnn._estimator.ensemble import is_ensemble
from skdnn._runtime import keras_backend
from skdnn._training.stacks import shape_of, train_stack
from skdnn._training.task import TrainingResult, TrainingTask
from skdnn.classifier import DNNClassifier

# Rows that a stack holds copies of, in bytes: beyond that it is trained in portions.
_PORTION_BYTES = 2**30


@dataclass(frozen=True)
class Fold:
    """The training part of a split, as `fit` is given it.

    Parameters
    ----------
    number : int
        Its position among the splits.
    X, y
        The rows, in the caller's container.
    params : dict
        What else `fit` is given.
    """

    number: int
    X: Any
    y: Any
    params: dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One fit.

    Parameters
    ----------
    estimator : object
        Its own clone, with the candidate's parameters.
    fold : Fold
        What to fit it to.
    transformers : hashable
        Jobs of a fold that are equal here have the same steps before their last.
    """

    estimator: Any
    fold: Fold
    transformers: Hashable


@dataclass
class Outcome:
    """What a fit left.

    Parameters
    ----------
    estimator : object
        The estimator, fitted unless there is an error.
    error : Exception or None
        What the fit raised.
    notes : list of Warning
        What the fit warned of.
    seconds : float
        What it took; of what several fits share, its part.
    """

    estimator: Any = None
    error: Exception | None = None
    notes: list[Any] = field(default_factory=list)
    seconds: float = 0.0
    _origin: TracebackType | None = None
    _trace: str = ""

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Keep the seconds of the block, its warnings, and what ends it."""
        started = perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield
            except Exception as error:
                self.error, self._origin = error, error.__traceback__
                self._trace = traceback.format_exc()
        self.notes += [note.message for note in caught]
        self.seconds += perf_counter() - started

    def tell(self) -> None:
        """Warn and raise as the fit did."""
        for note in self.notes:
            warnings.warn(note, stacklevel=3)
        if self.error is not None:
            if self._origin is None and not hasattr(self.error, "__notes__"):
                self.error.add_note(f"In another process:\n{self._trace}")
            # where it came from is the same however often it is raised
            raise self.error.with_traceback(self._origin)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_origin": None}  # a traceback stays in its process


def fit_alone(job: Job) -> Outcome:
    """Fit the ordinary way."""
    outcome = Outcome(job.estimator)
    with outcome.watch():
        job.estimator.fit(job.fold.X, job.fold.y, **job.fold.params)
    return outcome


def network_of(estimator) -> DNNClassifier | None:
    """Return the network at the end of an estimator, if it needs no road of its own.

    Callbacks may do anything, and a pipeline that speaks tells of each of its fits.
    """
    network = estimator
    if type(estimator) is Pipeline:
        if estimator.verbose:
            return None
        network = estimator.steps[-1][1]
    if type(network) is not DNNClassifier or network.callbacks is not None:
        return None
    return network


def _is_stack(network: DNNClassifier) -> bool:
    """Return whether a network is many, which train as a stack of their own."""
    return network.hidden_layer_sizes is None or is_ensemble(network)


def fit_stack(
    jobs: Sequence[Job],
    n_threads: int | None,
    step: Callable[[], None] = lambda: None,
) -> list[Outcome | None]:
    """Train the networks of many jobs together, fold by fold.

    Steps before a network are fitted once for each fold and their parameters.

    Parameters
    ----------
    jobs : sequence of Job
        Each with a network at its end.
    n_threads : int or None
        How many are trained at the same time; None is one a core.
    step : callable
        Called as each job is done.

    Returns
    -------
    list of Outcome or None
        In the order of `jobs`; None for one whose network was given more than rows
        and weights, which only the ordinary way can serve.
    """
    if jobs:
        keras_backend.load()  # before any fit takes its time
    stack = _Stack(n_threads, step, Counter(map(_received_by, jobs)))
    order = sorted(range(len(jobs)), key=lambda i: jobs[i].fold.number)
    outcomes = dict(zip(order, [stack.add(jobs[i]) for i in order], strict=True))
    stack.train()
    return [outcomes[i] for i in range(len(jobs))]


def _received_by(job: Job) -> tuple[int, Hashable]:
    """Return what jobs whose networks receive the same have in common."""
    return job.fold.number, job.transformers


@dataclass(frozen=True)
class _Received:
    """What a network at the end of a pipeline is given, and the steps before it."""

    steps: Sequence[tuple[str, Any]]
    given: Sequence[tuple[tuple, dict[str, Any]]]
    outcome: Outcome


class _Stack:
    """Fits that are waiting to be trained together."""

    def __init__(self, n_threads: int | None, step: Callable, shared_by: Counter):
        self._n_threads, self._step, self._shared_by = n_threads, step, shared_by
        self._received: dict[tuple[int, Hashable], _Received] = {}
        self._waiting: list[tuple[Outcome, TrainingTask]] = []
        self._arrays: dict[int, int] = {}  # bytes of each that is held

    def add(self, job: Job) -> Outcome | None:
        """Prepare a job, and train those that wait if they hold much memory."""
        key = _received_by(job)
        if key not in self._received:
            if all(number != job.fold.number for number, _ in self._received):
                self._received.clear()  # folds come one after the other
            self._received[key] = _receive(job)
        received = self._received[key]
        shared = received.outcome
        network: Any = network_of(job.estimator)
        is_stack = _is_stack(network)
        extras = [params.keys() - {"sample_weight"} for _, params in received.given]
        if any(extras) and not is_stack:
            return None
        outcome = Outcome(job.estimator, notes=[*shared.notes])
        outcome.seconds = shared.seconds / self._shared_by[key]
        if shared.error is not None:
            self._step()
            return replace(outcome, error=shared.error, _origin=shared._origin)
        if type(job.estimator) is Pipeline:
            job.estimator.steps[:-1] = received.steps
        (rows, params), fit = received.given[0], None
        with outcome.watch():
            if is_stack:
                network.fit(*rows, **params)
            else:
                fit = _prepare(network, rows, params)
        if fit is None:
            self._step()
        else:
            self._waiting.append((outcome, fit))
            self._arrays |= _held_arrays(fit)
        if sum(self._arrays.values()) > _PORTION_BYTES:
            self.train()
        return outcome

    def train(self) -> None:
        """Train what is waiting, and make its estimators fitted."""
        fits = [fit for _, fit in self._waiting]
        all_fitted = train_stack(fits, self._n_threads, self._step) if fits else []
        seconds = _shared_seconds(fits, all_fitted)
        for (outcome, fit), fitted, spent in zip(
            self._waiting, all_fitted, seconds, strict=True
        ):
            outcome.seconds += spent
            with outcome.watch():
                if isinstance(fitted, Exception):
                    raise fitted
                _fitting.finish(network_of(outcome.estimator), fit, fitted)
        self._waiting.clear()
        self._arrays.clear()


def _prepare(network, rows, params) -> TrainingTask:
    fit = _fitting.prepare(network, *rows, **params)
    if fit.random_state is check_random_state(None):
        # threads draw in no order: each network gets a seed of its own
        seed = fit.random_state.randint(np.iinfo(np.int32).max)
        fit = replace(fit, random_state=np.random.RandomState(seed))
    return fit


def _receive(job: Job) -> _Received:
    """Fit all steps but the network, and keep what it would be given."""
    network: Any = network_of(job.estimator)
    outcome, given = Outcome(), []
    network.fit = lambda *rows, **params: given.append((rows, params))
    with outcome.watch():
        job.estimator.fit(job.fold.X, job.fold.y, **job.fold.params)
    del network.fit
    steps = job.estimator.steps[:-1] if type(job.estimator) is Pipeline else []
    return _Received(steps, given, outcome)


def _shared_seconds(
    fits: Sequence[TrainingTask], all_fitted: Sequence[TrainingResult | Exception]
) -> list[float]:
    """Return what each training took, that of its shape shared by the rows it saw.

    The first of a shape waits for the compiler, which is not its fault.
    """
    shapes = [shape_of(fit) for fit in fits]
    seconds: Counter = Counter()
    rows: Counter = Counter()
    seen = [0] * len(fits)
    for i, fitted in enumerate(all_fitted):
        if isinstance(fitted, TrainingResult):
            seen[i] = fits[i].n_train * len(fitted.history)
            seconds[shapes[i]] += sum(record["seconds"] for record in fitted.history)
            rows[shapes[i]] += seen[i]
    return [
        seconds[shape] * n / rows[shape] if n else 0.0
        for shape, n in zip(shapes, seen, strict=True)
    ]


def _held_arrays(fit: TrainingTask) -> dict[int, int]:
    """Return the bytes of each array of rows, by its identity."""
    parts = [rows.X for rows in (fit.table, fit.validation) if rows is not None]
    return {id(X): X.data.nbytes for X in parts}  # of a sparse one, its numbers
