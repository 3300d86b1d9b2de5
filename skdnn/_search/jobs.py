"""The fits of a search as jobs: networks train in stacks, other estimators alone."""

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

from skdnn._checkpoint.checkpoint import DifferentFitError, Part
from skdnn._estimator.checkpointing import kept_in
from skdnn._estimator.finalize import finalize
from skdnn._estimator.parameters import is_ensemble
from skdnn._estimator.plain import PlainNetwork, finish_plain
from skdnn._estimator.prepare import PreparedFit, prepare
from skdnn._runtime import keras_backend
from skdnn._training.stacks import shape_of, train_stack
from skdnn._training.task import TrainingResult, TrainingTask
from skdnn.classifier import DNNClassifier

# Bytes of rows that a stack may hold copies of: beyond that it is trained in parts.
_PART_BYTES = 2**30


@dataclass(frozen=True)
class Fold:
    """The training part of split `number`, as `fit` is given it."""

    number: int
    X: Any
    y: Any
    params: dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One fit of an estimator, its own clone with the candidate's parameters.

    Jobs of a fold with equal `transformers` have the same steps before their last.
    `n_alike` fits of the search, itself included, train a network of this shape; the
    network keeps its state in `checkpoint`.
    """

    estimator: Any
    fold: Fold
    transformers: Hashable
    n_alike: int = 1
    checkpoint: Part | None = None

    @property
    def inputs_key(self) -> tuple[int, Hashable]:
        """What jobs have in common whose networks are given the same inputs."""
        return self.fold.number, self.transformers


@dataclass
class Outcome:
    """An estimator after its fit: what that raised, warned of, and how long it took.

    `seconds` include an equal share of what several fits have in common.
    """

    estimator: Any = None
    error: Exception | None = None
    warnings: list[Any] = field(default_factory=list)
    seconds: float = 0.0
    origin: TracebackType | None = None
    _trace: str = ""

    def raise_different_fit(self) -> None:
        """Raise the error of a checkpoint of another fit, which ends the search."""
        if isinstance(self.error, DifferentFitError):
            raise self.error

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record the seconds of the block, its warnings, and the error it raises."""
        started = perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield
            except Exception as error:
                self.error, self.origin = error, error.__traceback__
                self._trace = traceback.format_exc()
        self.warnings += [warning.message for warning in caught]
        self.seconds += perf_counter() - started

    def fitted_by_replay(self) -> Any:
        """Return the estimator; its next `fit` warns and raises as the first did."""
        estimator = self.estimator

        def fit(X: Any, y: Any = None, **params: Any) -> Any:
            del estimator.fit
            for warning in self.warnings:
                warnings.warn(warning, stacklevel=2)
            if self.error is not None:
                if self.origin is None and not hasattr(self.error, "__notes__"):
                    self.error.add_note(f"In another process:\n{self._trace}")
                # the traceback must not grow each time that the error is raised
                raise self.error.with_traceback(self.origin)
            return estimator

        estimator.fit = fit
        return estimator

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"origin": None}  # tracebacks cannot be pickled


def fit_alone(job: Job) -> Outcome:
    """Fit the ordinary way."""
    outcome = Outcome(job.estimator)
    with outcome.recorded(), kept_in(last_network(job.estimator), job.checkpoint):
        job.estimator.fit(job.fold.X, job.fold.y, **job.fold.params)
    outcome.raise_different_fit()
    return outcome


def last_network(estimator: Any) -> DNNClassifier | None:
    """Return the network at the end of an estimator, if it is one."""
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    return last if isinstance(last, DNNClassifier) else None


def network_of(estimator: Any) -> DNNClassifier | None:
    """Return the network at the end of an estimator, if it can train in a stack.

    Not one with callbacks, which may do anything, nor the last step of a verbose
    pipeline, which reports each of its fits.
    """
    network = estimator
    if type(estimator) is Pipeline:
        if estimator.verbose:
            return None
        network = estimator.steps[-1][1]
    can_stack = type(network) is DNNClassifier and network.callbacks is None
    return network if can_stack else None


def count_alike(estimators: Sequence[Any]) -> list[int]:
    """Return how many of the estimators end in a network of the shape of each.

    Only parameters count, not data, so that the number does not depend on where the
    fits are prepared.
    """
    shapes = [_declared_shape(network_of(estimator)) for estimator in estimators]
    counts = Counter(shapes)
    return [counts[shape] for shape in shapes]


def _declared_shape(network: DNNClassifier | None) -> Hashable:
    """Return parameters that a compiled program depends on: not how large factors are.

    Numbers of which only the sign matters, and seeds, are its input.
    """
    if network is None:
        return None
    return tuple(
        (name, value > 0 if isinstance(value, float) else repr(value))
        for name, value in network.get_params(deep=False).items()
        if name != "random_state"
    )


def fit_stack(
    jobs: Sequence[Job],
    n_threads: int | None,
    step: Callable[[], None] = lambda: None,
) -> list[Outcome | None]:
    """Train the networks of many jobs together, fold by fold.

    Steps before a network are fitted once for each fold and their parameters.
    `n_threads` networks are trained at the same time, None is one per core; `step` is
    called as each job is done. The outcomes are in the order of `jobs`, None for a job
    whose network was given more than rows and weights: it must be fitted alone.
    """
    if jobs:
        keras_backend.load()  # so that its time is not counted for the first fit
    stack = _Stack(n_threads, step, Counter(job.inputs_key for job in jobs))
    by_fold = sorted(range(len(jobs)), key=lambda i: jobs[i].fold.number)
    outcomes = {i: stack.add(jobs[i]) for i in by_fold}
    stack.train()
    return [outcomes[i] for i in range(len(jobs))]


@dataclass(frozen=True)
class _Inputs:
    """What a network at the end of a pipeline is given, and the steps before it."""

    steps: Sequence[tuple[str, Any]]
    calls: Sequence[tuple[tuple[Any, ...], dict[str, Any]]]
    outcome: Outcome


class _Stack:
    """Fits that are waiting to be trained together."""

    def __init__(
        self,
        n_threads: int | None,
        step: Callable[[], None],
        shared_by: Counter[tuple[int, Hashable]],
    ):
        self._n_threads, self._step, self._shared_by = n_threads, step, shared_by
        self._inputs: dict[tuple[int, Hashable], _Inputs] = {}
        self._waiting: list[tuple[Outcome, PreparedFit, PlainNetwork, int]] = []
        self._array_bytes: dict[int, int] = {}

    def add(self, job: Job) -> Outcome | None:
        """Prepare a job, and train those that wait if they hold much memory."""
        key = job.inputs_key
        if key not in self._inputs:
            if all(number != job.fold.number for number, _ in self._inputs):
                self._inputs.clear()  # folds come one after the other
            self._inputs[key] = _fit_transformers(job)
        inputs = self._inputs[key]
        shared = inputs.outcome
        network: Any = network_of(job.estimator)
        # several networks train as a stack of their own
        fits_itself = network.hidden_layer_sizes is None or is_ensemble(network)
        extras = [params.keys() - {"sample_weight"} for _, params in inputs.calls]
        if any(extras) and not fits_itself:
            return None
        outcome = Outcome(job.estimator, warnings=[*shared.warnings])
        outcome.seconds = shared.seconds / self._shared_by[key]
        if shared.error is not None:
            self._step()
            return replace(outcome, error=shared.error, origin=shared.origin)
        if type(job.estimator) is Pipeline:
            job.estimator.steps[:-1] = inputs.steps
        (rows, params), prepared = inputs.calls[0], None
        with outcome.recorded(), kept_in(network, job.checkpoint):
            if fits_itself:
                network.fit(*rows, **params)
            else:
                prepared = prepare(network, *rows, **params)
        outcome.raise_different_fit()
        if prepared is None:
            self._step()
        else:
            self._wait(outcome, prepared, job.n_alike)
        return outcome

    def _wait(self, outcome: Outcome, prepared: PreparedFit, n_alike: int) -> None:
        (network,) = prepared.networks
        assert isinstance(network, PlainNetwork)
        task = network.task
        if task.random_state is check_random_state(None):
            # threads would draw from NumPy's global generator in no fixed order
            seed = task.random_state.randint(np.iinfo(np.int32).max)
            task = replace(task, random_state=np.random.RandomState(seed))
        network = replace(network, task=task)
        self._waiting.append((outcome, prepared, network, n_alike))
        tables = [rows.X for rows in (task.table, task.validation) if rows is not None]
        # of a sparse one, its values
        self._array_bytes |= {id(X): X.data.nbytes for X in tables}
        if sum(self._array_bytes.values()) > _PART_BYTES:
            self.train()

    def train(self) -> None:
        """Train the networks that wait, and make their estimators fitted."""
        tasks = [network.task for _, _, network, _ in self._waiting]
        counts = [n_alike for *_, n_alike in self._waiting]
        results: list[Any] = []
        if tasks:
            results = train_stack(tasks, self._n_threads, self._step, counts)
        if any(getattr(result, "interrupted", False) for result in results):
            raise KeyboardInterrupt
        seconds = _seconds_by_rows(tasks, results)
        for (outcome, prepared, network, _), result, spent in zip(
            self._waiting, results, seconds, strict=True
        ):
            outcome.seconds += spent
            with outcome.recorded():
                if isinstance(result, Exception):
                    raise result
                trained = finish_plain(network, result)
                outcome.warnings += finalize(
                    network_of(outcome.estimator), prepared, [trained]
                )
        self._waiting.clear()
        self._array_bytes.clear()


def _fit_transformers(job: Job) -> _Inputs:
    """Fit all steps but the network, and record what that would be given."""
    network: Any = network_of(job.estimator)
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    network.fit = lambda *rows, **params: calls.append((rows, params))
    outcome = fit_alone(job)
    del network.fit
    steps = job.estimator.steps[:-1] if type(job.estimator) is Pipeline else []
    return _Inputs(steps, calls, outcome)


def _seconds_by_rows(
    tasks: Sequence[TrainingTask], results: Sequence[TrainingResult | Exception]
) -> list[float]:
    """Return the seconds of each training: its share, by rows, of those of its shape.

    The first network of a shape waits for the compiler on behalf of the others.
    """
    seconds: Counter[Any] = Counter()
    rows: Counter[Any] = Counter()
    own = []
    for task, result in zip(tasks, results, strict=True):
        history = result.history if isinstance(result, TrainingResult) else []
        shape, n_rows = shape_of(task), task.n_train * len(history)
        seconds[shape] += sum(record["seconds"] for record in history)
        rows[shape] += n_rows
        own.append((shape, n_rows))
    return [seconds[shape] * n / rows[shape] if n else 0.0 for shape, n in own]
