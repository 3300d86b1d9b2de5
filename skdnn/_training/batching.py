"""Rows in the order of training, one block of whole batches at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skdnn._tabular.dataset import Dataset
from skdnn._training.execution import Execution
from skdnn._training.nested_rows import NestedRows

Rows = Dataset | NestedRows


@dataclass(frozen=True)
class Block:
    """Rows that one call of a compiled program takes.

    `arrays` are X, y and, if rows are weighted, weight, each of shape (capacity, ...):
    the `n_rows` rows of each of the `n_epochs` epochs, one epoch after the other, and
    padding after them.
    """

    arrays: tuple[np.ndarray, ...]
    n_epochs: int
    n_rows: int
    batch_size: int

    @property
    def n_steps(self) -> int:
        """Number of training steps in the block."""
        return self.n_epochs * -(-self.n_rows // self.batch_size)


def training_blocks(
    rows: Rows, orders: np.ndarray, batch_size: int, execution: Execution
) -> Iterator[Block]:
    """Yield the rows of some epochs: all in one block, or one epoch in many.

    `orders`, of shape (n_epochs, n_samples), has the positions of the rows in the order
    of each epoch.
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


def evaluation_blocks(rows: Rows, execution: Execution) -> Iterator[Block]:
    """Yield all rows, in blocks that one call evaluates as one batch."""
    n = len(rows)
    for start in range(0, n, execution.evaluation_rows):
        taken = np.arange(start, min(start + execution.evaluation_rows, n))
        padding = execution.evaluation_padding(n, len(taken))
        yield _block(rows, taken, padding, 1, len(taken), len(taken))


def dense_arrays(rows: Rows, positions: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return X, y and, if there are any, the weights of some rows, dense."""
    taken = rows.take(positions).dense()
    parts = (taken.X, taken.y, taken.weight)
    return parts[:2] if taken.weight is None else parts


def _block(
    rows: Rows,
    order: np.ndarray,
    padding: int | None,
    n_epochs: int,
    n_rows: int,
    batch_size: int,
) -> Block:
    arrays = dense_arrays(rows, order)
    if padding is not None:
        arrays = tuple(_padded(array, padding) for array in arrays)
    return Block(arrays, n_epochs, n_rows, batch_size)


def _padded(array: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the array with zeros after it, up to a length."""
    padded = np.zeros((n_rows, *array.shape[1:]), dtype=array.dtype)
    padded[: len(array)] = array
    return padded
