import math

import numpy as np
import pytest

from skdnn.explain._methods.paired_accuracy import accuracy_difference


def rows(both, first, second, neither):
    """Return who is right in a table of that many rows of each kind."""
    right = [True] * (both + first) + [False] * (second + neither)
    other = [True] * both + [False] * first + [True] * second + [False] * neither
    return np.array(right), np.array(other)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        # Newcombe (1998), table III: method 10
        ((36, 12, 2, 0), 0.0569, 0.3404),
    ],
)
def test_published_intervals(counts, low, high):
    right, other = rows(*counts)
    score = accuracy_difference(right, other, np.ones(len(right)))
    assert score.value == pytest.approx(right.mean() - other.mean())
    assert (score.low, score.high) == pytest.approx((low, high), abs=2e-3)


def test_equal_predictions_have_an_interval():
    right = np.ones(50, dtype=bool)
    score = accuracy_difference(right, right, np.ones(50))
    assert score.value == 0
    assert score.low < 0 < score.high
    assert score.low == -score.high


def test_the_other_way_round_is_the_negative():
    right, other = rows(20, 9, 3, 4)
    weight = np.linspace(0.5, 1.5, len(right))
    one = accuracy_difference(right, other, weight)
    two = accuracy_difference(other, right, weight)
    assert (one.low, one.high) == pytest.approx((-two.high, -two.low))


@pytest.mark.parametrize(("p_both", "p_first"), [(0.9, 0.04), (0.6, 0.2)])
def test_coverage(p_both, p_first):
    rng = np.random.default_rng(0)
    p_second = 0.03
    truth, n_covered, n_draws = p_first - p_second, 0, 1000
    for _ in range(n_draws):
        p = [p_both, p_first, p_second, 1 - p_both - p_first - p_second]
        right, other = rows(*rng.multinomial(80, p))
        score = accuracy_difference(right, other, np.ones(80))
        n_covered += score.low <= truth <= score.high
    error = 3 * math.sqrt(0.95 * 0.05 / n_draws)
    assert n_covered / n_draws == pytest.approx(0.95, abs=error + 0.015)
