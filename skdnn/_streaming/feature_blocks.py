"""The rows that a fitted classifier predicts, block by block."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd

from skdnn._streaming.containers import is_container, open_source
from skdnn._streaming.limits import block_rows
from skdnn._streaming.row_sample import RowSample
from skdnn._streaming.table_source import TableSource
from skdnn._tabular.columns import as_table

Method = TypeVar("Method", bound=Callable[..., np.ndarray])


def features_of(estimator: Any, source: TableSource) -> list[str] | None:
    """Return the names of the columns of `fit`, which are read; None for all columns.

    Raises ``ValueError`` if one is missing.
    """
    names = getattr(estimator, "feature_names_in_", None)
    if names is None or source.names is None:
        return source.names
    names = [str(name) for name in names]
    source.require(names, "Each column of `fit`")
    return names


def feature_blocks(
    estimator: Any, X: Any, n_rows: int | None = None
) -> Iterator[tuple[int, Any]]:
    """Yield the position of the first row of each block, and its rows.

    X is read block by block if it is a container, and else cut into blocks.
    """
    if not is_container(X):
        X = as_table(X)
        X = X if hasattr(X, "shape") else np.asarray(X)
        size = n_rows or block_rows(X.shape[1])
        for start in range(0, X.shape[0], size):
            rows = slice(start, start + size)
            yield start, X.iloc[rows] if hasattr(X, "iloc") else X[rows]
        return
    source, start = open_source(X), 0
    names = features_of(estimator, source)
    source.check(names)
    size = n_rows or block_rows(source.n_columns if names is None else len(names))
    for block in source.blocks(names, size):
        yield start, block
        start += len(block)


def sampled_rows(estimator: Any, X: Any, n_rows: int, seed: int) -> Any:
    """Return at most `n_rows` rows of X, those with the smallest hashes, in order."""
    sample, kept = RowSample(n_rows, seed), []
    for start, block in feature_blocks(estimator, X):
        positions = np.arange(start, start + block.shape[0], dtype=np.float64)
        sample.add([positions], np.ones(len(positions), dtype=bool))
    chosen = np.sort(sample.smallest()[1])
    for start, block in feature_blocks(estimator, X):
        own = chosen[(chosen >= start) & (chosen < start + block.shape[0])] - start
        kept.append(block.iloc[own] if hasattr(block, "iloc") else block[own])
    if hasattr(kept[0], "iloc"):
        return pd.concat(kept, ignore_index=True)
    return np.concatenate(kept)


def by_blocks(axis: int) -> Callable[[Method], Method]:
    """Return a decorator of methods that predict rows, the `axis` of their result.

    Rows of a container are then predicted block by block.
    """

    def decorated(method: Method) -> Method:
        @wraps(method)
        def predict(self: Any, X: Any, *args: Any, **options: Any) -> np.ndarray:
            if not is_container(X):
                return method(self, X, *args, **options)
            parts = [
                method(self, block, *args, **options)
                for _, block in feature_blocks(self, X)
            ]
            return np.concatenate(parts, axis=axis)

        return cast(Method, predict)

    return decorated
