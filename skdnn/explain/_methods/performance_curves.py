"""Curves of each class against the rest, and accuracy against the rows answered."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from skdnn.explain._methods.performance_classes import Ranking, rank
from skdnn.explain._methods.performance_scores import Measured, wilson
from skdnn.explain._results.frames import frame_of

# Points of the curve of a class; of more distinct probabilities, evenly many are left.
MAX_POINTS = 500
MAX_SHARES = 100  # rows of the table of abstention

Columns = dict[str, np.ndarray]


def curve_tables(
    codes: np.ndarray,
    probabilities: np.ndarray,
    weight: np.ndarray,
    measured: Measured,
    class_names: np.ndarray,
) -> dict[str, pd.DataFrame]:
    """Return the curves of all classes by their names in ``Performance.curves``."""
    rankings = [
        rank(probabilities[:, k], codes == k, weight) for k in range(len(class_names))
    ]
    makers: dict[str, Callable[[Ranking], Columns]] = {
        "roc": _roc, "precision_recall": _precision_recall, "gains": _gains,
    }  # fmt: skip
    tables = {
        name: _stacked([make(ranking) for ranking in rankings], class_names)
        for name, make in makers.items()
    }
    tables["calibration"] = _calibration(measured, class_names)
    return tables


def _stacked(parts: list[Columns], class_names: np.ndarray) -> pd.DataFrame:
    """Return the curves of all classes in one table."""
    names = list(parts[0])
    sizes = [len(part[names[0]]) for part in parts]
    column: Any = np.repeat(np.asarray(class_names, dtype=object), sizes)
    values = {name: np.concatenate([part[name] for part in parts]) for name in names}
    return frame_of({"class": column, **values})


def _kept(ranking: Ranking) -> np.ndarray:
    """Return positions of the cuts that are drawn, with the last."""
    n = len(ranking.thresholds)
    steps = np.linspace(0, n - 1, min(n, MAX_POINTS))
    return np.unique(np.round(steps).astype(np.intp))


def _ratio(a: np.ndarray, b: np.ndarray | float) -> np.ndarray:
    """Return a ratio, NaN where it is not defined."""
    b = np.broadcast_to(np.asarray(b, dtype=float), a.shape)
    return np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0)


def _roc(ranking: Ranking) -> Columns:
    """Return thresholds and both rates, from the cut that no row reaches."""
    at = _kept(ranking)
    return {
        "threshold": np.r_[np.inf, ranking.thresholds[at]],
        "false_positive_rate": _ratio(np.r_[0, ranking.misses[at]], ranking.misses[-1]),
        "true_positive_rate": _ratio(np.r_[0, ranking.hits[at]], ranking.hits[-1]),
    }


def _precision_recall(ranking: Ranking) -> Columns:
    """Return thresholds, recall and precision, from recall 0 with precision 1."""
    at = _kept(ranking)
    hits = ranking.hits[at]
    return {
        "threshold": np.r_[np.inf, ranking.thresholds[at]],
        "recall": _ratio(np.r_[0, hits], ranking.hits[-1]),
        "precision": np.r_[1, _ratio(hits, hits + ranking.misses[at])],
    }


def _gains(ranking: Ranking) -> Columns:
    """Return the share of rows, the share of the class among them, and the lift."""
    at = _kept(ranking)
    total = ranking.hits + ranking.misses
    rows = np.r_[0, total[at]] / total[-1]
    gain = _ratio(np.r_[0, ranking.hits[at]], ranking.hits[-1])
    return {
        "threshold": np.r_[np.inf, ranking.thresholds[at]],
        "rows": rows,
        "gain": gain,
        "lift": _ratio(gain, rows),
    }


def _calibration(measured: Measured, class_names: np.ndarray) -> pd.DataFrame:
    """Return predicted and observed shares; without a class, of the predicted one."""
    curves = [(None, measured.reliability)]
    curves += list(zip(class_names, measured.reliability_by_class, strict=True))
    bins = [(label, one) for label, curve in curves for one in curve]
    labels = np.empty(len(bins), dtype=object)
    labels[:] = [label for label, _ in bins]
    return frame_of(
        {
            "class": labels,
            "n_rows": [one.n for _, one in bins],
            "predicted": [one.predicted for _, one in bins],
            "observed": [one.observed for _, one in bins],
            "ci_low": [one.low for _, one in bins],
            "ci_high": [one.high for _, one in bins],
        }
    )


def abstention_table(
    top: np.ndarray, right: np.ndarray, weight: np.ndarray
) -> pd.DataFrame:
    """Return the accuracy on the rows of at least some top probability.

    Columns: threshold, answered (share of the rows), n_rows, accuracy, ci_low, ci_high.
    """
    ranking = rank(top, right, weight)
    order = np.argsort(-top, kind="stable")
    squares = np.cumsum(weight[order] ** 2)
    n_rows = ranking.n_hits + ranking.n_misses
    total = ranking.hits + ranking.misses
    wanted = np.linspace(0, 1, MAX_SHARES + 1)[1:] * total[-1]
    at = np.unique(np.minimum(np.searchsorted(total, wanted), len(total) - 1))
    at = at[total[at] > 0]
    accuracy = ranking.hits[at] / total[at]
    # as many rows of equal weight as are as precise (Kish, 1965)
    sizes = total[at] ** 2 / squares[n_rows[at] - 1]
    ends = [
        wilson(min(share * n, n), n) for share, n in zip(accuracy, sizes, strict=True)
    ]
    return pd.DataFrame(
        {
            "threshold": ranking.thresholds[at],
            "answered": total[at] / total[-1],
            "n_rows": n_rows[at],
            "accuracy": accuracy,
            "ci_low": [low for low, _ in ends],
            "ci_high": [high for _, high in ends],
        }
    )
