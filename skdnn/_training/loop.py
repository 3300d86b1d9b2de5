"""The loop over epochs: order of rows, rates, stopping, callbacks."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from skdnn._runtime import keras_backend, threads
from skdnn._training.callbacks import CallbackLoop, asks_for_batches
from skdnn._training.compiled_epochs import CompiledEpochs
from skdnn._training.config import (
    COMPILED_BACKENDS,
    EarlyStoppingMonitor,
    TrainingResult,
    TrainingTask,
    choose_execution,
    require_finite,
)
from skdnn._training.keras_fallback import KerasEpochs
from skdnn._training.lbfgs import train_lbfgs
from skdnn._training.program import Program, program


def train(
    fit: TrainingTask, n_fits: int = 1, wants_stop: Callable[[], bool] = lambda: False
) -> TrainingResult:
    """Train one network.

    Parameters
    ----------
    fit : Fit
        What to do; nothing in it is changed but the state of its `random_state`.
    n_fits : int
        How many of its shape are about to be trained, itself included.
    wants_stop : callable
        Asked between epochs whether to end as if the user had interrupted.

    Returns
    -------
    Fitted

    Raises
    ------
    ValueError
        If the loss becomes infinite or NaN.
    """
    if fit.solver.full_batch:
        return train_lbfgs(fit)
    callbacks = CallbackLoop(fit)
    return _Loop(fit, _choose_epochs(fit, callbacks, n_fits), callbacks).run(wants_stop)


def train_stack(
    fits: Sequence[TrainingTask],
    n_threads: int | None = None,
    on_end: Callable[[], None] = lambda: None,
) -> list[TrainingResult | Exception]:
    """Train many networks as one: those of one shape share a compiled program.

    Each has its own rows, seed, rates, penalties and stopping, and comes out as it
    would alone in that program. They run side by side, a thread a core: a small
    network stays in the cache of its core, where a step over many at once would not.

    Parameters
    ----------
    fits : sequence of Fit
        What to do.
    n_threads : int or None
        How many are trained at the same time; None is one a core.
    on_end : callable
        Called as each of them ends, from any thread.

    Returns
    -------
    list of Fitted or Exception
        In the order of `fits`; an exception in place of a fit that failed.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts, once all have ended.
    """
    keras_backend.load()  # before any thread asks for it
    shapes = [shape_of(fit) for fit in fits]
    alike = Counter(shapes)  # in the order in which they come first
    results: dict[int, TrainingResult | Exception] = {}
    stop = threading.Event()

    def run(i: int) -> None:
        try:
            results[i] = train(fits[i], alike[shapes[i]], stop.is_set)
        except Exception as error:
            results[i] = error
        on_end()

    # one shape after the other, so that few programs are in use at a time
    rank = {shape: i for i, shape in enumerate(alike)}
    order = sorted(range(len(fits)), key=lambda i: rank[shapes[i]])
    n_threads = min(n_threads or threads.thread_count(), len(fits))
    if n_threads < 2 or keras_backend.backend() not in COMPILED_BACKENDS:
        for i in order:
            run(i)
    else:
        _run_in_threads(run, order, n_threads, stop)
    return [results[i] for i in range(len(fits))]


def _run_in_threads(
    run: Callable[[int], None], order: list[int], n: int, stop: threading.Event
) -> None:
    with ThreadPoolExecutor(n) as pool:
        try:
            for _ in pool.map(run, order):
                pass
        except BaseException:  # the user's interrupt ends them all
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def shape_of(fit: TrainingTask) -> tuple:
    """Return what fits that share a program have in common."""
    return fit.spec.without_rates(), fit.solver, fit.penalties.active, fit.batch_size


def _choose_epochs(fit: TrainingTask, callbacks: CallbackLoop, n_fits: int):
    """Return the compiled epoch, or its slow twin where that cannot serve."""
    if callbacks and asks_for_batches(fit.callbacks):
        return KerasEpochs(fit, callbacks.batch_forwarder)
    if keras_backend.backend() not in COMPILED_BACKENDS:
        return KerasEpochs(fit)
    return CompiledEpochs(fit, program_of(fit, n_fits))


def program_of(fit: TrainingTask, n_fits: int = 1) -> Program:
    """Return the compiled program for a fit that is one of so many of its shape."""
    execution = choose_execution(
        fit.spec.n_inputs,
        np.dtype(fit.spec.dtype).itemsize,
        fit.batch_size,
        fit.steps_an_epoch * fit.stopping.max_iter * n_fits,
        backend=keras_backend.backend(),
    )
    return program(fit.spec, fit.solver, fit.penalties.active, execution)


class _Loop:
    """The state of one fit between its epochs."""

    def __init__(self, fit: TrainingTask, epochs: Any, callbacks: CallbackLoop):
        self._fit, self._epochs, self._callbacks = fit, epochs, callbacks
        self._order = fit.positions.astype(np.int32)
        self._monitor = EarlyStoppingMonitor(fit.stopping)
        self._rate = fit.rate.initial if fit.rate else epochs.rate()
        self._rows_seen = fit.rows_seen
        self._best_weights: list[np.ndarray] | None = None
        self._history: list[dict] = []
        self._logits: list[np.ndarray] = []

    def run(self, wants_stop: Callable[[], bool]) -> TrainingResult:
        """Train until a rule, a callback, the user or the last epoch ends it."""
        fit, stopped, interrupted = self._fit, False, False
        self._callbacks.begin()
        try:
            while not stopped and len(self._history) < fit.stopping.max_iter:
                if wants_stop():
                    raise KeyboardInterrupt
                stopped = self._advance(self._epochs_together())
        except KeyboardInterrupt:
            interrupted = True
        if self._best_weights is not None:
            self._epochs.set_weights(self._best_weights)
        if self._callbacks:
            self._take(self._callbacks.end(self._epochs.weights()))
        return TrainingResult(
            weights=self._epochs.weights(),
            optimizer_state=self._epochs.optimizer_state(),
            history=self._history,
            rows_seen=self._rows_seen,
            stopped=stopped,
            interrupted=interrupted,
            logits=self._logits,
        )

    def _epochs_together(self) -> int:
        """Return how many epochs to train before looking at them.

        As many as change nothing: training cannot end before the last of them, and
        nobody waits to be told of each.
        """
        fit = self._fit
        constant_rate = fit.rate is not None and fit.rate.policy == "constant"
        constant_rate = constant_rate or fit.schedule is not None
        looks = fit.validation is not None and not fit.keeps_logits
        if self._callbacks or looks or not constant_rate:
            return 1
        left = fit.stopping.max_iter - len(self._history)
        at_once = min(left, self._monitor.epochs_to_stall, self._epochs.epochs_at_once)
        return max(1, int(at_once))

    def _advance(self, n_epochs: int) -> bool:
        """Train for some epochs; return whether the last of them ends training."""
        fit = self._fit
        self._rate = self._callbacks.begin_epoch(len(self._history), self._rate)
        orders = np.stack([self._next_order() for _ in range(n_epochs)])
        started = time.perf_counter()
        sums = self._epochs.train(orders, self._rate)
        validated = self._validate(n_epochs)
        seconds = (time.perf_counter() - started) / n_epochs
        stopped = False
        for (loss, rows, hits, weight), seen in zip(sums, validated, strict=True):
            record = {
                "loss": float(loss / rows),
                "accuracy": float(hits / weight),
                "val_loss": np.nan,
                "val_accuracy": np.nan,
                "learning_rate": self._rate if fit.rate else self._epochs.rate(),
                "seconds": seconds,
            }
            record |= seen
            self._history.append(record)
            require_finite(record["loss"], len(self._history), record["learning_rate"])
            self._rows_seen += fit.n_train
            fit.on_epoch(record)
            stopped = self._after_epoch(len(self._history) - 1, record)
        return stopped

    def _next_order(self) -> np.ndarray:
        """Return the order of the rows for the next epoch."""
        if self._fit.shuffle:
            self._fit.random_state.shuffle(self._order)
        return self._order.copy()

    def _validate(self, n_epochs: int) -> list[dict[str, float]]:
        """Return the validation figures of the epochs just trained."""
        if self._fit.validation is None:
            return [{}] * n_epochs
        if self._fit.keeps_logits:  # whoever asked for them makes figures of them
            self._logits += self._epochs.take_logits()
            return [{}] * n_epochs
        loss, hits, weight = self._epochs.evaluate()
        loss, accuracy = float(loss / weight), float(hits / weight)
        return [{"val_loss": loss, "val_accuracy": accuracy}]

    def _after_epoch(self, epoch: int, record: dict) -> bool:
        """Keep the best weights, move the rate; return whether training ends."""
        fit = self._fit
        early = fit.stopping.early
        improved = self._monitor.update(record["val_loss" if early else "loss"])
        if early and improved:
            self._best_weights = self._epochs.weights()
        if fit.rate:
            self._rate = fit.rate.after_epoch(self._rate, self._rows_seen)
        stops = False
        if self._monitor.is_stalled:
            rate = fit.rate.after_stall(self._rate) if fit.rate else None
            stops = rate is None
            self._rate = self._rate if rate is None else rate
            self._monitor.stalled = 0
        if self._callbacks:
            self._rate, changed = self._callbacks.end_epoch(
                epoch, self._rate, record, self._epochs.weights()
            )
            self._take(changed)
        return stops or self._callbacks.wants_stop

    def _take(self, weights: list[np.ndarray] | None) -> None:
        if weights is not None:
            self._epochs.set_weights(weights)
