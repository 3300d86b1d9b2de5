"""Fits that run in a compiled program: their state and their blocks of rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple
from typing import Any

import numpy as np

from skdnn._runtime import keras_backend
from skdnn._training import batching
from skdnn._training.backend_functions import tensor
from skdnn._training.batching import Block
from skdnn._training.execution import choose_execution
from skdnn._training.loss import epoch_record
from skdnn._training.model_functions import model_program
from skdnn._training.nested_rows import NestedRows
from skdnn._training.program import Program, State
from skdnn._training.spec_functions import spec_program
from skdnn._training.task import ModelTask, Record, TrainingTask


def program_for(task: TrainingTask, n_fits: int = 1) -> Program:
    """Return the program of a network that is one of `n_fits` of its shape."""
    n_steps = task.steps_per_epoch * task.stopping.max_iter * n_fits
    row_bytes = task.spec.n_inputs * np.dtype(task.spec.dtype).itemsize
    n_weights = sum(array.size for array in task.spec.arrays)
    execution = choose_execution(row_bytes, task.batch_size, n_steps, n_weights)
    return spec_program(task.spec, task.solver, task.penalties.active, execution)


class CompiledEpochs:
    """Epochs of a fit, each block of rows one call of a program."""

    def __init__(self, task: Any, program: Program, start: Any):
        self._task, self.program = task, program
        self._functions, self._execution = program.functions, program.execution
        self.state = self._functions.start(start)

    @property
    def epochs_at_once(self) -> int:
        return self._execution.epochs_at_once(self._task.n_train, self._task.batch_size)


class SpecEpochs(CompiledEpochs):
    """Epochs of a network from a spec."""

    def __init__(self, task: TrainingTask, program: Program):
        super().__init__(task, program, task)
        self._steps = 0
        self._sums: list[np.ndarray] = []
        self._logits: list[np.ndarray] = []
        # validation rows are the same in every epoch
        self._validation: list[list[Any]] | None = None
        if task.validation is not None and isinstance(task.validation.X, np.ndarray):
            self._validation = list(self._validation_rows())

    @property
    def epochs_at_once(self) -> int:
        at_once = super().epochs_at_once
        return min(at_once, self.logit_epochs) if self._task.keeps_logits else at_once

    @property
    def logit_epochs(self) -> int:
        """For how many epochs one call can return the validation logits."""
        spec = self._task.spec
        row_bytes = spec.n_outputs * np.dtype(spec.dtype).itemsize
        return self._execution.logit_epochs(len(self._task.validation), row_bytes)

    def train(self, orders: np.ndarray, rate: float) -> list[Record]:
        """Take a step for each batch; `orders` has shape (n_epochs, n_samples)."""
        for block in self.blocks(orders):
            inputs = self.inputs(block, rate)
            self.take(block, self.program.train(self.state, block, *inputs))
        return self.take_records(len(orders))

    def blocks(self, orders: np.ndarray) -> Iterable[Block]:
        blocks: Iterable[Block] = self._task.blocks(orders, self._execution)
        return blocks

    def inputs(self, block: Block, rate: float) -> tuple[Any, ...]:
        """Return the hyperparameters of each step, and rows whose logits to return."""
        n_steps = self._execution.padded_steps(block.n_steps)
        return self._hyperparameters(rate, n_steps), *self._held(block)

    def take(self, block: Block, outputs: tuple[Any, ...]) -> None:
        """Keep what a program returns for a block."""
        self.state, figures, *logits = outputs
        for of_epochs in logits:
            self._logits += [rows[: len(self._task.validation)] for rows in of_epochs]
        self._sums.append(figures)
        self._steps += block.n_steps

    def take_records(self, n_epochs: int) -> list[Record]:
        """Return the records of the epochs since the last call."""
        sums, self._sums = self._sums, []
        per_epoch = np.concatenate(sums).reshape(n_epochs, -1, 4).sum(axis=1)
        return [epoch_record(*epoch) for epoch in per_epoch]

    def _held(self, block: Block) -> tuple[Any, ...]:
        """Return validation rows and space for their logits, if a call takes them."""
        task = self._task
        is_whole = block.n_rows == task.n_train
        if not (is_whole and task.keeps_logits and self.logit_epochs):
            return ()
        assert self._validation is not None
        X = self._validation[0][0]
        space = (self.logit_epochs, X.shape[0], task.spec.n_outputs)
        return X, tensor(np.zeros(space, task.spec.dtype))

    def evaluate(self) -> Record:
        sums = [
            self.program.of_weights("evaluate", self.state, rows)
            for rows in self._validation_rows()
        ]
        loss, hits, weight = np.sum(sums, axis=0)
        return {"loss": float(loss / weight), "accuracy": float(hits / weight)}

    def take_logits(self) -> list[np.ndarray]:
        """Return the validation logits after each epoch since the last call."""
        logits, self._logits = self._logits, []
        if logits:
            return logits
        blocks = [
            self.program.of_weights("logits", self.state, X)
            for X, _, _ in self._validation_rows()
        ]
        return [np.concatenate(blocks)[: len(self._task.validation)]]

    def weights(self) -> list[np.ndarray]:
        return self._functions.weights(self.state)

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Continue from other weights, with the same optimizer and dropout."""
        self.state = self._functions.with_weights(self.state, self._task, weights)

    def optimizer_state(self) -> list[np.ndarray]:
        return [keras_backend.to_numpy(value) for value in self.state.slots]

    def saved_state(self) -> dict[str, Any]:
        """Return what the next step depends on, as arrays."""
        arrays = [list(map(keras_backend.to_numpy, part)) for part in self.state]
        return {"state": arrays, "steps": self._steps}

    def restore(self, saved: dict[str, Any]) -> None:
        self.state = State(*(list(map(tensor, part)) for part in saved["state"]))
        self._steps = saved["steps"]

    def rate(self) -> float:
        return self._functions.rate(self.state)

    def _hyperparameters(self, rate: float, n_steps: int) -> np.ndarray:
        task = self._task
        if task.schedule is not None:
            numbers = task.schedule.numbers(self._steps, n_steps)
        else:
            numbers = np.tile((rate, *astuple(task.penalties), 1.0), (n_steps, 1))
        return numbers.astype(task.spec.dtype)

    def _validation_rows(self) -> Iterable[list[Any]]:
        """Return the validation rows as tensors, block by block."""
        if self._validation is not None:
            return self._validation
        blocks = batching.evaluation_blocks(self._task.validation, self._execution)
        return (list(map(tensor, block.arrays)) for block in blocks)


def train_together(
    networks: Sequence[SpecEpochs], orders: Sequence[np.ndarray], rates: Sequence[float]
) -> list[list[Record]]:
    """Do what `SpecEpochs.train` does for each network, in steps of them all."""
    parts = zip(networks, orders, strict=True)
    for blocks in zip(
        *(network.blocks(order) for network, order in parts), strict=True
    ):
        inputs = [
            network.inputs(block, rate)
            for network, block, rate in zip(networks, blocks, rates, strict=True)
        ]
        states = [network.state for network in networks]
        outputs = networks[0].program.train_stack(states, blocks, inputs)
        for network, block, own in zip(networks, blocks, outputs, strict=True):
            network.take(block, own)
    return [network.take_records(len(orders[0])) for network in networks]


class ModelEpochs(CompiledEpochs):
    """Epochs of a compiled `keras.Model`; its variables are synchronized on request."""

    def __init__(self, task: ModelTask):
        self._table = task.table.in_dtype_of(task.model)
        if task.validation is not None:
            self._validation = task.validation.in_dtype_of(task.model)
        few = batching.dense_arrays(self._table, np.arange(min(2, task.n_train)))
        row_bytes = max(1, few[0][0].nbytes)
        execution = choose_execution(row_bytes, task.batch_size, n_steps=None)
        program = model_program(task.model, few, execution)
        super().__init__(task, program, task.model)
        if keras_backend.backend() == "torch":
            self._check()

    def _check(self) -> None:
        """Raise `NotRecordableError` if a step cannot be recorded."""
        first = np.arange(min(self._task.batch_size, self._task.n_train))
        state = self.state
        self.train(first[None], np.nan)
        self.state = state

    def pull(self) -> None:
        self.state = self._functions.start(self._task.model)

    def push(self) -> None:
        self._functions.assign(self._task.model, self.state)

    def train(self, orders: np.ndarray, rate: float) -> list[Record]:
        size = self._task.batch_size
        return self._run(self.program.train, self._table, orders, size)

    def evaluate(self) -> Record:
        order = np.arange(len(self._validation))[None]
        size = self._task.validation_batch_size
        return self._run(self.program.test, self._validation, order, size)[0]

    def rate(self) -> float:
        return np.nan  # callbacks of Keras read it from the model

    def _run(
        self,
        call: Callable[..., tuple[Any, ...]],
        rows: NestedRows,
        orders: np.ndarray,
        batch_size: int,
    ) -> list[Record]:
        """Return the metrics of each epoch; an epoch may take several calls."""
        records, n_done = [], 0
        blocks = batching.training_blocks(rows, orders, batch_size, self._execution)
        for block in blocks:
            if n_done % orders.shape[1] == 0:
                self.state = self._functions.with_fresh_metrics(self.state)
            numbers = np.zeros((block.n_steps, 0), np.float32)
            self.state, figures = call(self.state, block, numbers)
            n_done += block.n_epochs * block.n_rows
            if n_done % orders.shape[1] == 0:
                records += [self._functions.named(values) for values in figures]
        return records
