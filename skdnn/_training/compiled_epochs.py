"""One fit in a compiled program: its state, and the rows it is fed."""

from collections.abc import Iterator
from dataclasses import astuple

import numpy as np

from skdnn._training.batching import Block, evaluation_blocks, is_light, training_blocks
from skdnn._training.config import TrainingTask
from skdnn._training.program import Program


class CompiledEpochs:
    """A fit that runs in a compiled program.

    Parameters
    ----------
    fit : Fit
        What to do.
    program : Program
        Of its shape; other fits may run in it at the same time.
    """

    def __init__(self, fit: TrainingTask, program: Program):
        self._fit, self._program, self._execution = fit, program, program.execution
        self._state = program.start(fit)
        self._steps = 0
        self._told: list[np.ndarray] = []
        # validation rows are the same in every epoch
        self._kept: list[tuple] | None = None
        if fit.validation is not None and is_light(fit.validation):
            self._kept = list(self._validation_rows())

    @property
    def epochs_at_once(self) -> int:
        """How many epochs one call can train."""
        fit = self._fit
        at_once = self._execution.epochs_at_once(fit.n_train, fit.batch_size)
        return min(at_once, self._told_at_once) if fit.keeps_logits else at_once

    @property
    def _told_at_once(self) -> int:
        """Of how many epochs one call can tell what the validation rows come to."""
        spec, validation = self._fit.spec, self._fit.validation
        assert validation is not None
        row_bytes = spec.n_outputs * np.dtype(spec.dtype).itemsize
        return self._execution.told_epochs(len(validation), row_bytes)

    def train(self, orders: np.ndarray, rate: float) -> np.ndarray:
        """Take a step for each batch of the rows, epoch after epoch.

        Parameters
        ----------
        orders : ndarray of shape (n_epochs, n_samples)
            Positions of the rows as each epoch takes them, int32.
        rate : float
            The learning rate.

        Returns
        -------
        ndarray of shape (n_epochs, 4)
            Sums over the rows: loss, row count, weighted hits, weight.
        """
        fit = self._fit
        sums = []
        for block in training_blocks(
            fit.table, orders, fit.batch_size, self._execution
        ):
            numbers = self._numbers(rate, self._execution.padded_steps(block.n_steps))
            figures = self._train(block, numbers, is_whole=block.n_rows == fit.n_train)
            self._steps += block.n_steps
            sums.append(figures)
        return np.concatenate(sums).reshape(len(orders), -1, 4).sum(axis=1)

    def _train(self, block: Block, numbers: np.ndarray, *, is_whole: bool):
        """Train on a block; keep what the validation rows come to, if that is asked."""
        validation = self._fit.validation
        if is_whole and self._fit.keeps_logits and self._told_at_once:
            assert validation is not None
            assert self._kept is not None
            self._state, figures, told = self._program.train_and_tell(
                self._state, block, numbers, self._kept[0][0], self._told_at_once
            )
            self._told += [logits[: len(validation)] for logits in told]
        else:
            self._state, figures = self._program.train(self._state, block, numbers)
        return figures

    def evaluate(self) -> np.ndarray:
        """Return the validation rows' weighted sums of cross-entropy and hits.

        Returns
        -------
        ndarray of shape (3,)
            Cross-entropy, hits, weight.
        """
        kept = self._validation_rows() if self._kept is None else self._kept
        figures = [self._program.evaluate(self._state, rows) for rows in kept]
        return np.sum(figures, axis=0)

    def take_logits(self) -> list[np.ndarray]:
        """Return what the validation rows came to after each epoch since last asked.

        Returns
        -------
        list of ndarray of shape (n_validation, n_outputs)
        """
        told, self._told = self._told, []
        return told or [self._logits()]

    def _logits(self) -> np.ndarray:
        assert self._fit.validation is not None
        kept = self._validation_rows() if self._kept is None else self._kept
        logits = [self._program.logits(self._state, X) for X, _, _ in kept]
        return np.concatenate(logits)[: len(self._fit.validation)]

    def weights(self) -> list[np.ndarray]:
        """Return copies of the weight arrays."""
        return self._program.weights(self._state)

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Go on from other weights; dropout and the optimizer stand where they do."""
        fresh = self._program.state(weights, self._fit.spec, self._fit.dropout_seed)
        self._state = self._program.with_weights(self._state, fresh)

    def optimizer_state(self) -> list[np.ndarray]:
        """Return copies of the optimizer's variables."""
        return self._program.optimizer_state(self._state)

    def rate(self) -> float:
        """Return the rate that the optimizer's own schedule has come to."""
        return self._program.rate(self._state)

    def _numbers(self, rate: float, n_steps: int) -> np.ndarray:
        """Return what the next steps are taken with, a row a step."""
        fit = self._fit
        if fit.schedule is None:
            constant = np.array((rate, *astuple(fit.penalties), 1.0))
            numbers = np.tile(constant, (n_steps, 1))
        else:
            numbers = fit.schedule.numbers(self._steps, n_steps)
        return numbers.astype(fit.spec.dtype)

    def _validation_rows(self) -> Iterator[tuple]:
        """Yield the validation rows as tensors, a block at a time."""
        assert self._fit.validation is not None
        for block in evaluation_blocks(self._fit.validation, self._execution):
            yield self._program.put(block)
