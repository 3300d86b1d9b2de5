import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from skdnn.explain._methods.performance_scores import (
    SCORES,
    baseline,
    choose_rows,
    difference,
    measure,
    reliability,
    wilson,
)


def _predictions(n_samples, n_classes, seed=0, digits=2):
    """Return labels and coarse probabilities, so that there are ties."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_classes, n_samples)
    proba = (
        rng.dirichlet(np.ones(n_classes), n_samples) + 0.3 * np.eye(n_classes)[codes]
    )
    proba = np.round(proba / proba.sum(1, keepdims=True), digits) + 1e-9
    return codes, proba / proba.sum(1, keepdims=True)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_scores_are_those_of_scikit_learn(n_classes):
    codes, proba = _predictions(300, n_classes)
    scores = {name: s.value for name, s in measure(codes, proba).scores.items()}
    predicted = proba.argmax(1)
    area = proba[:, 1] if n_classes == 2 else proba
    assert scores["accuracy"] == metrics.accuracy_score(codes, predicted)
    assert scores["balanced_accuracy"] == pytest.approx(
        metrics.balanced_accuracy_score(codes, predicted)
    )
    assert scores["log_loss"] == pytest.approx(metrics.log_loss(codes, proba))
    assert scores["brier_score"] == pytest.approx(metrics.brier_score_loss(codes, area))
    assert scores["roc_auc"] == pytest.approx(
        metrics.roc_auc_score(codes, area, multi_class="ovr")
    )
    assert (
        measure(codes, proba).confusion == metrics.confusion_matrix(codes, predicted)
    ).all()


def test_draws_are_the_scores_of_the_drawn_rows():
    codes, proba = _predictions(40, 3)
    performance = measure(codes, proba, random_state=5, n_draws=200)
    counts = np.random.default_rng(5).multinomial(40, np.full(40, 1 / 40), 200)
    for draw in (0, 17, 199):
        rows = np.repeat(np.arange(40), counts[draw])
        again = measure(codes[rows], proba[rows], n_draws=200).scores
        for name in SCORES:
            expected = again[name].value
            assert performance.draws[name][draw] == pytest.approx(expected), name


def test_interval_covers_the_truth_about_as_often_as_stated():
    rng = np.random.default_rng(0)
    truth, covered = {"log_loss": None, "accuracy": None}, {}
    codes, proba = _predictions(20_000, 3, digits=6)
    everything = measure(codes, proba, n_draws=200).scores
    for name in truth:
        inside = 0
        for _ in range(100):
            rows = rng.integers(0, len(codes), 60)
            score = measure(codes[rows], proba[rows], n_draws=200).scores[name]
            inside += score.low <= everything[name].value <= score.high
        covered[name] = inside
    assert all(88 <= hits <= 100 for hits in covered.values()), covered


def test_calibration_error_by_hand():
    proba = np.array([[0.95, 0.05], [0.95, 0.05], [0.35, 0.65], [0.35, 0.65]])
    codes = np.array([0, 1, 1, 1])
    value = measure(codes, proba).scores["calibration_error"].value
    assert value == pytest.approx(0.5 * abs(0.95 - 0.5) + 0.5 * abs(0.65 - 1.0))


def test_calibration_error_has_fifteen_bins():
    codes, proba = _predictions(500, 3, digits=6)
    confidence, correct = proba.max(axis=1), proba.argmax(axis=1) == codes
    index = np.digitize(confidence, np.arange(1, 15) / 15)
    bins = pd.DataFrame({"p": confidence, "hit": correct}).groupby(index)
    gaps = (bins["p"].mean() - bins["hit"].mean()).abs()
    performance = measure(codes, proba)
    value = performance.scores["calibration_error"].value
    assert value == pytest.approx((gaps * bins.size()).sum() / 500)
    drawn = [(b.n, b.predicted, b.observed) for b in performance.reliability]
    assert len(drawn) == len(bins) > 5
    expected = np.column_stack([bins.size(), bins["p"].mean(), bins["hit"].mean()])
    assert np.array(drawn) == pytest.approx(expected)


def test_interval_of_the_calibration_error_is_not_moved_up_by_resampling():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.5, 1, 100)
    codes = (rng.random(100) > p).astype(int)
    score = measure(codes, np.column_stack([p, 1 - p])).scores["calibration_error"]
    assert 0 <= score.low <= score.value <= score.high


def test_no_error_is_not_certainty():
    codes = np.arange(30) % 3
    scores = measure(codes, 0.9 * np.eye(3)[codes] + 0.1 / 3).scores
    assert scores["accuracy"].value == 1
    assert 0.8 < scores["accuracy"].low < 0.95
    assert scores["balanced_accuracy"].low < 0.95
    assert scores["roc_auc"].value == 1
    assert scores["roc_auc"].low is None


def test_predicted_classes_may_differ_from_the_most_probable():
    codes, proba = _predictions(50, 2)
    shifted = (proba[:, 1] > 0.2).astype(int)
    performance = measure(codes, proba, predicted=shifted)
    assert performance.scores["accuracy"].value == np.mean(shifted == codes)
    assert performance.confusion[:, 1].sum() == shifted.sum()


def test_a_class_without_rows_and_a_table_of_one_class():
    codes, proba = _predictions(60, 4)
    kept = codes != 2
    performance = measure(codes[kept], proba[kept])
    assert performance.confusion[2].sum() == 0
    assert all(np.isfinite(s.value) for s in performance.scores.values())
    alone = measure(np.zeros(5, dtype=int), np.tile([0.7, 0.3], (5, 1))).scores
    assert alone["roc_auc"].value is None
    assert alone["log_loss"].value == pytest.approx(-np.log(0.7))


def test_equal_seeds_give_equal_draws_and_others_do_not():
    codes, proba = _predictions(50, 3)
    first, again, other = (measure(codes, proba, random_state=s) for s in (1, 1, 2))
    for name in SCORES:
        assert (first.draws[name] == again.draws[name]).all()
    assert (first.draws["log_loss"] != other.draws["log_loss"]).any()


def test_difference_is_paired():
    codes, proba = _predictions(50, 3)
    performance = measure(codes, proba)
    score = difference(performance, performance, "accuracy")
    assert (score.value, score.low, score.high) == (0, 0, 0)


def test_baseline_predicts_the_shares():
    codes = np.array([0, 0, 0, 1])
    proba = baseline(codes, 3, np.ones(4))
    assert proba.tolist() == [[0.75, 0.25, 0]] * 4
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    scores = measure(codes, proba).scores
    assert scores["log_loss"].value == pytest.approx(entropy)
    assert scores["roc_auc"].value == 0.5
    assert scores["accuracy"].value == 0.75


def test_wilson_by_the_formula():
    low, high = wilson(8, 10)
    assert (low, high) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)


def test_reliability_leaves_out_empty_bins():
    bins = reliability(
        np.array([0.05, 0.95, 1.0]), np.array([False, True, True]), np.ones(3)
    )
    assert [b.n for b in bins] == [1, 2]
    assert bins[1].observed == 1
    assert bins[1].predicted == pytest.approx(0.975)


def test_weighted_scores_are_those_of_scikit_learn_and_of_repeated_rows():
    codes, proba = _predictions(120, 3)
    times = np.random.default_rng(0).integers(0, 4, 120)
    weighted = measure(codes, proba, weight=times / times.mean(), n_draws=200)
    rows = np.repeat(np.arange(120), times)
    repeated = measure(codes[rows], proba[rows], n_draws=200)
    for name in SCORES:
        value = weighted.scores[name].value
        assert value == pytest.approx(repeated.scores[name].value), name
    assert weighted.scores["log_loss"].value == pytest.approx(
        metrics.log_loss(codes, proba, sample_weight=times)
    )
    observed = [b.observed for b in weighted.reliability]
    assert observed == pytest.approx([b.observed for b in repeated.reliability])
    # rows that count twice are not twice the rows
    n = times.sum() ** 2 / (times**2).sum()
    accuracy = weighted.scores["accuracy"]
    assert (accuracy.low, accuracy.high) == pytest.approx(wilson(accuracy.value * n, n))
    assert (weighted.confusion == measure(codes, proba).confusion).all()
    equal = measure(codes, proba, weight=np.ones(120), n_draws=200)
    assert equal.scores == measure(codes, proba, n_draws=200).scores


def test_weighted_shares_are_the_baseline():
    proba = baseline(np.array([0, 1, 1]), 2, np.array([2.0, 0.5, 0.5]))
    assert proba.tolist() == [[2 / 3, 1 / 3]] * 3


class TestChooseRows:
    def test_reasons_fit_the_rows(self):
        codes, proba = _predictions(80, 3)
        predicted = proba.argmax(1)
        top = proba.max(1)
        chosen = {why: row for row, why in choose_rows(codes, proba, predicted)}
        right = codes == predicted
        assert top[chosen["the most confident correct prediction"]] == top[right].max()
        assert top[chosen["the most confident mistake"]] == top[~right].max()
        assert top[chosen["the most uncertain prediction"]] == top.min()
        assert len(set(chosen.values())) == len(chosen) <= 4

    def test_no_mistake_gives_more_classes(self):
        codes = np.arange(30) % 5
        proba = np.full((30, 5), 0.1) + 0.5 * np.eye(5)[codes]
        chosen = choose_rows(codes, proba, proba.argmax(1))
        assert len(chosen) == 4
        assert not any("mistake" in reason for _, reason in chosen)

    def test_one_row(self):
        chosen = choose_rows(np.array([0]), np.array([[0.2, 0.8]]), np.array([1]))
        assert chosen == [(0, "the most confident mistake")]
