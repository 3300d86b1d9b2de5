"""The difference of two accuracies on the same rows, with an interval."""

import math

import numpy as np

from skdnn.explain._methods.performance_scores import Score, wilson
from skdnn.explain._model.labels import effective_rows


def accuracy_difference(
    right: np.ndarray, other_right: np.ndarray, weight: np.ndarray
) -> Score:
    """Subtract the accuracy of another classifier, with a 95% interval over rows.

    `right` and `other_right` state which rows are predicted correctly. The interval is
    that of Newcombe (1998, Improved confidence intervals for the difference between
    binomial proportions based on paired data, method 10): unlike a bootstrap, it has a
    width where both classifiers are always correct, or never differ.
    """
    total, n = float(weight.sum()), effective_rows(weight)
    share = {
        (a, b): float(weight[(right == a) & (other_right == b)].sum()) / total
        for a in (False, True)
        for b in (False, True)
    }
    p = share[True, True] + share[True, False]
    q = share[True, True] + share[False, True]
    low_p, high_p = wilson(min(p * n, n), n)
    low_q, high_q = wilson(min(q * n, n), n)
    phi = _correlation(share, n)
    down = _distance(p - low_p, high_q - q, phi)
    up = _distance(high_p - p, q - low_q, phi)
    return Score(p - q, p - q - down, p - q + up)


def _distance(a: float, b: float, phi: float) -> float:
    return math.sqrt(max(0.0, a * a - 2 * phi * a * b + b * b))


def _correlation(share: dict[tuple[bool, bool], float], n: float) -> float:
    """Return the correlation of both being correct, with continuity correction."""
    both, neither = n * share[True, True], n * share[False, False]
    first, second = n * share[True, False], n * share[False, True]
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    if margins <= 0:
        return 0.0
    covariance = both * neither - first * second
    if covariance > 0:
        covariance = max(covariance - n / 2, 0.0)
    return covariance / math.sqrt(margins)
