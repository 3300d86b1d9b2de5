"""Which columns have other distributions in two tables; with Holm's correction."""

from typing import Any

import numpy as np
import pandas as pd

from skdnn._runtime.names import shorten
from skdnn.explain._results.frames import frame_of
from skdnn.explain._results.intervals import holm

NUMBERS, CATEGORIES, MISSING_CELLS = "Kolmogorov-Smirnov", "chi-square", "missing cells"
# Pairs of rows up to which the distribution of the Kolmogorov-Smirnov statistic is
# exact.
_MAX_EXACT = 10_000
# Categories with a smaller expected number of rows are tested together, and with the
# next rare ones until this number of rows is expected.
_LEAST_EXPECTED = 5
_MAX_NAME = 60


def drift_table(
    names: list[str], cells: list[tuple[Any, np.ndarray, np.ndarray]]
) -> pd.DataFrame:
    """Return one row per test: feature, test, statistic, p_value, p_holm, description.

    `cells` has for each column its categories (None for numbers), and the cells of the
    new rows and of the training rows.
    """
    rows = []
    for name, (categories, new, old) in zip(names, cells, strict=True):
        if categories is not None:
            rows.append((name, CATEGORIES, *_test_categories(categories, new, old)))
            continue
        known, known_old = new[~np.isnan(new)], old[~np.isnan(old)]
        if len(known) and len(known_old):
            rows.append((name, NUMBERS, *_test_numbers(known, known_old)))
        if len(known) < len(new) or len(known_old) < len(old) or not len(known):
            rows.append((name, MISSING_CELLS, *_test_missing(new, old)))
    features, tests, statistics, p_values, descriptions = zip(*rows, strict=True)
    return frame_of(
        {
            "feature": list(features),
            "test": list(tests),
            "statistic": np.array(statistics, dtype=float),
            "p_value": np.array(p_values, dtype=float),
            "p_holm": holm(np.array(p_values, dtype=float)),
            "description": list(descriptions),
        }
    )


def _test_numbers(new: np.ndarray, old: np.ndarray) -> tuple[float, float, str]:
    from scipy.stats import ks_2samp

    method = "exact" if len(new) * len(old) <= _MAX_EXACT else "asymp"
    statistic, p_value = ks_2samp(new, old, method=method)
    middle, middle_old = (np.sort(x)[(len(x) - 1) // 2] for x in (new, old))
    text = f"median {middle:.4g}, in training {middle_old:.4g}"
    return float(statistic), float(p_value), text


def _test_categories(
    categories: Any, new: np.ndarray, old: np.ndarray
) -> tuple[float, float, str]:
    from scipy.stats import chi2_contingency, fisher_exact

    n = len(categories)
    counts = np.stack([np.bincount(x.astype(np.intp), minlength=n) for x in (new, old)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    most = int(np.argmax(np.abs(shares[0] - shares[1])))
    value = categories[most]
    name = "missing" if pd.isna(value) else f"“{shorten(str(value), _MAX_NAME)}”"
    text = (
        f"{name} {_percent(shares[0, most])}, in training {_percent(shares[1, most])}"
    )
    table = _pooled(counts)
    if table.shape[1] < 2:
        return 0.0, 1.0, text
    statistic, p_value, *_ = chi2_contingency(table, correction=False)
    if table.shape[1] == 2:
        p_value = fisher_exact(table)[1]
    return float(statistic), float(p_value), text


def _pooled(counts: np.ndarray) -> np.ndarray:
    """Return counts with the rarest categories as one, so that enough are expected."""
    total = counts.sum(axis=0)
    order = np.argsort(total, kind="stable")
    expected = total[order] * counts.sum(axis=1).min() / total.sum()
    n_rare = np.searchsorted(expected, _LEAST_EXPECTED)
    if n_rare:  # with the next ones if these are too few together
        n_needed = np.searchsorted(np.cumsum(expected), _LEAST_EXPECTED) + 1
        n_rare = max(n_rare, n_needed)
    rare, others = order[:n_rare], order[n_rare:]
    pooled = counts[:, rare].sum(axis=1, keepdims=True)
    table = np.hstack([counts[:, others], pooled])
    return table[:, table.any(axis=0)]


def _test_missing(new: np.ndarray, old: np.ndarray) -> tuple[float, float, str]:
    """Compare shares of missing cells; the statistic is their difference."""
    from scipy.stats import fisher_exact

    is_missing = [np.isnan(x) for x in (new, old)]
    share, share_old = (float(x.mean()) for x in is_missing)
    table = [[int(x.sum()), int((~x).sum())] for x in is_missing]
    text = f"missing {_percent(share)}, in training {_percent(share_old)}"
    return share - share_old, float(fisher_exact(table)[1]), text


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"
