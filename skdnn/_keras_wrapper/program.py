"""The compiled epoch of any compiled Keras network with one input and one output.

The loop over batches runs inside one ``tf.function``, around the network's own
``train_step``, so that losses, metrics and optimizers are Keras's.
"""

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skdnn._keras_wrapper import description as _sharing
from skdnn._keras_wrapper.nested_rows import Rows
from skdnn._runtime import caches, keras_backend
from skdnn._runtime.compat import compile_config

# Alike networks share a program; others keep theirs as long as they live.
_shared: _sharing.Kept["Program"] = _sharing.Kept(16)
_own: weakref.WeakKeyDictionary[Any, "Program"] = weakref.WeakKeyDictionary()
caches.register_cache(_own.clear)


def program_of(model: Any) -> "Program":
    """Return what trains a model: shared by all that are described alike, or its own.

    Parameters
    ----------
    model : keras.Model
        Compiled and built.
    """
    described = _sharing.training(model)
    if described is not None:
        return _shared.get(described, lambda: Program(_twin(model)))
    found = _own.get(model)
    if found is None or not found.is_compiled_as(model):
        found = _own[model] = Program(weakref.ref(model), compile_config(model))
    return found


def _twin(model: Any) -> Callable[[], Any]:
    twin = keras_backend.load().models.clone_model(model)
    twin.compile_from_config(model.get_compile_config())
    return lambda: twin


class Program:
    """A network that trains, for one fit at a time.

    Parameters
    ----------
    network : callable
        Returns the network whose variables are trained.
    compiled_as : object
        Tells one `compile` of the network from another.
    """

    def __init__(self, network: Callable[[], Any], compiled_as: Any = None):
        import tensorflow as tf

        self._tf = tf
        self._network, self._compiled_as = network, compiled_as
        # a callback may fit another network of the same description
        self._in_use = threading.RLock()
        self._model: Any = None
        self._has_variables = False
        self._loops: dict[tuple, Callable] = {}

    def is_compiled_as(self, model: Any) -> bool:
        """Return whether the model was not compiled anew."""
        return self._compiled_as is compile_config(model)

    @contextmanager
    def running(self, model: Any, rows: Rows) -> Iterator["Program"]:
        """Hold the program for a fit of the model, on rows like these."""
        with self._in_use:
            before, self._model = self._model, model
            self._make_variables(rows.take(slice(0, 2)).as_network_takes(model))
            try:
                yield self
            finally:
                self._model = before

    def take(self) -> None:
        """Take over weights and optimizer of the model, if it is another."""
        self._copy(self._model, self._network())

    def give(self) -> None:
        """Hand weights and optimizer back to the model."""
        self._copy(self._network(), self._model)

    def put(self, rows: Rows) -> Rows:
        """Return rows in the dtype of the network, as tensors if X is dense."""
        rows = rows.as_network_takes(self._model)
        if issparse(rows.X):
            return rows
        return Rows(*map(self._tf.convert_to_tensor, rows.batch()))

    def train(self, rows: Rows, order: np.ndarray, batch_size: int) -> dict[str, float]:
        """Take a step for each batch of the rows, in order; return loss and metrics."""
        return self._run("train_step", rows, order, batch_size)

    def evaluate(self, rows: Rows, batch_size: int) -> dict[str, float]:
        """Return loss and metrics of the rows."""
        return self._run("test_step", rows, np.arange(len(rows)), batch_size)

    def _run(self, step, rows, order, batch_size):
        tf = self._tf
        self._network().reset_metrics()
        for piece, places in rows.dense_pieces(order, batch_size):
            parts = tuple(map(tf.convert_to_tensor, piece.batch()))
            key = step, *((part.dtype, *part.shape[1:]) for part in parts)
            if key not in self._loops:
                self._loops[key] = self._loop(step, parts)
            logs = self._loops[key](
                *parts, tf.constant(places, "int32"), tf.constant(batch_size)
            )
        return {name: float(value) for name, value in logs.items()}

    def _make_variables(self, few: Rows) -> None:
        """Make all variables before the loop, which must make none."""
        network = self._network()
        if not self._has_variables:
            network.test_step(tuple(map(self._tf.convert_to_tensor, few.batch())))
            network.optimizer.build(network.trainable_variables)
            self._has_variables = True

    def _loop(self, step: str, parts: tuple) -> Callable:
        tf, network = self._tf, self._network

        def loop(*given):
            *rows, order, batch_size = given
            n = tf.shape(order)[0]

            def batch(start):
                stop = tf.minimum(start + batch_size, n)
                places = order[start:stop]
                getattr(network(), step)(tuple(tf.gather(r, places) for r in rows))
                return (stop,)

            tf.while_loop(
                lambda start: start < n, batch, (tf.constant(0),), parallel_iterations=1
            )
            return network().get_metrics_result()

        specs = [tf.TensorSpec([None, *p.shape[1:]], p.dtype) for p in parts]
        numbers = [tf.TensorSpec([None], "int32"), tf.TensorSpec([], "int32")]
        # a concrete one does not count how many there are, and warn
        return tf.function(loop, autograph=False).get_concrete_function(
            *specs, *numbers
        )

    def _copy(self, source: Any, target: Any) -> None:
        if source is target:
            return
        for a, b in zip(_state(source), _state(target), strict=True):
            b.assign(a.value)


def _state(model: Any) -> list[Any]:
    optimizer = model.optimizer
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    return [
        *model.trainable_variables,
        *model.non_trainable_variables,
        *optimizer.variables,
    ]
