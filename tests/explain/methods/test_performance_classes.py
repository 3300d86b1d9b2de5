import numpy as np
import pytest
from sklearn import metrics

from skdnn.explain._methods.performance_classes import class_scores, rank
from skdnn.explain._methods.performance_scores import wilson


def _predictions(n, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_classes, n)
    proba = rng.dirichlet(np.ones(n_classes), n) + 0.4 * np.eye(n_classes)[codes]
    proba = np.round(proba / proba.sum(axis=1, keepdims=True), 2)
    predicted = (proba * rng.uniform(0.5, 1.5, n_classes)).argmax(axis=1)
    return codes, proba, predicted, rng.integers(0, 4, n).astype(float)


def _scores(*given):
    return {(k, name): score for k, name, score, _ in class_scores(*given)}


@pytest.mark.parametrize("n_classes", [2, 3, 26])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_scores_are_those_of_scikit_learn(n_classes, is_weighted):
    codes, proba, predicted, weight = _predictions(400, n_classes)
    weight = weight if is_weighted else np.ones(400)
    scores = _scores(codes, proba, predicted, weight)
    known = {"sample_weight": weight}
    each = metrics.precision_recall_fscore_support(
        codes, predicted, labels=range(n_classes), zero_division=np.nan, **known
    )
    for k in range(n_classes):
        is_in = codes == k
        expected = {
            "precision": each[0][k],
            "recall": each[1][k],
            "f1": each[2][k],
            "specificity": metrics.recall_score(~is_in, predicted != k, **known),
            "prevalence": each[3][k] / len(codes)
            if not is_weighted
            else weight[is_in].sum() / weight.sum(),
            "roc_auc": metrics.roc_auc_score(is_in, proba[:, k], **known),
            "average_precision": metrics.average_precision_score(
                is_in, proba[:, k], **known
            ),
        }
        for name, value in expected.items():
            score = scores[k, name]
            assert score.value == pytest.approx(value), name
            assert score.low <= score.value <= score.high
            assert score.low < score.high


def test_intervals_of_shares_are_wilsons():
    codes, proba, predicted, _ = _predictions(50, 3)
    score = _scores(codes, proba, predicted, np.ones(50))[1, "recall"]
    of_class = codes == 1
    hits = (predicted[of_class] == 1).sum()
    assert (score.low, score.high) == pytest.approx(wilson(hits, of_class.sum()))


def test_scores_without_rows_are_unknown():
    codes = np.array([0, 0, 1, 1])
    proba = np.array([[0.9, 0.1, 0], [0.8, 0.2, 0], [0.3, 0.7, 0], [0.6, 0.4, 0]])
    scores = _scores(codes, proba, proba.argmax(axis=1), np.ones(4))
    unknown = {name for (k, name), score in scores.items() if score.value is None}
    assert unknown == {"precision", "recall", "f1", "roc_auc", "average_precision"}
    assert all(scores[2, name].value is None for name in unknown)
    assert scores[2, "prevalence"].high > 0.3
    assert scores[2, "specificity"].value == 1


def test_perfect_scores_are_not_certain():
    codes = np.arange(20) % 2
    proba = 0.8 * np.eye(2)[codes] + 0.1
    for score in _scores(codes, proba, codes, np.ones(20)).values():
        assert score.high - score.low > 0.1


def test_ranking_adds_up_ties_and_weights():
    ranking = rank(
        np.array([0.2, 0.7, 0.7, 0.1]),
        np.array([True, True, False, False]),
        np.array([1.0, 2.0, 0.5, 3.0]),
    )
    assert ranking.thresholds.tolist() == [0.7, 0.2, 0.1]
    assert ranking.hits.tolist() == [2, 3, 3]
    assert ranking.misses.tolist() == [0.5, 0.5, 3.5]
    assert (ranking.n_hits + ranking.n_misses).tolist() == [2, 3, 4]
