import numpy as np
import pytest
from scipy import stats

from skdnn.explain._results.intervals import (
    freedom,
    holm,
    rank_ranges,
    t_probability,
    t_quantile,
)


def test_quantiles_are_those_of_scipy():
    assert t_quantile(0.95, 7) == pytest.approx(stats.t.ppf(0.975, 7))
    assert t_quantile(0.9) == pytest.approx(stats.norm.ppf(0.95))
    with pytest.raises(ValueError, match=r"between 0 and 1\. Got 95"):
        t_quantile(95)


def test_freedom_of_a_sum():
    # equal variances of equal samples are the two-sample t test: twice the freedom
    assert freedom(np.array([[2.0], [2.0]]), [9, 9])[0] == pytest.approx(18)
    # one cause alone has its own
    np.testing.assert_allclose(freedom(np.array([[0.0], [3.0]]), [99, 19]), [19])


def test_probabilities():
    p_values = t_probability(np.array([1.5, 0.0, 2.0]), np.array([0.5, 0, 0]), 10)
    np.testing.assert_allclose(p_values, [2 * stats.t.sf(3, 10), 1, 0])


def test_holm_by_hand():
    # 0.01 * 4, then 0.02 * 3, 0.03 * 2 and 0.04 * 1, which may not fall
    p_values = np.array([0.04, 0.01, 0.03, 0.02])
    np.testing.assert_allclose(holm(p_values), [0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.5, 0.9])).tolist() == [1, 1]


def test_separated_ranks_and_ties():
    values = np.array([3.0, 1.0, 1.1, 0.0])
    covariances = np.diag(np.full(4, 0.01))[None]
    best, worst = rank_ranges(values, covariances, [100])
    assert best.tolist() == [1, 2, 2, 4]
    assert worst.tolist() == [1, 3, 3, 4]


def test_correlated_estimates_are_separated_by_their_difference():
    values, together = np.array([1.0, 1.1]), np.ones((1, 2, 2))
    together[0] += np.eye(2) * 1e-4
    assert rank_ranges(values, together, [50])[1].tolist() == [2, 1]
    assert rank_ranges(values, np.eye(2)[None], [50])[1].tolist() == [2, 2]


def test_equal_estimates_are_tied_without_errors():
    best, worst = rank_ranges(np.zeros(3), np.zeros((1, 3, 3)), [10])
    assert (best.tolist(), worst.tolist()) == ([1] * 3, [3] * 3)


def test_all_ranges_cover_at_once():
    truth, rng = np.array([3.0, 2.0, 2.0, 1.0, 0.0]), np.random.default_rng(0)
    held = 0
    for _ in range(400):
        drawn = truth + 0.5 * rng.normal(size=5)
        best, worst = rank_ranges(drawn, 0.25 * np.eye(5)[None], [10**6])
        # equal truths have either rank
        low, high = np.array([1, 2, 2, 4, 5]), np.array([1, 3, 3, 4, 5])
        held += ((best <= low) & (worst >= high)).all()
    assert held / 400 >= 0.93
