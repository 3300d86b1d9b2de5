"""The compiled epoch: one call for all batches of an epoch, or of many.

``keras.Model.fit`` spends nine tenths of the time of a small network between its
steps. Here the loop over batches is part of the compiled program. Layers, losses and
optimizers are Keras's.

A program is a set of pure functions: weights, statistics and the optimizer's slots go
in and come out. Nothing of a fit stays in it, so that many fits run in it at once.
"""

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from skdnn._network.keras_models import fixed_values, network_variables
from skdnn._network.spec import NetworkSpec
from skdnn._runtime import caches, keras_backend
from skdnn._tabular.dataset import Dataset
from skdnn._training.batching import Block
from skdnn._training.config import Execution, TrainingTask
from skdnn._training.graphs import Graphs, State
from skdnn._training.optimizers import Solver

_lock = threading.Lock()


def program(
    spec: NetworkSpec, solver: Solver, active, execution: Execution
) -> "Program":
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
        return _program(spec.without_rates(), solver, active, execution)


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
        self,
        spec: NetworkSpec,
        solver: Solver,
        active: tuple[bool, ...],
        execution: Execution,
    ):
        caches.release_kernels()  # of programs that had to go for this one
        self.execution, self._spec = execution, spec
        self._graphs = Graphs(spec, solver, active, execution)
        slots = self._graphs.slots
        self._fresh_slots = [keras_backend.to_numpy(variable) for variable in slots]
        self._compiled: dict[str, Callable] = {}
        self._lock = threading.Lock()

    def start(self, fit: TrainingTask) -> State:
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
        if self._graphs.is_flat:
            values = [np.concatenate([value.ravel() for value in values])]
        fixed = fixed_values(self._graphs.network, spec, weights, dropout_seed)
        tensors = [[self.tensor(v) for v in part] for part in (values, fixed)]
        return State(tensors[0], tensors[1], slots=[])

    def with_weights(self, state: State, other: State) -> State:
        """Return `state` with the weights and statistics of another."""
        roles = {array.role for array in self._spec.arrays}
        fixed = [
            theirs if variable.name in roles else ours
            for variable, ours, theirs in zip(
                self._graphs.network.non_trainable_variables,
                state.fixed,
                other.fixed,
                strict=True,
            )
        ]
        return state._replace(weights=other.weights, fixed=fixed)

    def weights(self, state: State) -> list[np.ndarray]:
        """Return copies of the weight arrays, in the order of ``spec.arrays``."""
        values = [keras_backend.to_numpy(value) for value in state.weights]
        if self._graphs.is_flat:
            pieces = np.split(values[0], self._graphs.ends[:-1])
            values = [
                p.reshape(s) for p, s in zip(pieces, self._graphs.shapes, strict=True)
            ]
        trainable = iter(values)
        fixed = {
            id(variable): value
            for variable, value in zip(
                self._graphs.network.non_trainable_variables, state.fixed, strict=True
            )
        }
        variables = network_variables(self._graphs.network, self._spec)
        return [
            np.array(next(trainable))
            if array.trainable
            else keras_backend.to_numpy(fixed[id(variable)])
            for array, variable in zip(self._spec.arrays, variables, strict=True)
        ]

    def optimizer_state(self, state: State) -> list[np.ndarray]:
        """Return copies of the optimizer's variables."""
        return [keras_backend.to_numpy(value) for value in state.slots]

    def rate(self, state: State) -> float:
        """Return the learning rate that the optimizer's schedule gives now."""
        return float(keras_backend.to_numpy(self._graphs.scheduled_rate(state.slots)))

    def put(self, block: Block | Dataset) -> tuple:
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
        numbers : ndarray of shape (n_steps, 6)
            The learning rate, the penalties, and the factor for ramps of each step.

        Returns
        -------
        state : State
        sums : ndarray of shape (n_epochs, 4)
            Sums over the rows: loss, row count, weighted hits, weight.
        """
        function = self._function("train", self._graphs.train)
        state, sums = function(state, *self._told(block, numbers))
        return State(*state), keras_backend.to_numpy(sums)[: block.n_epochs]

    def train_and_tell(
        self, state: State, block: Block, numbers: np.ndarray, held, capacity: int
    ) -> tuple[State, np.ndarray, np.ndarray]:
        """Train as `train` does, and tell what held rows come to after each epoch.

        Parameters
        ----------
        held : tensor of shape (n_held, n_inputs)
            The rows, from `put`.
        capacity : int
            Epochs that the program makes room for, at least those of the block.

        Returns
        -------
        state, sums
            As of `train`.
        logits : ndarray of shape (n_epochs, n_held, n_outputs)
        """
        function = self._function("train_and_tell", self._graphs.tell)
        room = np.zeros((capacity, held.shape[0], self._spec.n_outputs))
        room = self.tensor(room.astype(self._spec.dtype))
        state, sums, told = function(state, *self._told(block, numbers), held, room)
        n_epochs = block.n_epochs
        sums, told = (keras_backend.to_numpy(part)[:n_epochs] for part in (sums, told))
        return State(*state), sums, told

    def _told(self, block: Block, numbers: np.ndarray) -> tuple:
        sizes = np.array([block.n_epochs, block.n_rows, block.batch_size], np.int32)
        return (*self.put(block), self.tensor(sizes), self.tensor(numbers))

    def evaluate(self, state: State, rows: tuple) -> np.ndarray:
        """Return the weighted sums of cross-entropy and hits, and the weight.

        Returns
        -------
        ndarray of shape (3,)
        """
        function = self._function("evaluate", self._graphs.evaluate)
        return keras_backend.to_numpy(function(state.weights, state.fixed, *rows))

    def logits(self, state: State, X) -> np.ndarray:
        """Return what rows come to, of shape (n_rows, n_outputs)."""
        function = self._function("logits", self._graphs.logits)
        return keras_backend.to_numpy(function(state.weights, state.fixed, X))

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
        numbers = np.array((0.0, *penalties, 1.0), dtype=self._spec.dtype)
        function = self._function("gradient", self._graphs.gradient)
        loss, accuracy, gradient = function(
            state.weights, state.fixed, *rows, self.tensor(numbers)
        )
        loss, accuracy = (
            float(keras_backend.to_numpy(part)) for part in (loss, accuracy)
        )
        return loss, accuracy, keras_backend.to_numpy(gradient).astype(np.float64)

    def tensor(self, value: np.ndarray) -> Any:
        """Return a copy of an array as a tensor of the backend."""
        return self._graphs.backend.tensor(value)

    def _function(self, name: str, graph: Callable) -> Callable:
        """Return a function of ours compiled, at its first use."""
        with self._lock:
            if name not in self._compiled:
                self._compiled[name] = self._graphs.backend.compiled(
                    graph, self._signature(name), xla=self.execution.xla
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
        weights = [(tuple(v.shape), v.dtype) for v in self._graphs.variables]
        fixed = [
            (tuple(v.shape), v.dtype)
            for v in self._graphs.network.non_trainable_variables
        ]
        slots = [(tuple(v.shape), v.dtype) for v in self._graphs.slots]
        numbers = ((None, 6), spec.dtype)
        if name == "train":
            return [State(weights, fixed, slots), *rows, ((3,), "int32"), numbers]
        if name == "train_and_tell":
            told = ((None, None, spec.n_outputs), spec.dtype)
            state = State(weights, fixed, slots)
            return [state, *rows, ((3,), "int32"), numbers, rows[0], told]
        if name == "evaluate":
            return [weights, fixed, *rows]
        if name == "logits":
            return [weights, fixed, rows[0]]
        return [weights, fixed, *rows, ((6,), spec.dtype)]


_program = lru_cache(maxsize=16)(Program)
caches.register_cache(_program.cache_clear)
