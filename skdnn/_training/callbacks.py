"""Keras callbacks between epochs of our own loop."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from skdnn._network.keras_models import build_model, get_weights, set_weights
from skdnn._runtime import keras_backend
from skdnn._training.model_functions import build_training
from skdnn._training.task import ModelTask, Record, TrainingTask

_BATCH_HOOKS = tuple(
    f"on_{kind}batch_{when}"
    for kind in ("", "train_", "test_")
    for when in ("begin", "end")
)


def need_batches(callbacks: Sequence[Any]) -> bool:
    """Return whether a callback does something at every batch."""
    return any(map(_needs_batches, keras_backend.load().tree.flatten(list(callbacks))))


def _needs_batches(callback: Any) -> bool:
    callbacks = keras_backend.load().callbacks
    if isinstance(callback, callbacks.ModelCheckpoint):
        if callback.save_freq == "epoch":
            return False
    elif isinstance(callback, callbacks.History | callbacks.ProgbarLogger):
        return False
    return any(
        getattr(type(callback), hook, None) is not getattr(callbacks.Callback, hook)
        or hook in vars(callback)
        for hook in _BATCH_HOOKS
    )


class NoCallbacks:
    """Stands for the callbacks of a fit that has none."""

    needs_every_epoch = False
    _model: Any = None

    @property
    def wants_stop(self) -> bool:
        """Whether a callback requested the end of training."""
        return self._model is not None and bool(self._model.stop_training)

    def begin(self, epochs: Any) -> None:
        """Do nothing."""

    def begin_epoch(self, epoch: int, rate: float) -> float:
        """Return the rate of the epoch."""
        return rate

    def evaluate(self, epochs: Any) -> Record:
        record: Record = epochs.evaluate()
        return record

    def end_epoch(self, epoch: int, rate: float, record: Record) -> float:
        """Return the rate of the next epoch."""
        return rate

    def end(self) -> None:
        """Do nothing."""


class SpecCallbacks(NoCallbacks):
    """Calls the callbacks of a network from a spec, and takes over what they change.

    They see a compiled `keras.Model` of standard layers, from rows to probabilities,
    with the weights and the learning rate of the fit.
    """

    needs_every_epoch = True

    def __init__(self, task: TrainingTask):
        self._task = task
        self._epochs: Any = None
        spec = task.spec
        self._model = build_model(spec, task.weights)
        loss = "binary" if spec.is_multilabel else "sparse_categorical"
        self._model.compile(
            optimizer=task.solver.make(),
            loss=f"{loss}_crossentropy",
            metrics=["accuracy"],
        )
        # metrics for what they monitor, the optimizer for a model that they save
        y = np.zeros((1, spec.n_outputs) if spec.is_multilabel else 1, np.int32)
        build_training(self._model, (np.zeros((1, spec.n_inputs), spec.dtype), y))
        self._model.stop_training = False
        self._list = keras_backend.load().callbacks.CallbackList(
            list(task.callbacks),
            model=self._model,
            epochs=task.stopping.max_iter,
            steps=task.steps_per_epoch,
            verbose=0,
        )

    def begin(self, epochs: Any) -> None:
        self._epochs = epochs
        self._around(self._list.on_train_begin)

    def begin_epoch(self, epoch: int, rate: float) -> float:
        return self._rate_after(rate, lambda: self._list.on_epoch_begin(epoch))

    def end_epoch(self, epoch: int, rate: float, record: Record) -> float:
        logs = {name: value for name, value in record.items() if value == value}
        logs.pop("seconds")
        notify = partial(self._list.on_epoch_end, epoch, logs)
        return self._rate_after(rate, lambda: self._around(notify))

    def end(self) -> None:
        self._around(self._list.on_train_end)

    def batch_forwarder(self, training_model: Any) -> Any:
        """Return a callback for ``Model.fit`` that forwards batches."""
        forwarder = keras_backend.load().callbacks.Callback()

        def end(batch: int, logs: Any = None) -> None:
            self._list.on_train_batch_end(batch, logs)
            training_model.stop_training = self.wants_stop

        forwarder.on_train_batch_begin = self._list.on_train_batch_begin
        forwarder.on_train_batch_end = end
        return forwarder

    def _rate_after(self, rate: float, notify: Callable[[], None]) -> float:
        """Show callbacks the rate while they are notified; return the one after."""
        if self._task.solver.has_schedule:
            notify()
            return rate
        optimizer = self._model.optimizer
        optimizer.learning_rate = rate
        before = float(keras_backend.to_numpy(optimizer.learning_rate))
        notify()
        after = float(keras_backend.to_numpy(optimizer.learning_rate))
        return rate if after == before else after

    def _around(self, notify: Callable[[], None]) -> None:
        """Show callbacks the weights while they are notified; take those they set."""
        weights = self._epochs.weights()
        set_weights(self._model, self._task.spec, weights)
        notify()
        now = get_weights(self._model, self._task.spec)
        if not all(map(partial(np.array_equal, equal_nan=True), now, weights)):
            self._epochs.set_weights(now)


class ModelCallbacks(NoCallbacks):
    """Calls callbacks that see and may change the model that is trained."""

    def __init__(self, task: ModelTask):
        self._model = task.model
        self._epochs: Any = None
        self._logs: Record = {}
        self._synchronizes = bool(task.callbacks)
        self.needs_every_epoch = self._synchronizes or task.verbose != 0
        self._list = keras_backend.load().callbacks.CallbackList(
            list(task.callbacks),
            add_history=True,
            add_progbar=task.verbose != 0,
            verbose=task.verbose,
            epochs=task.epochs,
            steps=task.steps_per_epoch,
            model=task.model,
        )
        task.model.stop_training = False

    def begin(self, epochs: Any) -> None:
        self._epochs = epochs
        self._list.on_train_begin()

    def begin_epoch(self, epoch: int, rate: float) -> float:
        self._list.on_epoch_begin(epoch)
        if self._synchronizes:
            self._epochs.pull()
        return rate

    def evaluate(self, epochs: Any) -> Record:
        self._list.on_test_begin()
        record: Record = epochs.evaluate()
        self._list.on_test_end(record)
        return record

    def end_epoch(self, epoch: int, rate: float, record: Record) -> float:
        if self._synchronizes:
            self._epochs.push()
        ours = ("learning_rate", "seconds")
        self._logs = {k: v for k, v in record.items() if k not in ours}
        self._list.on_epoch_end(epoch, self._logs)
        return rate

    def end(self) -> None:
        """Leave the model trained, and notify of the end of training."""
        if not self._synchronizes:
            self._epochs.push()
        self._model.optimizer.finalize_variable_values(self._model.trainable_weights)
        self._list.on_train_end(self._logs)
