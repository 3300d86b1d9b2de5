"""The compiled epoch: one call for all batches of an epoch, or of many.

``keras.Model.fit`` spends nine tenths of the time of a small network between its
steps. Here the loop over batches is part of the compiled program. Layers, losses and
optimizers are Keras's; all trainable weights are one vector where the optimizer
allows it, so that its step is one short row of operations.

A program is a set of pure functions: weights, statistics and the optimizer's slots go
in and come out. Nothing of a fit stays in it, so that many fits run in it at once.
"""

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from skdnn import _keras
from skdnn._network._build import build_network, fixed_values, network_variables
from skdnn._network._solvers import Solver, optimizer_variables
from skdnn._network._spec import NetworkSpec
from skdnn._training._blocks import Block
from skdnn._training._loss import penalised_loss
from skdnn._training._plan import Fit, Road, Rows

_lock = threading.Lock()


class State(NamedTuple):
    """What a step changes, as tensors of the backend."""

    weights: list
    fixed: list
    slots: list


def program(spec: NetworkSpec, solver: Solver, active, road: Road) -> "Program":
    """Return the compiled program of a shape, made at its first use.

    Parameters
    ----------
    spec : NetworkSpec
        The network; its dropout rates are inputs, not part of the program.
    solver : Solver
        The optimizer.
    active : tuple of bool
        ``Penalties.active``: what is zero is left out of the program.
    road : Road
        How it is compiled, and for batches of how many rows.
    """
    with _lock:  # one that two fits ask for at once is made once
        return _program(spec.without_rates(), solver, active, road)


class Program:
    """A network, its optimizer and the compiled functions that train it.

    Parameters
    ----------
    spec : NetworkSpec
        The network; its dropout rates are not used.
    solver : Solver
        The optimizer.
    active : tuple of bool
        Which penalties there are.
    road : Road
        How it is compiled.
    """

    def __init__(
        self, spec: NetworkSpec, solver: Solver, active: tuple[bool, ...], road: Road
    ):
        keras = _keras.load()
        _keras.release_kernels()  # of the programs that had to go for this one
        self._ops, self._backend = keras.ops, _backend_module()
        self.road = road
        self._spec, self._active = spec, active
        self._network = build_network(spec)
        self._optimizer = solver.make(pure=True)
        self._follows_schedule = solver.has_schedule
        trainable = [array for array in spec.arrays if array.trainable]
        self._shapes = [array.shape for array in trainable]
        self._ends = np.cumsum([array.size for array in trainable]).tolist()
        is_kernel = [float(array.role == "kernel") for array in trainable]
        self._is_flat = solver.elementwise
        if self._is_flat:
            zeros = np.zeros(self._ends[-1], spec.dtype)
            self._variables = [keras.Variable(zeros, dtype=spec.dtype)]
            sizes = [array.size for array in trainable]
            self._decayed: list[Any] = [np.repeat(is_kernel, sizes).astype(spec.dtype)]
        else:
            self._variables = self._network.trainable_variables
            self._decayed = is_kernel
        self._optimizer.build(self._variables)
        self._slots = optimizer_variables(self._optimizer)
        self._fresh_slots = [_keras.to_numpy(variable) for variable in self._slots]
        self._compiled: dict[str, Callable] = {}
        self._lock = threading.Lock()

    def start(self, fit: Fit) -> State:
        """Return the state that a fit starts from."""
        slots = fit.optimizer_state or self._fresh_slots
        state = self.state(fit.weights, fit.spec, fit.dropout_seed)
        return state._replace(slots=[self.tensor(value) for value in slots])

    def state(
        self, weights: Sequence[np.ndarray], spec: NetworkSpec, dropout_seed: int = 0
    ) -> State:
        """Return the state of given weights, without the optimizer's part."""
        arrays = zip(spec.arrays, weights, strict=True)
        values = [value for array, value in arrays if array.trainable]
        if self._is_flat:
            values = [np.concatenate([value.ravel() for value in values])]
        fixed = fixed_values(self._network, spec, weights, dropout_seed)
        tensors = [[self.tensor(v) for v in part] for part in (values, fixed)]
        return State(tensors[0], tensors[1], slots=[])

    def with_weights(self, state: State, other: State) -> State:
        """Return `state` with the weights and statistics of another."""
        roles = {array.role for array in self._spec.arrays}
        fixed = [
            theirs if variable.name in roles else ours
            for variable, ours, theirs in zip(
                self._network.non_trainable_variables,
                state.fixed,
                other.fixed,
                strict=True,
            )
        ]
        return state._replace(weights=other.weights, fixed=fixed)

    def weights(self, state: State) -> list[np.ndarray]:
        """Return copies of the weight arrays, in the order of ``spec.arrays``."""
        values = [_keras.to_numpy(value) for value in state.weights]
        if self._is_flat:
            pieces = np.split(values[0], self._ends[:-1])
            values = [p.reshape(s) for p, s in zip(pieces, self._shapes, strict=True)]
        trainable = iter(values)
        fixed = {
            id(variable): value
            for variable, value in zip(
                self._network.non_trainable_variables, state.fixed, strict=True
            )
        }
        variables = network_variables(self._network, self._spec)
        return [
            np.array(next(trainable))
            if array.trainable
            else _keras.to_numpy(fixed[id(variable)])
            for array, variable in zip(self._spec.arrays, variables, strict=True)
        ]

    def optimizer_state(self, state: State) -> list[np.ndarray]:
        """Return copies of the optimizer's variables."""
        return [_keras.to_numpy(value) for value in state.slots]

    def rate(self, state: State) -> float:
        """Return the learning rate that the optimizer's schedule gives now."""
        return float(_keras.to_numpy(self._scheduled_rate(state.slots)))

    def put(self, block: Block | Rows) -> tuple:
        """Return rows as tensors, to be handed to `evaluate` and `gradient`."""
        return tuple(self.tensor(part) for part in (block.X, block.y, block.weight))

    def train(
        self, state: State, block: Block, numbers: np.ndarray
    ) -> tuple[State, np.ndarray]:
        """Take a step for each batch of a block, epoch after epoch.

        Parameters
        ----------
        state : State
            Where training stands; not used again, as the backend may write over it.
        block : Block
            Rows in the order they are taken.
        numbers : ndarray of shape (n_steps, 5)
            The learning rate and the penalties of each step.

        Returns
        -------
        state : State
        sums : ndarray of shape (n_epochs, 4)
            Sums over the rows: loss, row count, weighted hits, weight.
        """
        function = self._function("train", self._train_graph)
        sizes = np.array([block.n_epochs, block.n_rows, block.batch_size], np.int32)
        state, sums = function(
            state, *self.put(block), self.tensor(sizes), self.tensor(numbers)
        )
        return State(*state), _keras.to_numpy(sums)[: block.n_epochs]

    def evaluate(self, state: State, rows: tuple) -> np.ndarray:
        """Return the weighted sums of cross-entropy and hits, and the weight.

        Returns
        -------
        ndarray of shape (3,)
        """
        function = self._function("evaluate", self._evaluate_graph)
        return _keras.to_numpy(function(state.weights, state.fixed, *rows))

    def gradient(
        self, state: State, rows: tuple, penalties: Sequence[float]
    ) -> tuple[float, float, np.ndarray]:
        """Return loss, accuracy and gradient, all rows one batch.

        Parameters
        ----------
        state : State
            Of weights that are one vector.
        rows : tuple
            From `put`.
        penalties : sequence of float
            As in ``Penalties``.

        Returns
        -------
        loss, accuracy : float
        gradient : ndarray of shape (n_weights,)
            float64, which SciPy works in.
        """
        numbers = np.array((0.0, *penalties), dtype=self._spec.dtype)
        function = self._function("gradient", self._gradient_graph)
        loss, accuracy, gradient = function(
            state.weights, state.fixed, *rows, self.tensor(numbers)
        )
        loss, accuracy = (float(_keras.to_numpy(part)) for part in (loss, accuracy))
        return loss, accuracy, _keras.to_numpy(gradient).astype(np.float64)

    def tensor(self, value: np.ndarray) -> Any:
        """Return a copy of an array as a tensor of the backend."""
        return self._backend.tensor(value)

    def _function(self, name: str, graph: Callable) -> Callable:
        """Return a function of ours compiled, at its first use."""
        with self._lock:
            if name not in self._compiled:
                self._compiled[name] = self._backend.compiled(
                    graph, self._signature(name), xla=self.road.xla
                )
            return self._compiled[name]

    def _signature(self, name: str) -> list:
        """Return shapes and dtypes of a function's arguments; None for any length."""
        spec = self._spec
        labels = (None, spec.n_outputs) if spec.is_multilabel else (None,)
        rows = [
            ((None, spec.n_inputs), spec.dtype),
            (labels, "int32"),
            ((None,), spec.dtype),
        ]
        weights = [(tuple(v.shape), v.dtype) for v in self._variables]
        fixed = [
            (tuple(v.shape), v.dtype) for v in self._network.non_trainable_variables
        ]
        slots = [(tuple(v.shape), v.dtype) for v in self._slots]
        if name == "train":
            numbers = ((None, 5), spec.dtype)
            return [State(weights, fixed, slots), *rows, ((3,), "int32"), numbers]
        if name == "evaluate":
            return [weights, fixed, *rows]
        return [weights, fixed, *rows, ((5,), spec.dtype)]

    def _train_graph(self, state, X, y, weight, sizes, numbers):
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

        def one_epoch(epoch, row, turn, state, sums):
            _, row, turn, state, of_epoch = ops.while_loop(
                lambda end, row, *_: row < end,
                step,
                ((epoch + 1) * n, row, turn, state, ops.zeros((4,), dtype)),
            )
            sums = ops.scatter_update(sums, ops.reshape(epoch, (1, 1)), of_epoch[None])
            return epoch + 1, row, turn, state, sums

        *_, state, sums = ops.while_loop(
            lambda epoch, *_: epoch < n_epochs,
            one_epoch,
            (zero, zero, zero, state, ops.zeros((capacity, 4), dtype)),
        )
        return state, sums

    def _batch(self, rows, start, count):
        """Return a batch: its rows alone, or at a fixed size with weight 0 behind."""
        ops, size = self._ops, self.road.batch_rows
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

        def loss_of(values):
            return self._loss(
                values, state.fixed, X, y, weight, l2, l1, smoothing, mask
            )

        (loss, (hits, total, fixed)), gradients = self._backend.value_and_gradient(
            loss_of
        )(state.weights)
        if self._follows_schedule:
            rate = self._ops.cast(self._scheduled_rate(state.slots), rate.dtype)
        values = state.weights
        if weight_decay is not None:
            values = [
                value * (1 - rate * weight_decay * decayed)
                for value, decayed in zip(values, self._decayed, strict=True)
            ]
        values, slots = self._stepped(values, state.slots, gradients, rate)
        return State(list(values), list(fixed), list(slots)), (loss, hits, total)

    def _stepped(self, values, slots, gradients, rate):
        """Return weights and slots after a step of the optimizer."""
        optimizer = self._optimizer
        if not self._is_flat and not self._follows_schedule:
            slots = self._with_rate(slots, rate)
        variables = [*self._variables, *self._slots]
        with _stateless(variables, [*values, *slots]) as scope:
            if self._is_flat:
                # the optimizer's own rate is float32, ours is in the dtype of the data
                optimizer.update_step(gradients[0], self._variables[0], rate)
                optimizer.iterations.assign_add(1)
            else:
                optimizer.apply(gradients, self._variables)
        now = [scope.get_current_value(variable) for variable in variables]
        return now[: len(values)], now[len(values) :]

    def _with_rate(self, slots, rate):
        own = self._optimizer._learning_rate
        return [
            self._ops.cast(rate, slot.dtype) if variable is own else slot
            for variable, slot in zip(self._slots, slots, strict=True)
        ]

    def _scheduled_rate(self, slots):
        with _stateless(self._slots, slots):
            return self._ops.convert_to_tensor(self._optimizer.learning_rate)

    def _evaluate_graph(self, weights, fixed, X, y, weight):
        logits, _ = self._network.stateless_call(
            self._arrays(weights), fixed, X, training=False
        )
        loss, hits, total = penalised_loss(
            self._spec, logits, y, weight, kernels=(), l2=None, l1=None, smoothing=None
        )
        return self._ops.stack([loss * total, hits, total])

    def _gradient_graph(self, weights, fixed, X, y, weight, numbers):
        _, l2, l1, _, smoothing = self._unstack(numbers)

        def loss_of(values):
            return self._loss(values, fixed, X, y, weight, l2, l1, smoothing)

        (loss, (hits, total, _)), (gradient,) = self._backend.value_and_gradient(
            loss_of
        )(weights)
        return loss, hits / total, gradient

    def _loss(self, values, fixed, X, y, weight, l2, l1, smoothing, mask=None):
        """Return the loss of a batch; its hits, weight, and what layers have noted."""
        logits, changed = self._network.stateless_call(
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
        if not self._is_flat:
            return values
        # the gradient of a split is one concatenation
        pieces = self._ops.split(values[0], self._ends[:-1])
        return [
            self._ops.reshape(piece, shape)
            for piece, shape in zip(pieces, self._shapes, strict=True)
        ]

    def _masked(self, mask) -> dict:
        """Return what keeps rows behind the end of a batch out of its statistics."""
        return {} if mask is None or self._spec.is_plain else {"mask": mask}

    def _penalised(self, values):
        """Return what penalties act on: the values with all but kernels at zero."""
        return [
            value * decayed
            for value, decayed in zip(values, self._decayed, strict=True)
        ]


def _stateless(variables, values):
    """Return a scope in which Keras variables have the given values."""
    return _keras.load().StatelessScope(
        state_mapping=list(zip(variables, values, strict=True))
    )


def _backend_module() -> Any:
    if _keras.backend() == "jax":
        from skdnn._training import _epoch_jax

        return _epoch_jax
    from skdnn._training import _epoch_tensorflow

    return _epoch_tensorflow


_program = lru_cache(maxsize=16)(Program)
_keras.register_cache(_program.cache_clear)
