"""Rows in the order of training, one block of whole batches at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skdnn._tabular.dataset import Dataset
from skdnn._training.execution import EVALUATION_ROWS, Execution
from skdnn._training.nested_rows import NestedRows

Rows = Dataset | NestedRows


@dataclass(frozen=True)
class Block:
    """Rows that one call of a compiled program takes, and padding after them.

    `arrays` are X, y and any weights, one epoch of `n_rows` after the other.
    """

    arrays: tuple[np.ndarray, ...]
    n_epochs: int
    n_rows: int
    batch_size: int

    @property
    def n_steps(self) -> int:
        return self.n_epochs * -(-self.n_rows // self.batch_size)


def training_blocks(
    rows: Rows, orders: np.ndarray, batch_size: int, execution: Execution
) -> Iterator[Block]:
    """Yield the rows of some epochs: all in one block, or one epoch in many."""
    n_epochs, n = orders.shape
    if n_epochs <= execution.epochs_at_once(n, batch_size):
        arrays = dense_arrays(rows, orders.ravel(), execution.padding)
        yield Block(arrays, n_epochs, n, batch_size)
        return
    size = execution.rows_at_once(batch_size)
    for order in orders:
        for start in range(0, n, size):
            taken = order[start : start + size]
            arrays = dense_arrays(rows, taken, execution.padding)
            yield Block(arrays, 1, len(taken), batch_size)


def evaluation_blocks(rows: Rows, execution: Execution) -> Iterator[Block]:
    """Yield all rows, in blocks that one call evaluates as one batch."""
    n = len(rows)
    for start in range(0, n, EVALUATION_ROWS):
        taken = np.arange(start, min(start + EVALUATION_ROWS, n))
        arrays = dense_arrays(rows, taken, execution.evaluation_padding(n))
        yield Block(arrays, 1, len(taken), len(taken))


def dense_arrays(
    rows: Rows, positions: np.ndarray, length: int | None = None
) -> tuple[np.ndarray, ...]:
    """Return X, y and any weights of some rows, dense; zeros up to `length` follow."""
    taken = rows.take(positions).dense()
    parts = (taken.X, taken.y, taken.weight)[: 2 if taken.weight is None else 3]
    return parts if length is None else tuple(padded(part, length) for part in parts)


def padded(array: np.ndarray, length: int) -> np.ndarray:
    """Return an array followed by zeros, `length` long."""
    out = np.zeros((length, *array.shape[1:]), dtype=array.dtype)
    out[: len(array)] = array
    return out
