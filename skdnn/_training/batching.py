"""Rows in the order they are trained on, a block of whole batches at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from skdnn._tabular.dataset import Dataset
from skdnn._training.config import Execution


@dataclass(frozen=True)
class Block:
    """Rows that one call of a compiled program takes.

    Parameters
    ----------
    X : ndarray of shape (capacity, n_inputs)
        Dense rows, those of one epoch behind those of the epoch before.
    y : ndarray of shape (capacity,) or (capacity, n_outputs)
        Their labels.
    weight : ndarray of shape (capacity,)
        Their weights.
    n_epochs, n_rows : int
        How many epochs of how many rows; what lies behind them is not looked at.
    batch_size : int
        Rows a step.
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    n_epochs: int
    n_rows: int
    batch_size: int

    @property
    def n_steps(self) -> int:
        """Steps that the block is good for."""
        return self.n_epochs * -(-self.n_rows // self.batch_size)


def training_blocks(
    rows: Dataset, orders: np.ndarray, batch_size: int, execution: Execution
) -> Iterator[Block]:
    """Yield the rows of some epochs: all in one block, or one epoch in many.

    Parameters
    ----------
    rows : Rows
        The rows.
    orders : ndarray of shape (n_epochs, n_samples)
        Positions of the rows as each epoch takes them.
    batch_size : int
        Rows a step.
    road : Road
        Says how many rows go into a block.
    """
    n_epochs, n = orders.shape
    if n_epochs <= execution.epochs_at_once(n, batch_size):
        yield _block(rows, orders.ravel(), execution.padding, n_epochs, n, batch_size)
        return
    size = execution.block_rows - execution.block_rows % batch_size
    for order in orders:
        for start in range(0, n, size):
            taken = order[start : start + size]
            yield _block(rows, taken, execution.padding, 1, len(taken), batch_size)


def evaluation_blocks(rows: Dataset, execution: Execution) -> Iterator[Block]:
    """Yield all rows, in blocks that one call evaluates as one batch."""
    n = len(rows)
    for start in range(0, n, execution.evaluation_rows):
        taken = np.arange(start, min(start + execution.evaluation_rows, n))
        padding = execution.evaluation_padding(n, len(taken))
        yield _block(rows, taken, padding, 1, len(taken), len(taken))


def _block(rows: Dataset, order, padding, n_epochs, n_rows, batch_size) -> Block:
    taken = rows.take(order).dense()
    X, y, weight = taken.X, taken.y, taken.weight
    if padding is not None:
        X, y, weight = (_padded(array, padding) for array in (X, y, weight))
    return Block(X, y, weight, n_epochs, n_rows, batch_size)


def _padded(array: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the array with zeros behind it, up to a length."""
    padded = np.zeros((n_rows, *array.shape[1:]), dtype=array.dtype)
    padded[: len(array)] = array
    return padded


def is_light(rows: Dataset) -> bool:
    """Return whether dense blocks of the rows may be kept in memory."""
    return not issparse(rows.X)
