"""The compiled epoch: one call of TensorFlow for all batches of an epoch.

``keras.Model.fit`` spends nine tenths of the time of a small network between its
steps. Here the loop over batches runs inside one ``tf.function``. Layers, losses and
optimizers are Keras's; all trainable weights are one vector where the optimizer
allows it, so that its step is one short row of operations.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from functools import lru_cache
from typing import Any

import numpy as np

from skdnn import _keras
from skdnn._network._build import (
    build_network,
    get_weights,
    network_variables,
    set_dropout,
    set_weights,
)
from skdnn._network._solvers import Solver
from skdnn._network._spec import NetworkSpec
from skdnn._training._loss import penalised_loss
from skdnn._training._plan import Fit, Rows

# Validation rows go through the network this many at a time.
_EVALUATION_ROWS = 4096


@lru_cache(maxsize=16)
def program(spec: NetworkSpec, solver: Solver, active: tuple[bool, ...]) -> "Program":
    """Return the compiled program of a shape, made at its first use.

    Parameters
    ----------
    spec : NetworkSpec
        From ``without_rates()``: rates are inputs.
    solver : Solver
        The optimizer.
    active : tuple of bool
        ``Penalties.active``: what is zero is left out of the program.
    """
    return Program(spec, solver, active)


_keras.register_cache(program.cache_clear)


class Program:
    """A network, its optimizer and the compiled functions that train it.

    Its variables belong to one fit at a time, see `running`.

    Parameters
    ----------
    spec : NetworkSpec
        The network; its dropout rates are not used.
    solver : Solver
        The optimizer.
    active : tuple of bool
        Which penalties there are.
    """

    def __init__(self, spec: NetworkSpec, solver: Solver, active: tuple[bool, ...]):
        keras = _keras.load()
        import tensorflow as tf

        self._lock = threading.Lock()
        self._tf, self._spec, self._active = tf, spec, active
        self._network = build_network(spec)
        self._optimizer = solver.make()
        self._follows_schedule = solver.has_schedule
        trainable = [array for array in spec.arrays if array.trainable]
        self._shapes = [array.shape for array in trainable]
        self._sizes = [array.size for array in trainable]
        is_kernel = [float(array.role == "kernel") for array in trainable]
        if solver.elementwise:
            zeros = np.zeros(sum(self._sizes), spec.dtype)
            self._flat = keras.Variable(zeros, dtype=spec.dtype)
            self._variables = [self._flat]
            self._decayed: list[Any] = [
                np.repeat(is_kernel, self._sizes).astype(spec.dtype)
            ]
        else:
            self._flat = None
            self._variables = self._network.trainable_variables
            self._decayed = is_kernel
        self._optimizer.build(self._variables)
        self._fresh_optimizer = self.optimizer_state()
        self._compile()

    @contextmanager
    def running(self, fit: Fit) -> Iterator["Program"]:
        """Hold the program for one fit, started from its weights and seeds."""
        with self._lock:
            self._fit = fit
            self.set_weights(fit.weights)
            state = fit.optimizer_state or self._fresh_optimizer
            for variable, value in zip(self._optimizer.variables, state, strict=True):
                variable.assign(value)
            set_dropout(self._network, fit.spec, fit.dropout_seed)
            try:
                yield self
            finally:
                del self._fit

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Copy weight arrays, in the order of ``spec.arrays``, into the program."""
        set_weights(self._network, self._spec, weights)
        if self._flat is not None:
            arrays = zip(self._spec.arrays, weights, strict=True)
            self._flat.assign(
                np.concatenate([w.ravel() for array, w in arrays if array.trainable])
            )

    def weights(self) -> list[np.ndarray]:
        """Return copies of the weight arrays, in the order of ``spec.arrays``."""
        if self._flat is None:
            return get_weights(self._network, self._spec)
        pieces = iter(
            np.split(self._flat.value.numpy(), np.cumsum(self._sizes)[:-1].tolist())
        )
        variables = network_variables(self._network, self._spec)
        return [
            next(pieces).reshape(array.shape).copy()
            if array.trainable
            else variable.value.numpy()
            for array, variable in zip(self._spec.arrays, variables, strict=True)
        ]

    def optimizer_state(self) -> list[np.ndarray]:
        """Return copies of the optimizer's variables."""
        return [_keras.to_numpy(variable) for variable in self._optimizer.variables]

    def rate(self) -> float:
        """Return the learning rate that the optimizer's schedule gives now."""
        return float(self._optimizer.learning_rate)

    def put(self, rows: Rows) -> tuple:
        """Return dense rows as tensors, to be handed to `train` and `evaluate`."""
        tf = self._tf
        return (
            tf.constant(rows.X),
            tf.constant(rows.y, dtype="int32"),
            tf.constant(rows.weight),
        )

    def train(self, rows: tuple, order: np.ndarray, rate: float) -> np.ndarray:
        """Take a step for each batch of the rows, in the given order.

        Returns
        -------
        ndarray of shape (4,)
            Sums over the rows: loss, row count, weighted hits, weight.
        """
        tf = self._tf
        sums = self._train(
            *rows,
            tf.constant(order, dtype="int32"),
            tf.constant(self._fit.batch_size),
            tf.constant((rate, *astuple(self._fit.penalties)), dtype=self._spec.dtype),
        )
        return sums.numpy()

    def evaluate(self, rows: tuple) -> np.ndarray:
        """Return the weighted sums of cross-entropy and hits, and the weight.

        Returns
        -------
        ndarray of shape (3,)
        """
        return self._evaluate(*rows).numpy()

    def gradient(
        self, rows: tuple, flat: np.ndarray
    ) -> tuple[float, float, np.ndarray]:
        """Return loss, accuracy and gradient at given weights, all rows one batch.

        Parameters
        ----------
        rows : tuple
            From `put`.
        flat : ndarray of shape (n_weights,)
            The trainable arrays, one behind the other.

        Returns
        -------
        loss, accuracy : float
        gradient : ndarray of shape (n_weights,)
            float64, which SciPy works in.
        """
        tf, dtype = self._tf, self._spec.dtype
        numbers = tf.constant((0.0, *astuple(self._fit.penalties)), dtype=dtype)
        loss, accuracy, gradient = self._gradient(
            *rows, tf.constant(flat, dtype=dtype), numbers
        )
        return float(loss), float(accuracy), gradient.numpy().astype(np.float64)

    def _compile(self) -> None:
        tf, dtype = self._tf, self._spec.dtype
        labels = [None, self._spec.n_outputs] if self._spec.is_multilabel else [None]
        rows = [
            tf.TensorSpec([None, self._spec.n_inputs], dtype),
            tf.TensorSpec(labels, "int32"),
            tf.TensorSpec([None], dtype),
        ]
        order = tf.TensorSpec([None], "int32")
        numbers = tf.TensorSpec([5], dtype)
        batch_size = tf.TensorSpec([], "int32")
        self._train = tf.function(
            self._train_graph, input_signature=[*rows, order, batch_size, numbers]
        )
        self._evaluate = tf.function(self._evaluate_graph, input_signature=rows)
        flat = tf.TensorSpec([sum(self._sizes)], dtype)
        self._gradient = tf.function(
            self._gradient_graph, input_signature=[*rows, flat, numbers]
        )

    def _train_graph(self, X, y, weight, order, batch_size, numbers):
        tf, dtype = self._tf, self._spec.dtype
        n = tf.shape(order)[0]

        def batch(start, sums):
            stop = tf.minimum(start + batch_size, n)
            taken = order[start:stop]
            loss, hits, total = self._step(
                tf.gather(X, taken), tf.gather(y, taken), tf.gather(weight, taken),
                numbers,
            )  # fmt: skip
            count = tf.cast(stop - start, dtype)
            return stop, sums + tf.stack([loss * count, count, hits, total])

        _, sums = tf.while_loop(
            lambda start, _: start < n,
            batch,
            (tf.constant(0), tf.zeros([4], dtype)),
            parallel_iterations=1,
        )
        return sums

    def _gradient_graph(self, X, y, weight, flat, numbers):
        tf = self._tf
        _, l2, l1, _, smoothing = self._unstack(numbers)
        fixed = [v.value for v in self._network.non_trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(flat)
            arrays = self._split(flat)
            logits, _ = self._network.stateless_call(arrays, fixed, X, training=True)
            loss, hits, total = penalised_loss(
                self._spec, logits, y, weight, self._kernels(arrays), l2, l1, smoothing
            )
        return loss, hits / total, tape.gradient(loss, flat)

    def _unstack(self, numbers):
        """Return rate and penalties; None for a penalty that there is not."""
        rate, *penalties = self._tf.unstack(numbers)
        return rate, *(
            number if active else None
            for number, active in zip(penalties, self._active, strict=True)
        )

    def _kernels(self, arrays):
        roles = [array.role for array in self._spec.arrays if array.trainable]
        return [w for w, role in zip(arrays, roles, strict=True) if role == "kernel"]

    def _step(self, X, y, weight, numbers):
        tf = self._tf
        rate, l2, l1, weight_decay, smoothing = self._unstack(numbers)
        fixed = [v.value for v in self._network.non_trainable_variables]
        with tf.GradientTape() as tape:
            values = [tf.convert_to_tensor(v.value) for v in self._variables]
            tape.watch(values)
            arrays = values if self._flat is None else self._split(values[0])
            logits, changed = self._network.stateless_call(
                arrays, fixed, X, training=True
            )
            loss, hits, total = penalised_loss(
                self._spec, logits, y, weight, self._kernels(arrays), l2, l1, smoothing
            )
        gradients = tape.gradient(loss, values)
        for variable, value in zip(
            self._network.non_trainable_variables, changed, strict=True
        ):
            variable.assign(value)
        if self._follows_schedule:
            rate = tf.cast(self._optimizer.learning_rate, rate.dtype)
        if weight_decay is not None:
            for variable, decayed in zip(self._variables, self._decayed, strict=True):
                variable.assign(variable * (1 - rate * weight_decay * decayed))
        if self._flat is not None:
            # the optimizer's own rate is float32, ours is in the dtype of the data
            self._optimizer.update_step(gradients[0], self._flat, rate)
            self._optimizer.iterations.assign_add(1)
        else:
            if not self._follows_schedule:
                self._optimizer.learning_rate = rate
            self._optimizer.apply(gradients, self._variables)
        return loss, hits, total

    def _split(self, flat):
        tf = self._tf
        pieces = tf.split(flat, self._sizes)
        return [tf.reshape(p, s) for p, s in zip(pieces, self._shapes, strict=True)]

    def _evaluate_graph(self, X, y, weight):
        tf, dtype = self._tf, self._spec.dtype
        n = tf.shape(y)[0]
        fixed = [v.value for v in self._network.non_trainable_variables]
        values = [tf.convert_to_tensor(v.value) for v in self._variables]
        arrays = values if self._flat is None else self._split(values[0])

        def block(start, sums):
            stop = tf.minimum(start + _EVALUATION_ROWS, n)
            logits, _ = self._network.stateless_call(
                arrays, fixed, X[start:stop], training=False
            )
            loss, hits, total = penalised_loss(
                self._spec, logits, y[start:stop], weight[start:stop],
                kernels=(), l2=None, l1=None, smoothing=None,
            )  # fmt: skip
            return stop, sums + tf.stack([loss * total, hits, total])

        _, sums = tf.while_loop(
            lambda start, _: start < n,
            block,
            (tf.constant(0), tf.zeros([3], dtype)),
            parallel_iterations=1,
        )
        return sums
