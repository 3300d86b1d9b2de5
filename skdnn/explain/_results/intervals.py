"""Uncertainty of estimates: quantiles, adjusted p-values, ranges of ranks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

_LEAST = 1e-12  # of the largest variance; smaller ones are rounding


def t_quantile(level: float, df: Any = None) -> Any:
    """Return how many standard errors an interval reaches to either side.

    `df` are degrees of freedom (int or ndarray); None is the normal distribution.
    """
    from scipy.special import ndtri, stdtrit

    if not 0 < level < 1:
        raise ValueError(f"`level` must be between 0 and 1. Got {level!r}.")
    tail = (1 + level) / 2
    return ndtri(tail) if df is None else stdtrit(df, tail)


def freedom(variances: np.ndarray, dfs: Sequence[Any]) -> np.ndarray:
    """Return the degrees of freedom of a sum of variances (Satterthwaite, 1946).

    `variances`, of shape (n_parts, ...), are independent.
    """
    total = variances.sum(axis=0)
    shares = variances / np.where(total > 0, total, 1)
    parts = [share**2 / df for share, df in zip(shares, dfs, strict=True)]
    return np.asarray(1 / np.maximum(np.sum(parts, axis=0), _LEAST))


def t_probability(values: np.ndarray, errors: np.ndarray, df: Any) -> np.ndarray:
    """Return two-sided p-values of estimates under the hypothesis that they are 0.

    Without an error they are 1 for an estimate of 0, and 0 for any other.
    """
    from scipy.special import stdtr

    size = np.abs(values)
    known = errors > 0
    ratio = size / np.where(known, errors, 1)
    return np.where(known, 2 * stdtr(df, -ratio), np.where(size > 0, 0.0, 1.0))


def holm(probabilities: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for their number (Holm, 1979).

    The error rate holds for the whole family, under any dependence.
    """
    n = len(probabilities)
    order = np.argsort(probabilities, kind="stable")
    adjusted = np.empty(n)
    steps = probabilities[order] * np.arange(n, 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted


def rank_ranges(
    values: np.ndarray, covariances: np.ndarray, dfs: Sequence[Any], level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best and the worst rank of each estimate; the largest has rank 1.

    The ranges cover all true ranks at once with probability `level` (Mogstad et al.,
    2024, section 3). `covariances`, of shape (n_parts, n, n), are independent.
    """
    n = len(values)
    own = np.diagonal(covariances, axis1=1, axis2=2)
    parts = own[:, :, None] + own[:, None, :] - 2 * covariances
    # estimates that move together differ by rounding only
    parts = np.where(parts > _LEAST * own.max(), parts, 0)
    difference = values[:, None] - values
    errors = np.sqrt(parts.sum(axis=0))
    chance = t_probability(difference, errors, freedom(parts, dfs))
    pairs = np.triu_indices(n, 1)
    apart = np.zeros((n, n), dtype=bool)
    apart[pairs] = holm(chance[pairs]) < 1 - level
    apart |= apart.T
    best = 1 + (apart & (difference < 0)).sum(axis=1)
    worst = n - (apart & (difference > 0)).sum(axis=1)
    return best, worst
