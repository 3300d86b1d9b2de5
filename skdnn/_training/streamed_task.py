"""A network whose rows are read from a file, bucket by bucket, in every epoch."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from skdnn._streaming.row_store import StoredRows, as_dataset
from skdnn._training.batching import Block, padded
from skdnn._training.execution import Execution
from skdnn._training.task import TrainingTask


@dataclass(frozen=True, kw_only=True)
class StreamedTask(TrainingTask):
    """A training task whose rows are those of some `buckets` of a store.

    Every epoch takes the buckets in a new random order, and the rows of each in one:
    each bucket is a random sample of the rows of the table, so that the rows of any
    step are, too. `totals` holds the weight of each class. `table` and `positions` are
    of a sample of the rows.
    """

    store: StoredRows
    buckets: np.ndarray
    totals: np.ndarray

    @property
    def n_train(self) -> int:
        return int(self.store.counts[self.buckets].sum())

    def labels(self) -> tuple[np.ndarray, np.ndarray]:
        return np.arange(len(self.totals)), self.totals

    def orders(self) -> Iterator[np.ndarray]:
        """Yield the seed of each epoch, of shape (1,)."""
        while True:
            yield self.random_state.randint(2**31 - 1, size=1)

    def blocks(self, orders: np.ndarray, execution: Execution) -> Iterator[Block]:
        size = execution.rows_at_once(self.batch_size)
        for seed in orders[:, 0].tolist():
            for records in self._shuffled(size, seed):
                rows = as_dataset(records)
                arrays: tuple[np.ndarray, ...] = rows.X, rows.y, rows.weight
                if execution.padding is not None:
                    arrays = tuple(padded(part, execution.padding) for part in arrays)
                yield Block(arrays, 1, len(rows), self.batch_size)

    def _shuffled(self, size: int, seed: int) -> Iterator[np.ndarray]:
        """Yield the rows of an epoch, `size` at a time.

        Rows that a bucket has more than a multiple of that join the next bucket.
        """
        rng = np.random.default_rng(seed)
        left: np.ndarray | None = None
        for bucket in rng.permutation(self.buckets).tolist():
            records = self.store.read(bucket)
            if left is not None:
                records = np.concatenate([left, records])
            order = rng.permutation(len(records))
            n_whole = len(records) - len(records) % size
            for start in range(0, n_whole, size):
                yield records[order[start : start + size]]
            left = records[order[n_whole:]]
        if left is not None and len(left):
            yield left


def streamed(
    task: TrainingTask, store: StoredRows, buckets: np.ndarray, totals: np.ndarray
) -> StreamedTask:
    """Return a task that takes the rows of a store in place of its table."""
    values: dict[str, Any] = {f.name: getattr(task, f.name) for f in fields(task)}
    return StreamedTask(**values, store=store, buckets=buckets, totals=totals)
