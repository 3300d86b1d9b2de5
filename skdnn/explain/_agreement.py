"""Whether different methods tell the same story."""

import numpy as np
import pandas as pd

from skdnn.explain._explanation import Attributions
from skdnn.explain._tables import Table


def compare(
    shap: Attributions, lime: Attributions, importance: Table | None = None
) -> Table:
    """Return how far two methods agree on the rank and the sign of columns.

    Parameters
    ----------
    shap, lime : Attributions
        Of the same rows, columns and classes.
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
            "method_a": "SHAP",
            "method_b": "LIME",
            "rank": _mean_rank(shap.values, lime.values),
            "sign": _equal_signs(shap.values, lime.values),
        }
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
            for name, result in (("SHAP", shap), ("LIME", lime))
        ]
    return Table(pd.DataFrame(rows), "Agreement between methods", "agreement")


def _mean_rank(a: np.ndarray, b: np.ndarray) -> float:
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


def _equal_signs(a: np.ndarray, b: np.ndarray) -> float:
    # each side in shares of its own total, so that neither unit rules
    size = np.zeros(a.shape)
    for values in (a, b):
        total = np.abs(values).sum()
        if total == 0:
            return np.nan
        size += np.abs(values) / total
    return float(size[np.sign(a) == np.sign(b)].sum() / size.sum())
