"""Which objects are read block by block, and how a source is made of each."""

import sys
from typing import Any

import narwhals as nw
import numpy as np

from skdnn._runtime.compat import is_joblib_memmap
from skdnn._streaming import limits
from skdnn._streaming.array_files import ArrayFile
from skdnn._streaming.arrow_datasets import ArrowDataset
from skdnn._streaming.dask_frames import DaskFrame
from skdnn._streaming.lazy_frames import LazyFrame
from skdnn._streaming.table_source import TableSource


def is_container(X: Any) -> bool:
    """Return whether X is read block by block.

    A memory-mapped array is if it is larger than `limits.IN_MEMORY_BYTES`, but not one
    that joblib made of an array to hand it to another process.
    """
    if isinstance(X, np.memmap):
        is_large = X.ndim == 2 and 8 * X.size > limits.IN_MEMORY_BYTES
        return is_large and not is_joblib_memmap(X)
    if isinstance(X, np.ndarray):
        return False
    return (
        _is_dataset(X)
        or nw.dependencies.is_polars_lazyframe(X)
        or nw.dependencies.is_dask_dataframe(X)
    )


def _is_dataset(X: Any) -> bool:
    module = sys.modules.get("pyarrow.dataset")
    return module is not None and isinstance(X, module.Dataset)


def open_source(X: Any) -> TableSource:
    """Return the source of an object that `is_container` accepts."""
    if isinstance(X, np.ndarray):
        return ArrayFile(X)
    if _is_dataset(X):
        return ArrowDataset(X)
    if nw.dependencies.is_polars_lazyframe(X):
        return LazyFrame(X)
    return DaskFrame(X)


def fits_memory(n_rows: int, n_columns: int) -> bool:
    """Return whether a table is read whole."""
    return 8 * n_rows * n_columns <= limits.IN_MEMORY_BYTES
