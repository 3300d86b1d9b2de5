"""95% intervals over rows that do not collapse where a score is 0 or 1, and tests.

Sizes may be fractions: the number of equally weighted rows that are as precise.
"""

import numpy as np

from skdnn.explain._methods.performance_scores import Score, wilson
from skdnn.explain._results.intervals import t_probability, t_quantile

_Z = 1.959963984540054  # the 97.5% quantile of the normal distribution
_N_HALVINGS = 50


def f1_interval(hits: float, n: float) -> tuple[float, float]:
    """Return the interval of an F1 score.

    `hits` are the true positives among the `n` rows that are of the class or predicted
    to be. Their share is a proportion, and F1 = 2 share / (1 + share) rises with it.
    """
    low, high = (2 * share / (1 + share) for share in wilson(hits, n))
    return low, high


def auc_variance(area: float, n_in: float, n_out: float) -> float:
    """Return the variance of a ROC AUC (Hanley and McNeil, 1982, as in `auc_interval`).

    `n_in` and `n_out` are the numbers of rows of the class and of the others.
    """
    both = (n_in + n_out) / 2 - 1
    factor = 1 + both * (1 - area) / (2 - area) + both * area / (1 + area)
    return area * (1 - area) * factor / (n_in * n_out)


def auc_interval(area: float, n_in: float, n_out: float) -> tuple[float, float]:
    """Return the interval of a ROC AUC (Newcombe, 2006, method 5).

    It holds the areas that differ from the one measured by at most 1.96 of their own
    standard errors, so that a perfect ranking of a few rows is not certain.
    """

    def end(outer: float) -> float:
        inner = area
        for _ in range(_N_HALVINGS):
            middle = (inner + outer) / 2
            reach = _Z**2 * auc_variance(middle, n_in, n_out)
            if (area - middle) ** 2 <= reach:
                inner = middle
            else:
                outer = middle
        return inner

    return end(0.0), end(1.0)


def share_difference(a: Score, b: Score) -> tuple[float, float]:
    """Return the interval of ``a - b`` of independent scores with intervals (MOVER).

    Zou and Donner (2008), Construction of confidence limits about effect measures.
    """
    values = [a.value, a.low, a.high, b.value, b.low, b.high]
    v, v_low, v_high, w, w_low, w_high = (np.nan if x is None else x for x in values)
    low = v - w - np.hypot(v - v_low, w_high - w)
    high = v - w + np.hypot(v_high - v, w - w_low)
    return float(low), float(high)


def share_probability(
    hits: float, n: float, other_hits: float, other_n: float
) -> float:
    """Return the p-value of equal shares by Fisher's exact test, in whole rows."""
    from scipy.stats import fisher_exact

    size, other_size = max(1, round(n)), max(1, round(other_n))
    inside, outside = round(hits * size / n), round(other_hits * other_size / other_n)
    table = [[inside, size - inside], [outside, other_size - outside]]
    return float(fisher_exact(table)[1])


def auc_probability(
    area: float, sizes: tuple[float, float], other: float, others: tuple[float, float]
) -> float:
    """Return the p-value of equal areas: a score test with the variance of one area."""
    weight, other_weight = (n * m / (n + m) for n, m in (sizes, others))
    common = (weight * area + other_weight * other) / (weight + other_weight)
    variance = auc_variance(common, *sizes) + auc_variance(common, *others)
    p = t_probability(np.array(area - other), np.array(variance**0.5), np.inf)
    return float(p)


def mean_interval(values: np.ndarray, weight: np.ndarray) -> tuple[Score, float, float]:
    """Return a weighted mean with its Student's t interval, its variance and freedom.

    Of a single row there is no interval, and the variance is NaN.
    """
    total = weight.sum()
    mean = float(weight @ values / total)
    n = float(total**2 / (weight**2).sum())
    if n <= 1 + 1e-9:
        return Score(mean), np.nan, np.nan
    spread = float((weight**2) @ (values - mean) ** 2) / total**2 * n / (n - 1)
    reach = float(t_quantile(0.95, n - 1)) * spread**0.5
    return Score(mean, mean - reach, mean + reach), spread, n - 1
