"""Whether different methods tell the same story."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.tables import ResultTable


def compare(
    attributions: Mapping[str, Attributions], importance: ResultTable | None = None
) -> ResultTable:
    """Return how far each two methods agree on the rank and the sign of columns.

    Parameters
    ----------
    attributions : dict of str to Attributions
        By the name of the method; of the same rows, columns and classes.
    importance : Table or None
        Permutation importance of the same columns.

    Returns
    -------
    Table
        A row a pair: method_a, method_b, rank, sign. `rank` is Spearman's correlation
        of the sizes of the attributions, its mean over rows and classes; with
        importance, that of the mean sizes with the importances. `sign` is the share
        of equal signs, each cell weighed by the size of its attributions; NaN with
        importance, which has none. Both are NaN where there is nothing to compare.
    """
    rows = [
        {
            "method_a": a,
            "method_b": b,
            "rank": mean_rank(first.values, second.values),
            "sign": equal_signs(first.values, second.values),
        }
        for (a, first), (b, second) in combinations(attributions.items(), 2)
    ]
    if importance is not None:
        wanted = importance.table["importance"].to_numpy()
        rows += [
            {
                "method_a": name,
                "method_b": "permutation importance",
                "rank": _rank(np.abs(result.values).mean(axis=(0, 2)), wanted),
                "sign": np.nan,
            }
            for name, result in attributions.items()
        ]
    return ResultTable(pd.DataFrame(rows), "Agreement between methods", "agreement")


def mean_rank(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation of sizes, its mean over rows and classes."""
    ranks = [
        _rank(np.abs(a[i, :, k]), np.abs(b[i, :, k]))
        for i in range(a.shape[0])
        for k in range(a.shape[2])
    ]
    known = [rank for rank in ranks if np.isfinite(rank)]
    return float(np.mean(known)) if known else np.nan


def _rank(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation, NaN if a side does not vary."""
    ranks = [pd.Series(np.round(values, 12)).rank() for values in (a, b)]
    if any(rank.nunique() < 2 for rank in ranks):
        return np.nan
    return float(np.corrcoef(ranks)[0, 1])


def equal_signs(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of equal signs, each cell weighed by its size."""
    # each side in shares of its own total, so that neither unit rules
    size = np.zeros(a.shape)
    for values in (a, b):
        total = np.abs(values).sum()
        if total == 0:
            return np.nan
        size += np.abs(values) / total
    return float(size[np.sign(a) == np.sign(b)].sum() / size.sum())
