"""Memory-mapped arrays."""

import mmap
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from skdnn._streaming.limits import block_rows
from skdnn._streaming.table_source import TableSource


class ArrayFile(TableSource):
    """A `numpy.memmap` of shape (n_rows, n_columns)."""

    kind = "memory-mapped array"
    names = None

    def __init__(self, X: np.ndarray):
        self._X = X
        self.n_columns = X.shape[1]

    def count_rows(self) -> int:
        return len(self._X)

    def parts(self, names: Sequence[str] | None) -> Iterator[np.ndarray]:
        size = block_rows(self.n_columns)
        for start in range(0, len(self._X), size):
            yield np.array(self._X[start : start + size])
            _release(self._X)


def _release(X: np.ndarray) -> None:
    """Give back the memory of the pages that were read.

    Changes of a map that is not written to its file (mode "c") are only in memory.
    """
    if getattr(X, "mode", "c") not in ("r", "r+"):
        return
    base: Any = X
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(base, "madvise"):
        base.madvise(mmap.MADV_DONTNEED)
