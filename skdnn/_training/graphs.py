"""What a compiled program computes, in operations that every backend has."""

from typing import Any, NamedTuple

import numpy as np

from skdnn._network.keras_models import build_network
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import keras_backend
from skdnn._training.config import Execution
from skdnn._training.loss import penalised_loss
from skdnn._training.optimizers import Solver, optimizer_variables
from skdnn._training.schedules import RATE_FACTORS


class State(NamedTuple):
    """What a step changes, as tensors of the backend."""

    weights: list
    fixed: list
    slots: list


class Graphs:
    """Pure functions of tensors: the epochs, and what is asked between them.

    All trainable weights are one vector where the optimizer allows it, so that its
    step is one short row of operations.

    Parameters
    ----------
    spec : NetworkSpec
        The network; its dropout rates are not used.
    solver : Solver
        The optimizer.
    active : tuple of bool
        Which penalties there are.
    road : Road
        Whether batches are filled up.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        solver: Solver,
        active: tuple[bool, ...],
        execution: Execution,
    ):
        keras = keras_backend.load()
        self.backend = _backend_module()
        self._ops, self._execution = keras.ops, execution
        self._spec, self._active = spec, active
        self.network = build_network(spec)
        self._optimizer = solver.make(pure=True)
        self._follows_schedule = solver.has_schedule
        trainable = [array for array in spec.arrays if array.trainable]
        sizes = [array.size for array in trainable]
        self.shapes = [array.shape for array in trainable]
        self.ends = np.cumsum(sizes).tolist()

        def spread(numbers) -> np.ndarray:
            """Return a number an array as one a weight."""
            return np.repeat([float(n) for n in numbers], sizes).astype(spec.dtype)

        is_kernel = [array.role == "kernel" for array in trainable]
        self.is_flat = solver.elementwise
        if self.is_flat:
            zeros = np.zeros(self.ends[-1], spec.dtype)
            self.variables = [keras.Variable(zeros, dtype=spec.dtype)]
            self._decayed: list[Any] = [spread(is_kernel)]
        else:
            self.variables = self.network.trainable_variables
            self._decayed = [float(is_one) for is_one in is_kernel]
        self._penalised_shares = self._decayed
        self._factors = None
        if spec.encoding is not None:  # elsewhere all arrays have the same rate
            self._factors = spread(RATE_FACTORS.get(a.role, 1) for a in trainable)
            # what counts behind a front is the kernel divided by the root of its inputs
            self._penalised_shares = [
                spread(
                    a.shape[0] ** -0.5 if a.role == "kernel" else 0 for a in trainable
                )
            ]
            self._is_piecewise_linear = spread(
                a.role == "piecewise_linear" for a in trainable
            )
        self._optimizer.build(self.variables)
        self.slots = optimizer_variables(self._optimizer)

    def train(self, state, X, y, weight, sizes, numbers):
        return self._epochs_graph(state, X, y, weight, sizes, numbers)

    def tell(self, state, X, y, weight, sizes, numbers, held, told):
        return self._epochs_graph(state, X, y, weight, sizes, numbers, held, told)

    def _epochs_graph(self, state, X, y, weight, sizes, numbers, held=None, told=None):
        ops, dtype = self._ops, self._spec.dtype
        n_epochs, n, batch_size = sizes[0], sizes[1], sizes[2]
        capacity = ops.shape(numbers)[0]  # no fewer steps than epochs
        zero = ops.zeros((), "int32")

        # `row` and `turn`, how many rows and steps have been taken, are carried along:
        # TensorFlow has XLA compile anew for each value that a position in an array
        # is computed from, unless a loop counts it.
        def step(end, row, turn, state, sums):
            count = ops.minimum(batch_size, end - row)  # the last one may be short
            rows = self._batch((X, y, weight), row, count)
            state, figures = self._step(State(*state), *rows, numbers[turn])
            loss, hits, total = figures
            taken = ops.cast(count, dtype)
            sums = sums + ops.stack([loss * taken, taken, hits, total])
            return end, row + count, turn + 1, state, sums

        def one_epoch(epoch, row, turn, state, sums, *told):
            _, row, turn, state, of_epoch = ops.while_loop(
                lambda end, row, *_: row < end,
                step,
                ((epoch + 1) * n, row, turn, state, ops.zeros((4,), dtype)),
            )
            at = ops.reshape(epoch, (1, 1))
            sums = ops.scatter_update(sums, at, of_epoch[None])
            if told:
                logits = self.logits(state[0], state[1], held)
                told = (ops.scatter_update(told[0], at, logits[None]),)
            return epoch + 1, row, turn, state, sums, *told

        begin = (zero, zero, zero, state, ops.zeros((capacity, 4), dtype))
        return ops.while_loop(
            lambda epoch, *_: epoch < n_epochs,
            one_epoch,
            begin if told is None else (*begin, told),
        )[3:]

    def _batch(self, rows, start, count):
        """Return a batch: its rows alone, or at a fixed size with weight 0 behind."""
        ops, size = self._ops, self._execution.batch_rows
        parts = []
        for part in rows:
            tail = list(part.shape[1:])
            begin = [start, *[ops.zeros((), "int32")] * len(tail)]
            parts.append(
                ops.slice(part, begin, [count if size is None else size, *tail])
            )
        mask = None
        if size is not None:
            mask = ops.arange(size) < count
            parts[2] = ops.where(mask, parts[2], ops.zeros_like(parts[2]))
        return (*parts, mask)

    def _step(self, state: State, X, y, weight, mask, numbers):
        """Return the state after one step, and loss, hits and weight of the batch."""
        rate, l2, l1, weight_decay, smoothing = self._unstack(numbers)
        piecewise_linear_factor = numbers[5]

        def loss_of(values):
            return self._loss(
                values, state.fixed, X, y, weight, l2, l1, smoothing, mask
            )

        (loss, (hits, total, fixed)), gradients = self.backend.value_and_gradient(
            loss_of
        )(state.weights)
        if self._follows_schedule:
            rate = self._ops.cast(self.scheduled_rate(state.slots), rate.dtype)
        values = state.weights
        if weight_decay is not None:
            values = [
                value * (1 - rate * weight_decay * decayed)
                for value, decayed in zip(values, self._decayed, strict=True)
            ]
        if self._factors is not None:
            rate = rate * (
                self._factors + piecewise_linear_factor * self._is_piecewise_linear
            )
        values, slots = self._stepped(values, state.slots, gradients, rate)
        return State(list(values), list(fixed), list(slots)), (loss, hits, total)

    def _stepped(self, values, slots, gradients, rate):
        """Return weights and slots after a step of the optimizer."""
        optimizer = self._optimizer
        if not self.is_flat and not self._follows_schedule:
            slots = self._with_rate(slots, rate)
        variables = [*self.variables, *self.slots]
        with _stateless(variables, [*values, *slots]) as scope:
            if self.is_flat:
                # the optimizer's own rate is float32, ours is in the dtype of the data
                optimizer.update_step(gradients[0], self.variables[0], rate)
                optimizer.iterations.assign_add(1)
            else:
                optimizer.apply(gradients, self.variables)
        now = [scope.get_current_value(variable) for variable in variables]
        return now[: len(values)], now[len(values) :]

    def _with_rate(self, slots, rate):
        own = self._optimizer.learning_rate
        return [
            self._ops.cast(rate, slot.dtype) if variable is own else slot
            for variable, slot in zip(self.slots, slots, strict=True)
        ]

    def scheduled_rate(self, slots):
        with _stateless(self.slots, slots):
            return self._ops.convert_to_tensor(self._optimizer.learning_rate)

    def logits(self, weights, fixed, X):
        return self.network.stateless_call(
            self._arrays(weights), fixed, X, training=False
        )[0]

    def evaluate(self, weights, fixed, X, y, weight):
        logits = self.logits(weights, fixed, X)
        loss, hits, total = penalised_loss(
            self._spec, logits, y, weight, kernels=(), l2=None, l1=None, smoothing=None
        )
        return self._ops.stack([loss * total, hits, total])

    def gradient(self, weights, fixed, X, y, weight, numbers):
        _, l2, l1, _, smoothing = self._unstack(numbers)

        def loss_of(values):
            return self._loss(values, fixed, X, y, weight, l2, l1, smoothing)

        (loss, (hits, total, _)), (gradient,) = self.backend.value_and_gradient(
            loss_of
        )(weights)
        return loss, hits / total, gradient

    def _loss(self, values, fixed, X, y, weight, l2, l1, smoothing, mask=None):
        """Return the loss of a batch; its hits, weight, and what layers have noted."""
        logits, changed = self.network.stateless_call(
            self._arrays(values), fixed, X, training=True, **self._masked(mask)
        )
        kernels = self._penalised(values)
        loss, hits, total = penalised_loss(
            self._spec, logits, y, weight, kernels, l2, l1, smoothing
        )
        return loss, (hits, total, changed)

    def _unstack(self, numbers):
        """Return rate and penalties; None for a penalty that there is not."""
        return numbers[0], *(
            numbers[i] if active else None
            for i, active in enumerate(self._active, start=1)
        )

    def _arrays(self, values):
        """Return the trainable arrays: the values, or pieces of their one vector."""
        if not self.is_flat:
            return values
        # the gradient of a split is one concatenation
        pieces = self._ops.split(values[0], self.ends[:-1])
        return [
            self._ops.reshape(piece, shape)
            for piece, shape in zip(pieces, self.shapes, strict=True)
        ]

    def _masked(self, mask) -> dict:
        """Return what keeps rows behind the end of a batch out of its statistics."""
        return {} if mask is None or not self._spec.has_batch_norm else {"mask": mask}

    def _penalised(self, values):
        """Return what penalties act on: the values with all but kernels at zero."""
        return [
            value * share
            for value, share in zip(values, self._penalised_shares, strict=True)
        ]


def _stateless(variables, values):
    """Return a scope in which Keras variables have the given values."""
    return keras_backend.load().StatelessScope(
        state_mapping=list(zip(variables, values, strict=True))
    )


def _backend_module() -> Any:
    if keras_backend.backend() == "jax":
        from skdnn._training import jax_functions

        return jax_functions
    from skdnn._training import tensorflow_functions

    return tensorflow_functions
