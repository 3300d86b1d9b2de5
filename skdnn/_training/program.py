"""The compiled epoch: one call for all batches of an epoch, or of several epochs.

``keras.Model.fit`` spends nine tenths of the time of a small network between its
steps. Here the loop over batches is part of the compiled program. Layers, losses and
optimizers are Keras's.

A program keeps nothing of a fit, so that many fits can run in it at the same time. What
a step computes is given by ``SpecFunctions`` or ``ModelFunctions``: `begin_epoch`
returns the sums that an epoch begins with, `step` state and sums after a batch, and
`end_epoch` the state and the figures of an epoch, a vector.
"""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from skdnn._runtime import caches, keras_backend
from skdnn._training.backend_functions import compiled, sharded, tensor
from skdnn._training.batching import Block
from skdnn._training.execution import Execution
from skdnn._training.recorded_epochs import RecordedEpochs

T = TypeVar("T")


class State(NamedTuple):
    """What a step changes, as tensors of the backend."""

    weights: list[Any]
    fixed: list[Any]
    slots: list[Any]
    metrics: list[Any]  # of a `keras.Model`; summed over an epoch


class Program:
    """Functions of a network and its optimizer, compiled at their first use."""

    def __init__(self, functions: Any, execution: Execution):
        caches.release_kernels()  # of programs that were dropped for this one
        self.execution, self.functions = execution, functions
        self._ops = keras_backend.load().ops
        self._compiled: dict[Hashable, Callable[..., Any]] = {}
        self._lock = threading.RLock()

    def train(
        self, state: State, block: Block, numbers: np.ndarray, *held: Any
    ) -> tuple[Any, ...]:
        """Take a step for each batch of a block; return state and figures per epoch.

        `numbers`, of shape (n_steps, n_hyperparameters), are those of each step. With
        `held`, rows and zeros of shape (capacity, n_held, n_outputs), also the logits
        of these rows after each epoch.
        """
        return self._epochs("train", self.functions.step, state, block, numbers, *held)

    def train_stack(
        self,
        states: Sequence[State],
        blocks: Sequence[Block],
        inputs: Sequence[tuple[Any, ...]],
    ) -> list[tuple[Any, ...]]:
        """Return what `train` returns for several networks, which step together.

        For PyTorch; their blocks are of one size. `inputs` are hyperparameters and any
        held rows of each.
        """
        keras = keras_backend.load()
        arrays = zip(*(block.arrays for block in blocks), strict=True)
        numbers, *held = zip(*inputs, strict=True)
        state, *parts = self._epochs(
            "train",
            self.functions.step,
            keras.tree.map_structure(lambda *each: keras.ops.stack(each), *states),
            replace(blocks[0], arrays=tuple(map(np.stack, arrays))),
            np.stack(numbers),
            *(keras.ops.stack(part) for part in held[:1]),
            stacked=True,
        )
        return [
            (keras.tree.map_structure(lambda part: part[i], state),  # noqa: B023
             *(part[i] for part in parts))
            for i in range(len(states))
        ]  # fmt: skip

    def test(
        self, state: State, block: Block, numbers: np.ndarray
    ) -> tuple[State, np.ndarray]:
        """Evaluate each batch of a block; return state and figures as `train` does."""
        without_slots = state._replace(slots=[])  # fewer arguments
        tested, figures = self._epochs(
            "test", self.functions.test_step, without_slots, block, numbers
        )
        return tested._replace(slots=state.slots), figures

    def of_weights(self, name: str, state: State, rows: Any, *numbers: Any) -> Any:
        """Return what a method of ``SpecFunctions`` gives for rows, as arrays."""
        graph = getattr(self.functions, name)
        outputs = self._call(
            name, partial(compiled, graph, xla=self.execution.xla), (),
            (state.weights, 0), (state.fixed, 0), (rows, 1),
            *((part, 0) for part in numbers),
        )  # fmt: skip
        return keras_backend.load().tree.map_structure(keras_backend.to_numpy, outputs)

    def _epochs(
        self,
        name: str,
        step: Callable[..., Any],
        state: State,
        block: Block,
        numbers: np.ndarray,
        *held: Any,
        stacked: bool = False,
    ) -> tuple[Any, ...]:
        def make(*typical: Any) -> Callable[..., Any]:
            if keras_backend.backend() == "torch":  # which compiles no loops
                return RecordedEpochs(self.functions, step, State, stacked=stacked)

            def graph(*arguments: Any) -> Any:
                return self._epochs_graph(step, *arguments)

            graph.__name__ = name  # shown by compilers and profilers
            return compiled(graph, *typical, xla=self.execution.xla)

        sizes = np.array([block.n_epochs, block.n_rows, block.batch_size], np.int32)
        state, *parts = self._call(
            f"{name} {len(held)} {stacked}",
            make,
            () if stacked else block.arrays,
            (state, 0),
            (list(map(tensor, block.arrays)), 1),
            (tensor(sizes), 0),
            (tensor(numbers), 1),
            *zip(held, (1, 2), strict=False),
        )
        parts = list(map(keras_backend.to_numpy, parts))
        if not stacked:  # there may be space for more epochs
            parts = [part[: block.n_epochs] for part in parts]
        return State(*state), *parts

    def _call(
        self,
        name: str,
        make: Callable[..., Callable[..., Any]],
        rows: Sequence[np.ndarray],
        *arguments: tuple[Any, int],
    ) -> Any:
        """Call a function of tensors, made at its first use for such rows.

        Each argument comes with the number of its axes that may have any length.
        """
        key = name, *((array.dtype, array.shape[1:]) for array in rows)
        values, free = zip(*arguments, strict=True)
        with self._lock:
            if key not in self._compiled:
                self._compiled[key] = make(values, free)
            function = self._compiled[key]
        return function(*values)

    def _epochs_graph(
        self,
        step_of: Callable[..., Any],
        state: State,
        rows: list[Any],
        sizes: Any,
        numbers: Any,
        *held: Any,
    ) -> Any:
        ops, functions = self._ops, self.functions
        n_epochs, n, batch_size = sizes[0], sizes[1], sizes[2]
        capacity = ops.shape(numbers)[0]  # no fewer steps than epochs
        zero = ops.zeros((), "int32")

        # `row` and `turn`, the numbers of rows and steps so far, are carried along:
        # TensorFlow has XLA compile again for each value that a position in an array
        # is computed from, unless a loop counts it.
        def step(end: Any, row: Any, turn: Any, state: Any, sums: Any) -> Any:
            count = ops.minimum(batch_size, end - row)  # the last one may be short
            batch, mask = self._batch(rows, row, count)
            state, sums = step_of(
                State(*state), sums, batch, count, mask, numbers[turn]
            )
            return end, row + count, turn + 1, state, sums

        def one_epoch(
            epoch: Any, row: Any, turn: Any, state: Any, figures: Any, *logits: Any
        ) -> Any:
            sums = functions.begin_epoch(State(*state), epoch)
            _, row, turn, state, sums = ops.while_loop(
                lambda end, row, *_: row < end,
                step,
                ((epoch + 1) * n, row, turn, state, sums),
            )
            state, of_epoch = functions.end_epoch(State(*state), sums)
            at = ops.reshape(epoch, (1, 1))
            figures = ops.scatter_update(figures, at, of_epoch[None])
            if logits:
                of_rows = functions.logits(state.weights, state.fixed, held[0])
                logits = (ops.scatter_update(logits[0], at, of_rows[None]),)
            return epoch + 1, row, turn, state, figures, *logits

        figures = ops.zeros((capacity, functions.n_figures), functions.figure_dtype)
        state = functions.split(state)
        _, _, _, state, *parts = ops.while_loop(
            lambda epoch, *_: epoch < n_epochs,
            one_epoch,
            (zero, zero, zero, state, figures, *held[1:]),
        )
        return functions.join(State(*state)), *parts

    def _batch(
        self, rows: list[Any], start: Any, count: Any
    ) -> tuple[tuple[Any, ...], Any]:
        """Return a batch: its rows alone, or padded to a fixed size with weight 0."""
        ops, size = self._ops, self.execution.batch_rows
        parts = []
        for part in rows:
            tail = list(part.shape[1:])
            begin = [start, *[ops.zeros((), "int32")] * len(tail)]
            length = count if size is None else size
            taken = ops.slice(part, begin, [length, *tail])
            parts.append(sharded(taken, self.execution.sharding))
        if size is None:
            return tuple(parts), None
        mask = ops.arange(size) < count
        parts[2] = ops.where(mask, parts[2], ops.zeros_like(parts[2]))
        return tuple(parts), mask


class ProgramCache(Generic[T]):
    """The most recently used programs, by key or for as long as a model lives."""

    def __init__(self, max_size: int):
        self._max_size, self._lock = max_size, threading.RLock()
        self._by_key: OrderedDict[Hashable, T] = OrderedDict()
        self._by_model: weakref.WeakKeyDictionary[Any, tuple[Any, T]] = (
            weakref.WeakKeyDictionary()
        )
        self.n_made = 0
        caches.register_cache(self.clear)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made for a key, or make it; the oldest in use is dropped."""
        with self._lock:  # two fits that need it at the same time share one
            if key not in self._by_key:
                self._by_key[key] = self._make(make)
            self._by_key.move_to_end(key)
            if len(self._by_key) > self._max_size:
                self._by_key.popitem(last=False)
            return self._by_key[key]

    def get_for_model(self, model: Any, version: Any, make: Callable[[], T]) -> T:
        """Return what was made for a model in this version, or make it."""
        with self._lock:
            known, made = self._by_model.get(model, (None, None))
            if made is None or known is not version:
                made = self._make(make)
                self._by_model[model] = version, made
            return made

    def clear(self) -> None:
        self._by_key.clear()
        self._by_model.clear()

    def __len__(self) -> int:
        return len(self._by_key)

    def _make(self, make: Callable[[], T]) -> T:
        self.n_made += 1
        return make()


programs: ProgramCache[Program] = ProgramCache(16)


def stateless(
    variables: Sequence[Any], values: Sequence[Any], *, collect_losses: bool = False
) -> Any:
    """Return a scope in which Keras variables have the given values."""
    mapping = list(zip(variables, values, strict=True))
    return keras_backend.load().StatelessScope(mapping, collect_losses=collect_losses)
