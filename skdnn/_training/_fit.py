"""The loop over epochs: order of rows, rates, stopping, callbacks."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skdnn import _keras
from skdnn._training._callbacks import CallbackLoop, asks_for_batches
from skdnn._training._epoch_keras import KerasEpochs
from skdnn._training._lbfgs import train_lbfgs
from skdnn._training._plan import (
    Fit,
    Fitted,
    Rows,
    Watch,
    require_finite,
    rows_per_chunk,
)


def train(fit: Fit) -> Fitted:
    """Train one network.

    Parameters
    ----------
    fit : Fit
        What to do; nothing in it is changed but the state of its `random_state`.

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
    with _choose_road(fit, callbacks).running(fit) as road:
        return _Loop(fit, road, callbacks).run()


def _choose_road(fit: Fit, callbacks: CallbackLoop):
    """Return the compiled epoch, or its slow twin where that cannot serve."""
    if callbacks and asks_for_batches(fit.callbacks):
        return KerasEpochs(callbacks.batch_forwarder)
    if _keras.backend() != "tensorflow":
        return KerasEpochs()
    from skdnn._training._epoch_tensorflow import program

    return program(fit.spec.without_rates(), fit.solver, fit.penalties.active)


class _Loop:
    """The state of one fit between its epochs."""

    def __init__(self, fit: Fit, road: Any, callbacks: CallbackLoop):
        self._fit, self._road, self._callbacks = fit, road, callbacks
        self._train = self._feeder(fit.train)
        if fit.validation is not None:
            self._validation = self._feeder(fit.validation)
        self._order = np.arange(len(fit.train), dtype=np.int32)
        self._watch = Watch(fit.stopping)
        self._rate = fit.rate.initial if fit.rate else road.rate()
        self._rows_seen = fit.rows_seen
        self._best_weights: list[np.ndarray] | None = None
        self._history: list[dict] = []

    def run(self) -> Fitted:
        """Train until a rule, a callback, the user or the last epoch ends it."""
        fit, stopped, interrupted = self._fit, False, False
        self._callbacks.begin()
        try:
            for epoch in range(fit.stopping.max_iter):
                stopped = self._epoch(epoch)
                if stopped:
                    break
        except KeyboardInterrupt:
            interrupted = True
        if self._best_weights is not None:
            self._road.set_weights(self._best_weights)
        if self._callbacks:
            self._take(self._callbacks.end(self._road.weights()))
        return Fitted(
            weights=self._road.weights(),
            optimizer_state=self._road.optimizer_state(),
            history=self._history,
            rows_seen=self._rows_seen,
            stopped=stopped,
            interrupted=interrupted,
        )

    def _epoch(self, epoch: int) -> bool:
        """Train for one epoch; return whether it is the last."""
        fit = self._fit
        self._rate = self._callbacks.begin_epoch(epoch, self._rate)
        if fit.shuffle:
            fit.random_state.shuffle(self._order)
        started = time.perf_counter()
        loss, rows, hits, weight = self._train(
            self._order,
            lambda rows, order: self._road.train(rows, order, self._rate),
        )
        record = {
            "loss": loss / rows,
            "accuracy": hits / weight,
            "val_loss": np.nan,
            "val_accuracy": np.nan,
            "learning_rate": self._rate if fit.rate else self._road.rate(),
            "seconds": 0.0,
        }
        require_finite(record["loss"], epoch + 1, record["learning_rate"])
        if fit.validation is not None:
            loss, hits, weight = self._validation(
                np.arange(len(fit.validation)),
                lambda rows, order: self._road.evaluate(rows),
            )
            record |= {"val_loss": loss / weight, "val_accuracy": hits / weight}
        record = {name: float(value) for name, value in record.items()}
        record["seconds"] = time.perf_counter() - started
        self._history.append(record)
        self._rows_seen += len(fit.train)
        fit.on_epoch(record)
        return self._after_epoch(epoch, record)

    def _after_epoch(self, epoch: int, record: dict) -> bool:
        """Keep the best weights, move the rate; return whether training ends."""
        fit = self._fit
        early = fit.stopping.early
        improved = self._watch.update(record["val_loss" if early else "loss"])
        if early and improved:
            self._best_weights = self._road.weights()
        if fit.rate:
            self._rate = fit.rate.after_epoch(self._rate, self._rows_seen)
        stops = False
        if self._watch.is_stalled:
            rate = fit.rate.after_stall(self._rate) if fit.rate else None
            stops = rate is None
            self._rate = self._rate if rate is None else rate
            self._watch.stalled = 0
        if self._callbacks:
            self._rate, changed = self._callbacks.end_epoch(
                epoch, self._rate, record, self._road.weights()
            )
            self._take(changed)
        return stops or self._callbacks.wants_stop

    def _take(self, weights: list[np.ndarray] | None) -> None:
        if weights is not None:
            self._road.set_weights(weights)

    def _feeder(self, rows: Rows) -> Callable:
        """Return a function that hands rows to a step and adds up what it returns.

        Dense rows are put where the backend wants them once; a sparse X is made
        dense a chunk of whole batches at a time.
        """
        if not issparse(rows.X):
            placed = self._road.put(rows)
            return lambda order, step: step(placed, order)
        fit = self._fit
        size = rows_per_chunk(
            fit.spec.n_inputs, np.dtype(fit.spec.dtype).itemsize, fit.batch_size
        )

        def feed(order, step):
            return sum(
                step(self._road.put(chunk), np.arange(len(chunk), dtype=np.int32))
                for chunk in _dense_chunks(rows, order, size)
            )

        return feed


def _dense_chunks(rows: Rows, order: np.ndarray, size: int) -> Iterator[Rows]:
    for start in range(0, len(order), size):
        yield rows.take(order[start : start + size]).dense()
