"""Thresholds of prediction sets, and the rows that they are computed from."""

import numpy as np
import pytest

from skdnn._estimator.conformal import ConformityScores, LeftOut, conformity_scores
from skdnn._tabular.dataset import Dataset
from skdnn._tabular.validation import TrainingData


def thresholds(proba, level, y=None, weight=None, by_class=False):
    y = np.zeros(len(proba), int) if y is None else y
    scores = ConformityScores(np.asarray(proba, float), y, weight)
    return scores.thresholds(level, int(y.max(initial=0)) + 1, by_class=by_class)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.8, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("n", [1, 8, 9, 10, 19, 100])
def test_the_threshold_is_that_of_split_conformal_prediction(n, level):
    # the ceil((n + 1) level)-th smallest of the scores 1 - p (Lei et al., 2018)
    proba = np.random.default_rng(n).random(n)
    k = int(np.ceil(round((n + 1) * level, 9)))
    expected = 1 - np.sort(1 - proba)[k - 1] if k <= n else 0
    assert thresholds(proba, level)[0] == pytest.approx(expected, rel=2e-5)


def test_rows_that_are_alike_belong_to_the_threshold():
    proba = np.full(50, 0.3)
    least = thresholds(proba, 0.9)[0]
    assert least < 0.3 < least + 1e-5
    assert np.float32(0.3) * (1 - 3e-7) > least  # rounded otherwise


def test_no_row_and_few_rows_give_all_classes():
    assert thresholds(np.empty(0), 0.5)[0] == 0
    assert thresholds([0.9] * 8, 0.9)[0] == 0
    assert thresholds([0.9] * 9, 0.9)[0] > 0.89


def test_equal_weights_change_nothing_and_scale_does_not_matter():
    proba = np.random.default_rng(0).random(73)
    for scale in (1, 0.01, 300):
        weight = np.full(73, float(scale))
        np.testing.assert_array_equal(
            thresholds(proba, 0.8, weight=weight), thresholds(proba, 0.8)
        )


def test_a_weight_is_a_number_of_rows():
    rng = np.random.default_rng(0)
    proba, weight = rng.random(400), rng.integers(1, 4, 400)
    got = thresholds(proba, 0.9, weight=weight.astype(float))[0]
    # slowly: the largest value that the share reaches, of all that occur
    for value in np.sort(proba)[::-1]:
        reached = weight[proba >= value].sum()
        if reached >= 0.9 * weight.sum() * (1 + 1 / 400):
            break
    assert got == pytest.approx(value, rel=2e-5)


def test_each_class_by_itself():
    rng = np.random.default_rng(0)
    y, weight = rng.integers(0, 3, 200), rng.random(200) + 0.5
    proba = rng.random(200) ** (1 + y)
    got = thresholds(proba, 0.9, y, weight, by_class=True)
    expected = [
        thresholds(proba[y == c], 0.9, weight=weight[y == c])[0] for c in range(3)
    ]
    np.testing.assert_array_equal(got, expected)
    assert got[0] > got[1] > got[2]
    assert (thresholds(proba, 0.9, y, weight) == got).sum() == 0


def data(n, *, weight=None, factors=None, validation=None):
    y = np.arange(n, dtype=np.int32) % 2
    weight = np.ones(n) if weight is None else weight
    rows = Dataset(np.zeros((n, 1)), y, weight)
    return TrainingData(None, np.array(["a", "b"]), rows, validation, factors)


def test_a_row_is_scored_by_the_mean_of_those_that_left_it_out():
    first = LeftOut(np.array([0, 1, 4]), np.array([0.2, 0.4, 0.5]))
    second = LeftOut(np.array([1, 3]), np.array([0.8, 0.1]))
    scores = conformity_scores(data(6), [first, None, second])
    np.testing.assert_allclose(scores.proba, [0.2, 0.6, 0.1, 0.5])
    assert scores.y.tolist() == [0, 1, 1, 0]
    assert scores.weight is None
    assert conformity_scores(data(6), [None, None]) is None


def test_scores_are_those_of_new_rows_if_all_networks_score_all_rows():
    every = LeftOut(np.arange(6), np.full(6, 0.5))
    some = LeftOut(np.arange(4), np.full(4, 0.5))
    assert conformity_scores(data(6), [every]).is_split
    assert conformity_scores(data(6), [every, every]).is_split
    assert conformity_scores(data(6), [some, some]).is_split
    assert not conformity_scores(data(6), [every, some]).is_split
    assert not conformity_scores(data(6), [every, None]).is_split
    by_few = LeftOut(np.arange(6), np.full(6, 0.5), is_by_all=False)
    assert not conformity_scores(data(6), [by_few]).is_split


def test_weights_are_without_those_of_the_classes():
    own, factors = np.array([1.0, 2, 3, 0, 5, 6]), np.array([0.25, 4.0])
    every = LeftOut(np.arange(6), np.full(6, 0.5))
    weighted = data(6, weight=own * factors[np.arange(6) % 2], factors=factors)
    scores = conformity_scores(weighted, [every])
    np.testing.assert_allclose(scores.weight, [1, 2, 3, 5, 6])
    # a class of factor 0 is not trained on, and its rows do not count
    none = data(6, weight=own * np.tile([1, 0], 3), factors=np.array([1.0, 0.0]))
    np.testing.assert_allclose(conformity_scores(none, [every]).weight, [1, 3, 5])


def test_validation_rows_given_to_fit_count_alike():
    rows = Dataset(np.zeros((3, 1)), np.array([1, 1, 0]), np.array([0.5, 0.5, 2]))
    every = LeftOut(np.arange(3), np.array([0.1, 0.2, 0.3]))
    scores = conformity_scores(data(6, validation=rows), [every])
    assert scores.weight is None
    assert scores.y.tolist() == [1, 1, 0]


def coverage(level, n, n_splits, rng):
    """Return the mean share of sets that hold the class, without the predicted class.

    Scores are those of a model that is wrong, on rows that it was not fitted to.
    """
    shares = []
    for _ in range(n_splits):
        x = rng.normal(size=(n + 400, 1))
        p = 1 / (1 + np.exp(-2 * x))
        y = (rng.random((n + 400, 1)) < p).astype(int)[:, 0]
        q = np.hstack([1 - p, p]) ** 0.3 + 0.1 * rng.random((len(x), 2))
        true = q[np.arange(len(y)), y]
        least = thresholds(true[:n], level)
        shares.append((true[n:] >= least).mean())
    return np.mean(shares), np.std(shares) / n_splits**0.5


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("n", [25, 199])
def test_coverage_of_exchangeable_rows(level, n):
    # at least the level, and at most 1 / (n + 1) more (Vovk et al., 2005)
    mean, error = coverage(level, n, 400, np.random.default_rng(0))
    assert level - 3 * error < mean < level + 1 / (n + 1) + 3 * error
