"""Scores of the mean of members on rows that some of them left out."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from skdnn._estimator.calibration import OutOfFoldScores, fold_of_rows


def scores_of(proba, y, rows=None, weight=None):
    """Return scores of members that left the given rows out; else all."""
    rows = rows or [np.arange(len(y))] * len(proba)
    weight = np.ones(len(y)) if weight is None else weight
    log_proba = [np.log(p) for p in proba]
    return OutOfFoldScores(rows, log_proba, y, weight, proba[0].shape[1])


def made_members(n_members, n=4000, seed=0):
    """Return probabilities that differ between members, and labels drawn near them."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(n, 1, 3))
    logits = truth + rng.normal(scale=0.7, size=(n, n_members, 3))
    proba = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    true = np.exp(truth[:, 0]) / np.exp(truth[:, 0]).sum(axis=1, keepdims=True)
    y = (rng.uniform(size=(n, 1)) > np.cumsum(true, axis=1)).sum(axis=1).clip(0, 2)
    return list(np.moveaxis(proba, 1, 0)), y


def test_all_members_unseen_is_the_log_loss_of_their_mean():
    proba, y = made_members(3)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    scores = scores_of(proba, y, weight=weight)
    mean = np.mean(proba, axis=0)
    assert scores.loss() == pytest.approx(log_loss(y, mean, sample_weight=weight))
    assert scores.accuracy() == pytest.approx(
        accuracy_score(y, mean.argmax(axis=1), sample_weight=weight)
    )


def test_two_of_eight_tell_the_loss_of_all_eight():
    proba, y = made_members(8)
    rng = np.random.default_rng(1)
    folds = [rng.permutation(len(y)) % 4 for _ in range(2)]
    rows = [np.flatnonzero(folds[i // 4] == i % 4) for i in range(8)]
    scores = scores_of([p[r] for p, r in zip(proba, rows, strict=True)], y, rows)
    of_all = log_loss(y, np.mean(proba, axis=0))
    mean = np.zeros_like(proba[0])
    for own, left_out in zip(proba, rows, strict=True):
        mean[left_out] += own[left_out] / 2
    of_two = log_loss(y, mean)
    assert of_two > of_all + 0.02
    assert scores.loss() == pytest.approx(of_all, abs=0.01)


def test_rows_that_all_have_seen_do_not_count():
    proba, y = made_members(2, n=100)
    rows = [np.arange(50)] * 2
    scores = scores_of([p[:50] for p in proba], y, rows)
    assert scores.loss() == pytest.approx(log_loss(y[:50], np.mean(proba, axis=0)[:50]))
    expected = accuracy_score(y[:50], np.mean(proba, axis=0)[:50].argmax(axis=1))
    assert scores.accuracy() == pytest.approx(expected)


def test_blocks_give_what_all_rows_at_once_give(monkeypatch):
    proba, y = made_members(4, n=300)
    rng = np.random.default_rng(2)
    rows = [np.flatnonzero(rng.uniform(size=300) < 0.5) for _ in range(4)]
    own = [p[r] for p, r in zip(proba, rows, strict=True)]
    weight = rng.uniform(0.5, 2, 300)

    def figures():
        scores = scores_of(own, y, rows, weight)
        return scores.loss(), scores.accuracy(), *vars(scores.reliability()).values()

    whole = figures()
    monkeypatch.setattr("skdnn._estimator.calibration._BLOCK_CELLS", 21)
    assert figures() == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.8])
def test_inverse_temperature_undoes_a_power_of_probabilities(factor):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 3))
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = (rng.uniform(size=(len(proba), 1)) > np.cumsum(proba, axis=1)).sum(axis=1)
    powered = proba**factor / (proba**factor).sum(axis=1, keepdims=True)
    inverse_temperature = scores_of(
        [powered, powered], y.clip(0, 2)
    ).inverse_temperature()
    assert inverse_temperature == pytest.approx(1 / factor, rel=0.08)


def test_inverse_temperature_is_bounded_where_all_rows_are_right():
    y = np.arange(40) % 2
    proba = np.where(np.eye(2)[y] > 0, 0.7, 0.3)
    assert scores_of([proba, proba], y).inverse_temperature() <= np.exp(1.5) * (
        1 + 1e-9
    )


def test_folds_are_of_equal_sizes_and_classes():
    y = np.repeat([0, 1, 2], [40, 20, 8])
    folds = fold_of_rows(y, 4, np.random.RandomState(0))
    for fold in range(4):
        np.testing.assert_array_equal(np.bincount(y[folds == fold]), [10, 5, 2])
    rare = np.repeat([0, 1, 3], [40, 2, 6])  # a class that cannot be in each
    folds = fold_of_rows(rare, 4, np.random.RandomState(0))
    np.testing.assert_array_equal(np.bincount(folds), [12] * 4)
