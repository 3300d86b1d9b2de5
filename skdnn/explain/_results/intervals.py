"""How far numbers may be off: quantiles, adjusted probabilities, ranges of ranks."""

import numpy as np


def t_quantile(level: float, df=None):
    """Return how many standard errors an interval reaches to either side.

    Parameters
    ----------
    level : float
        Share of such intervals that hold the true value.
    df : int, ndarray or None
        Degrees of freedom of the standard errors; None is without end.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.

    Examples
    --------
    >>> round(float(t_quantile(0.95, 19)), 3)
    2.093
    """
    from scipy.special import ndtri, stdtrit

    if not 0 < level < 1:
        raise ValueError(f"`level` must be between 0 and 1. Got {level!r}.")
    tail = (1 + level) / 2
    return ndtri(tail) if df is None else stdtrit(df, tail)


def freedom(variances: np.ndarray, dfs) -> np.ndarray:
    """Return the degrees of freedom of a sum of variances.

    Satterthwaite (1946): the fewer, the more of the sum is known from few numbers.

    Parameters
    ----------
    variances : ndarray of shape (n_parts, ...)
        Estimates, independent of each other.
    dfs : sequence of ndarray or int, of length n_parts
        Degrees of freedom of each.
    """
    total = variances.sum(axis=0)
    shares = variances / np.where(total > 0, total, 1)
    parts = [share**2 / df for share, df in zip(shares, dfs, strict=True)]
    return 1 / np.maximum(np.sum(parts, axis=0), 1e-12)


def t_probability(values: np.ndarray, errors: np.ndarray, df) -> np.ndarray:
    """Return how probable numbers so far from 0 are, if the truth is 0 (two-sided).

    Where there is no error, 0 is certain (1) and any other value impossible (0).
    """
    from scipy.special import stdtr

    size = np.abs(values)
    known = errors > 0
    ratio = size / np.where(known, errors, 1)
    return np.where(known, 2 * stdtr(df, -ratio), np.where(size > 0, 0.0, 1.0))


def holm(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities adjusted for how many there are (Holm, 1979).

    If all below 0.05 are taken for real, the chance that any of them is not is 5% at
    most, however they hang together.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    n = len(probabilities)
    order = np.argsort(probabilities, kind="stable")
    adjusted = np.empty(n)
    steps = probabilities[order] * np.arange(n, 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted


def rank_ranges(
    values: np.ndarray, covariances: np.ndarray, dfs, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best and the worst rank that each number may have.

    A number stands before another if their difference is separated from 0, all pairs
    together: the ranges hold all true ranks at once in 95 of 100 cases (Mogstad et
    al., 2024, section 3), the largest number having rank 1.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Estimates.
    covariances : ndarray of shape (n_parts, n, n)
        Of the estimates, from independent causes.
    dfs : sequence of int, of length n_parts
        Degrees of freedom of each.
    level : float, default=0.95
        Chance that all ranges hold.

    Returns
    -------
    best, worst : ndarray of shape (n,), int
    """
    n = len(values)
    own = np.diagonal(covariances, axis1=1, axis2=2)
    parts = own[:, :, None] + own[:, None, :] - 2 * covariances
    # numbers that move as one differ by rounding alone
    parts = np.where(parts > 1e-12 * own.max(), parts, 0)
    difference = values[:, None] - values
    errors = np.sqrt(parts.sum(axis=0))
    chance = t_probability(difference, errors, freedom(parts, dfs))
    pairs = np.triu_indices(n, 1)
    apart = np.zeros((n, n), dtype=bool)
    apart[pairs] = holm(chance[pairs]) < 1 - level
    apart |= apart.T
    return 1 + (apart & (difference < 0)).sum(axis=1), n - (
        apart & (difference > 0)
    ).sum(axis=1)
