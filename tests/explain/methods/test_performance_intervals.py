import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from skdnn.explain._methods.performance_classes import class_scores
from skdnn.explain._methods.performance_intervals import (
    auc_interval,
    auc_probability,
    auc_variance,
    f1_interval,
    mean_interval,
    share_difference,
    share_probability,
)
from skdnn.explain._methods.performance_scores import Score, wilson


def test_ends_of_the_auc_are_1_96_of_their_own_errors_away():
    low, high = auc_interval(0.8, 20, 35)
    assert 0 < low < 0.8 < high < 1
    for end in (low, high):
        error = auc_variance(end, 20, 35) ** 0.5
        assert abs(end - 0.8) / error == pytest.approx(1.959964)


def test_variance_of_the_auc_is_that_of_hanley_and_mcneil_for_equal_numbers():
    area, n = 0.7, 25
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    expected = area * (1 - area) + (n - 1) * (q1 + q2 - 2 * area**2)
    assert auc_variance(area, n, n) == pytest.approx(expected / n**2)


def test_perfect_and_worst_rankings_are_not_certain():
    low, high = auc_interval(1.0, 10, 10)
    assert 0.7 < low < 0.95
    assert high == 1
    assert auc_interval(0.0, 10, 10) == pytest.approx((1 - high, 1 - low))
    assert f1_interval(8, 8)[0] < 0.9
    assert f1_interval(0, 8)[1] > 0.2


def test_f1_is_a_function_of_the_share_of_true_positives():
    truth = np.array([1, 1, 1, 0, 0, 1, 0, 1])
    named = np.array([1, 0, 1, 1, 0, 1, 0, 1])
    either = ((truth + named) > 0).sum()
    share = (truth * named).sum() / either
    assert 2 * share / (1 + share) == pytest.approx(f1_score(truth, named))
    low, high = f1_interval((truth * named).sum(), either)
    assert low < f1_score(truth, named) < high


def test_difference_of_shares_is_that_of_newcombe():
    # Newcombe (1998), Interval estimation for the difference, table II (a), method 10
    a, b = Score(56 / 70, *wilson(56, 70)), Score(48 / 80, *wilson(48, 80))
    assert share_difference(a, b) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_probability_of_equal_shares_by_hand():
    # all tables with these margins that are no more probable: 3 of 4 against 0 of 3
    weights = {k: stats.hypergeom(7, 3, 4).pmf(k) for k in range(4)}
    expected = sum(w for w in weights.values() if w <= weights[3] + 1e-12)
    assert share_probability(3, 4, 0, 3) == pytest.approx(expected)
    assert share_probability(5, 10, 50, 100) == 1


def test_equal_areas_are_not_told_apart_and_others_are():
    assert auc_probability(0.8, (30, 30), 0.8, (50, 20)) == 1
    assert auc_probability(0.9, (200, 200), 0.6, (200, 200)) < 1e-6
    assert auc_probability(1.0, (20, 20), 1.0, (20, 20)) == 1
    p = auc_probability(0.85, (40, 40), 0.75, (40, 40))
    error = (2 * auc_variance(0.8, 40, 40)) ** 0.5
    assert p == pytest.approx(2 * stats.norm.sf(0.1 / error))


def test_mean_is_that_of_students_t():
    values = np.random.default_rng(0).normal(size=12)
    score, variance, df = mean_interval(values, np.ones(12))
    expected = stats.t(11, values.mean(), stats.sem(values)).interval(0.95)
    assert (score.low, score.high) == pytest.approx(expected)
    assert (variance, df) == pytest.approx((stats.sem(values) ** 2, 11))
    alone, variance, _ = mean_interval(values[:1], np.ones(1))
    assert (alone.value, alone.low) == (values[0], None)
    assert np.isnan(variance)


def test_intervals_cover_the_true_scores_about_as_often_as_stated():
    rng = np.random.default_rng(1)

    def draw(n):
        codes = (rng.random(n) < 0.3).astype(int)
        odds = rng.normal(size=n) + 2 * codes - 1.5
        p = 1 / (1 + np.exp(-odds))
        return codes, np.column_stack([1 - p, p])

    codes, proba = draw(200_000)
    named = proba.argmax(axis=1)
    true = {
        "precision": codes[named == 1].mean(),
        "recall": named[codes == 1].mean(),
        "specificity": 1 - named[codes == 0].mean(),
        "f1": f1_score(codes, named),
        "prevalence": codes.mean(),
        "roc_auc": roc_auc_score(codes, proba[:, 1]),
        "average_precision": average_precision_score(codes, proba[:, 1]),
    }
    covered = dict.fromkeys(true, 0)
    for _ in range(400):
        codes, proba = draw(80)
        scores = class_scores(codes, proba, proba.argmax(axis=1), np.ones(80))
        for k, name, score, _ in scores:
            if k == 1:
                covered[name] += score.low <= true[name] <= score.high
    assert all(368 <= hits <= 400 for hits in covered.values()), covered
