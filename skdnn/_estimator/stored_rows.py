"""Encoded rows of a table that is read block by block: in a file here, or on workers.

A Dask DataFrame lies on the workers of its cluster. Where these train, each of them
reads the table from the others, and keeps the encoded rows in a file of its own; this
process never has them.
"""

import threading
import uuid
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skdnn._runtime import workers
from skdnn._streaming.dask_frames import DaskFrame
from skdnn._streaming.first_pass import FirstPass, numbers, read_once
from skdnn._streaming.row_sample import position_hashes
from skdnn._streaming.row_store import RowStore
from skdnn._streaming.table_blocks import LabelledSource, TableBlock
from skdnn._tabular.columns import Columns
from skdnn._tabular.encoder import TableEncoder
from skdnn._tabular.labels import class_codes
from skdnn.exceptions import ColumnWarning


@dataclass(frozen=True)
class Weighting:
    """What the weights of rows are multiplied by: factors of classes, and one of all.

    `factors` are those of the classes, ones if there are none.
    """

    factors: np.ndarray
    has_factors: bool
    exponent: int

    def apply(self, weight: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the weights in the loss, in the dtype of the rows' weights."""
        weight = weight * self.factors[y].astype(weight.dtype)
        return np.ldexp(weight, self.exponent) if self.exponent else weight


@dataclass(frozen=True, kw_only=True)
class StoragePlan:
    """How the rows of a table are encoded, and divided among buckets.

    Rows are read as `dtype` and kept as `stored_dtype`. Those whose hash is at most
    `last_left_out` are left out.
    """

    table: LabelledSource
    columns: Columns
    classes: np.ndarray
    encoder: TableEncoder
    weighting: Weighting
    dtype: np.dtype[Any]
    stored_dtype: str
    n_rows: int
    n_buckets: int
    seed: int
    hash_seed: int
    last_left_out: np.uint64 | None

    def store(self, *, has_digest: bool = False) -> RowStore:
        """Return the rows in a temporary file; reads the table."""
        store = RowStore(
            self.encoder.n_inputs,
            self.stored_dtype,
            self.n_buckets,
            has_digest=has_digest,
        )
        try:
            store.require_space(self.n_rows)
            rng = np.random.default_rng(self.seed)
            for block in self.table.blocks():
                kept, buckets = self._drawn(block.start, block.weight, rng)
                store.append(*self._encoded(block, kept), buckets)
        except BaseException:
            store.close()
            raise
        return store

    def counts(self) -> np.ndarray:
        """Return the number of rows of each bucket; does not read the table."""
        rng = np.random.default_rng(self.seed)
        total = np.zeros(self.n_buckets, dtype=np.int64)
        for start, weight in self.table.weights():
            _, buckets = self._drawn(start, weight, rng)
            total += np.bincount(buckets, minlength=self.n_buckets)
        return total

    def _drawn(
        self, start: int, weight: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return which rows of a block are kept, and the buckets of these."""
        kept = weight > 0
        if self.last_left_out is not None:
            hashes = position_hashes(start, start + len(weight), self.hash_seed)
            kept &= hashes > self.last_left_out
        return kept, rng.integers(self.n_buckets, size=int(kept.sum()))

    def _encoded(
        self, block: TableBlock, kept: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return inputs, class codes and weights of the rows that are kept."""
        y = class_codes(block.labels, self.classes)[kept]
        with warnings.catch_warnings():
            # of levels that were too many to be counted
            warnings.simplefilter("ignore", ColumnWarning)
            X = numbers(self.columns, block.X)
        X = X[kept].astype(self.dtype, copy=False)
        inputs = self.encoder.encode(X)
        inputs = inputs.toarray() if issparse(inputs) else inputs
        weight = self.weighting.apply(block.weight[kept].astype(X.dtype), y)
        return inputs, y, weight


class RowsOnWorkers:
    """Rows of which each worker makes a store, when it needs them first.

    `counts` are the numbers of rows of the buckets.
    """

    def __init__(self, plan: StoragePlan):
        self._plan, self._key = plan, uuid.uuid4().hex
        self.counts = plan.counts()

    def read(self, bucket: int) -> np.ndarray:
        """Return the rows of a bucket; see `RowStore.read`."""
        store = _STORES.get(self._key)
        return (self._made() if store is None else store).read(bucket)

    def _made(self) -> RowStore:
        """Return the store of this process: one for all networks that train here."""
        with workers.waiting_for_others(), _MAKING:
            store = _STORES.get(self._key)
            if store is None:
                store = _STORES[self._key] = self._plan.store()
            return store

    def close(self) -> None:
        """Delete the stores of all workers, and that of this process."""
        _close(self._key)
        workers.call_on_each(_close, self._key)


# The stores of this process, by the keys of their fits.
_STORES: dict[str, RowStore] = {}
_MAKING = threading.Lock()


def _close(key: str) -> None:
    store = _STORES.pop(key, None)
    if store is not None:
        store.close()


def lies_on_workers(table: LabelledSource) -> bool:
    """Return whether workers can read a table without this process."""
    return isinstance(table.source, DaskFrame) and workers.are_of_dask()


def read_once_there(
    table: LabelledSource, categorical_features: Any, seed: int, n_sampled: int
) -> FirstPass:
    """Return what `read_once` does, of a table that a worker reads."""
    part = table, categorical_features, seed, n_sampled
    [(result, caught)] = workers.run_parts(_read_once, (), [part], sends_one=True)
    for warning in caught:
        warnings.warn(warning, stacklevel=2)
    return result


def _read_once(*part: Any) -> tuple[FirstPass, list[Warning]]:
    with workers.waiting_for_others(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ColumnWarning)
        result = read_once(*part)
    texts = [w.message for w in caught if issubclass(w.category, ColumnWarning)]
    return result, [text for text in texts if isinstance(text, Warning)]
