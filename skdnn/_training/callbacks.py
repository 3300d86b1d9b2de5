"""Keras callbacks between epochs of our own loop."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdnn._network.keras_models import build_model, get_weights, set_weights
from skdnn._runtime import keras_backend
from skdnn._training.config import TrainingTask

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)


def asks_for_batches(callbacks: Sequence[Any]) -> bool:
    """Return whether a callback has something to do at every batch."""
    base = keras_backend.load().callbacks.Callback
    return any(
        getattr(type(callback), hook, None) is not getattr(base, hook)
        or hook in vars(callback)
        for callback in callbacks
        for hook in _BATCH_HOOKS
    )


class CallbackLoop:
    """Tells callbacks of every epoch, and takes back what they change.

    Callbacks see a compiled `keras.Model` of standard layers, from rows to
    probabilities, whose weights and learning rate are those of the fit. Weights that
    they set, a rate that they set, and ``stop_training`` count.

    Parameters
    ----------
    fit : Fit
        Holds the callbacks.
    """

    def __init__(self, fit: TrainingTask):
        self._fit = fit
        self._list: Any = None
        if not fit.callbacks:
            return
        keras = keras_backend.load()
        self._model = build_model(fit.spec, fit.weights)
        self._model.compile(
            optimizer=fit.solver.make(), loss="sparse_categorical_crossentropy"
        )
        # a model that a callback saves is loaded with its optimizer
        self._model.optimizer.build(self._model.trainable_variables)
        self._model.stop_training = False
        self._list = keras.callbacks.CallbackList(
            list(fit.callbacks),
            model=self._model,
            epochs=fit.stopping.max_iter,
            steps=fit.steps_an_epoch,
            verbose=0,
        )

    @property
    def wants_stop(self) -> bool:
        """Whether a callback asked for the end of training."""
        return self._list is not None and self._model.stop_training

    def begin(self) -> None:
        """Tell of the start of training."""
        if self._list is not None:
            self._list.on_train_begin()

    def begin_epoch(self, epoch: int, rate: float) -> float:
        """Tell of the start of an epoch; return the rate it is to have."""
        if self._list is None:
            return rate
        return self._rate_around(rate, lambda: self._list.on_epoch_begin(epoch))

    def end_epoch(
        self, epoch: int, rate: float, record: dict, weights: list[np.ndarray]
    ) -> tuple[float, list[np.ndarray] | None]:
        """Tell of the end of an epoch; return the new rate and changed weights."""
        set_weights(self._model, self._fit.spec, weights)
        logs = {name: value for name, value in record.items() if value == value}
        logs.pop("seconds")
        rate = self._rate_around(
            rate, lambda: self._list.on_epoch_end(epoch, dict(logs))
        )
        return rate, self._changed(weights)

    def end(self, weights: list[np.ndarray]) -> list[np.ndarray] | None:
        """Tell of the end of training; return weights that callbacks changed."""
        self._list.on_train_end()
        return self._changed(weights)

    def __bool__(self) -> bool:
        return self._list is not None

    def batch_forwarder(self, training_model):
        """Return a callback for ``Model.fit`` that passes batches on."""
        loop = self

        class Forwarder(keras_backend.load().callbacks.Callback):
            def on_train_batch_begin(self, batch, logs=None):
                loop._list.on_train_batch_begin(batch, logs)

            def on_train_batch_end(self, batch, logs=None):
                loop._list.on_train_batch_end(batch, logs)
                training_model.stop_training = loop.wants_stop

        return Forwarder()

    def _rate_around(self, rate: float, tell) -> float:
        """Let callbacks see the rate while they are told; return what it is then."""
        if self._fit.solver.has_schedule:
            tell()
            return rate
        optimizer = self._model.optimizer
        optimizer.learning_rate = rate
        before = float(optimizer.learning_rate)
        tell()
        after = float(optimizer.learning_rate)
        return rate if after == before else after

    def _changed(self, weights: list[np.ndarray]) -> list[np.ndarray] | None:
        now = get_weights(self._model, self._fit.spec)
        same = all(
            np.array_equal(a, b, equal_nan=True)
            for a, b in zip(now, weights, strict=True)
        )
        return None if same else now
