import json

import numpy as np
import pandas as pd
import pytest
from optional import require
from sklearn import metrics
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.neighbors import KNeighborsClassifier

from skdnn import explain
from skdnn.explain._methods.performance_intervals import auc_interval

COSTS = {("ill", "healthy"): 5, ("healthy", "ill"): 1}


@pytest.fixture(scope="module")
def two():
    X, y = make_classification(300, 5, flip_y=0.2, random_state=0)
    X = pd.DataFrame(X, columns=list("abcde")).assign(
        where=np.array(["north", "south", None])[np.arange(300) % 3]
    )
    y = np.array(["healthy", "ill"])[y]
    return Numbers().fit(X[::2], y[::2]), X[1::2], y[1::2]


class Numbers(ClassifierMixin, BaseEstimator):
    """Logistic regression of the numeric columns."""

    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(self._numbers(X), y)
        self.classes_ = self.model_.classes_
        return self

    def _numbers(self, X):
        return X.drop(columns="where").to_numpy(float)

    def predict_proba(self, X):
        return self.model_.predict_proba(self._numbers(X))

    def predict(self, X):
        return self.model_.predict(self._numbers(X))


def _score(result, name, label=None):
    table = result.frame()
    of = table["class"].isna() if label is None else table["class"] == label
    return table[of & (table["score"] == name)].iloc[0]


def test_scores_are_those_of_scikit_learn(two):
    model, X, y = two
    result = explain.performance(model, X, y, random_state=0)
    proba = model.predict_proba(X)
    expected = {
        "accuracy": metrics.accuracy_score(y, model.predict(X)),
        "log_loss": metrics.log_loss(y, proba),
        "brier_score": metrics.brier_score_loss(y, proba[:, 1], pos_label="ill"),
        "roc_auc": metrics.roc_auc_score(y == "ill", proba[:, 1]),
    }
    for name, value in expected.items():
        row = _score(result, name)
        assert row["value"] == pytest.approx(value)
        assert row["ci_low"] < value < row["ci_high"]
        assert row["n_rows"] == 150
    n_in = (y == "ill").sum()
    row = _score(result, "roc_auc")
    ends = auc_interval(row["value"], n_in, 150 - n_in)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(ends)
    own = metrics.confusion_matrix(y, model.predict(X))
    assert (result.confusion.to_numpy() == own).all()
    assert result.confusion.loc["ill", "healthy"] == own[1, 0]
    assert result.positive == "ill"


def test_a_tuned_threshold_is_that_of_predict(two):
    model, X, y = two
    tuned = FixedThresholdClassifier(
        model, threshold=0.2, response_method="predict_proba"
    ).fit(X, y)
    result = explain.performance(tuned, X, y, costs=COSTS, random_state=0)
    own = metrics.confusion_matrix(y, tuned.predict(X))
    assert (result.confusion.to_numpy() == own).all()
    row = result.decisions.iloc[0]
    assert row["true_positives"] == own[1, 1]
    assert row["cost"] == pytest.approx((5 * own[1, 0] + own[0, 1]) / 150)
    assert _score(result, "accuracy")["value"] == pytest.approx(np.trace(own) / 150)
    assert result.abstention["accuracy"].iloc[-1] == pytest.approx(np.trace(own) / 150)


def test_least_expected_cost_follows_the_threshold_of_the_costs(two):
    model, X, y = two
    result = explain.performance(model, X, y, costs=COSTS, random_state=0)
    named = model.predict_proba(X)[:, 1] >= 1 / 6
    row = result.decisions.set_index("decision").loc["least expected cost"]
    assert row["true_positives"] == (named & (y == "ill")).sum()
    assert result.costs.loc["ill", "healthy"] == 5


def test_groups_of_a_column_and_of_values_beside_x(two):
    model, X, y = two
    result = explain.performance(model, X, y, by="where", random_state=0)
    assert list(dict.fromkeys(result.groups["group"])) == [
        "north", "south", "(missing)",
    ]  # fmt: skip
    beside = explain.performance(model, X, y, by=X["where"].to_numpy(), random_state=0)
    pd.testing.assert_frame_equal(result.differences, beside.differences)
    assert (result.by, beside.by) == ("where", "group")
    assert str(result.n_tested) in result.multiplicity
    accuracy = result.groups[result.groups["score"] == "accuracy"]
    assert accuracy["n_rows"].sum() == 150


@pytest.mark.parametrize("kind", ["polars", "pyarrow", "array"])
def test_other_containers(two, kind):
    _, X, y = two
    X = X.drop(columns="where")
    model = LogisticRegression().fit(X.to_numpy(), y)
    rows = X.to_numpy()
    if kind != "array":
        rows = require("polars").from_dict({c: X[c].to_numpy() for c in X})
        model = LogisticRegression().fit(X, y)
    if kind == "pyarrow":
        require("pyarrow")
        rows = rows.to_arrow()
        model = _Arrow(model)
    result = explain.performance(model, rows, y, by=1, random_state=0)
    expected = explain.performance(
        LogisticRegression().fit(X, y), X, y, by="b", random_state=0
    )
    np.testing.assert_allclose(result.table["value"], expected.table["value"])
    np.testing.assert_allclose(result.groups["value"], expected.groups["value"])
    assert list(result.groups["group"]) == list(expected.groups["group"])


class _Arrow:
    """A classifier that takes pyarrow's tables."""

    def __init__(self, model):
        self.model, self.classes_ = model, model.classes_

    def predict_proba(self, X):
        return self.model.predict_proba(X.to_pandas())


def test_equal_seeds_give_equal_results(two):
    model, X, y = two
    options = {"costs": COSTS, "by": "where"}
    first, again, other = (
        explain.performance(model, X, y, random_state=seed, **options)
        for seed in (1, 1, 2)
    )
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    assert not first.decisions.equals(other.decisions)


def test_integer_weights_have_the_values_of_repeated_rows(two):
    model, X, y = two
    times = np.random.default_rng(0).integers(0, 3, 150)
    rows = np.repeat(np.arange(150), times)
    options = {"costs": COSTS, "by": "where", "random_state": 0}
    weighted = explain.performance(model, X, y, sample_weight=times, **options)
    repeated = explain.performance(model, X.iloc[rows], y[rows], **options)
    assert weighted.is_weighted
    np.testing.assert_allclose(weighted.table["value"], repeated.table["value"])
    np.testing.assert_allclose(weighted.groups["value"], repeated.groups["value"])
    costs = [result.decisions["cost"].iloc[:3] for result in (weighted, repeated)]
    np.testing.assert_allclose(*costs)
    width = [t["ci_high"] - t["ci_low"] for t in (weighted.table, repeated.table)]
    assert (width[0][:2] >= width[1][:2] - 1e-12).all()


@pytest.mark.parametrize("n_classes", [3, 26])
def test_more_classes(n_classes):
    X, codes = make_classification(
        30 * n_classes, 12, n_informative=10, n_redundant=0, n_classes=n_classes,
        n_clusters_per_class=1, random_state=0,
    )  # fmt: skip
    y = np.array([f"c{k:02}" for k in codes])
    model = LogisticRegression(max_iter=500).fit(X[::2], y[::2])
    result = explain.performance(
        model, X[1::2], y[1::2], costs=1 - np.eye(n_classes), by=2, random_state=0
    )
    assert len(result.frame()) == 6 + 7 * n_classes
    assert result.positive is None
    assert result.thresholds is None
    assert len(result.decisions) == 3
    assert result.confusion.to_numpy().sum() == 15 * n_classes
    proba = model.predict_proba(X[1::2])
    area = metrics.roc_auc_score(y[1::2], proba, multi_class="ovr")
    row = _score(result, "roc_auc")
    assert row["value"] == pytest.approx(area)
    assert row["ci_low"] < area < row["ci_high"]
    # one unit per mistake: the cost is the share of mistakes
    mistakes = 1 - _score(result, "accuracy")["value"]
    assert result.decisions["cost"].iloc[0] == pytest.approx(mistakes)


def test_perfect_predictions_are_not_certain():
    X = np.repeat([[0.0], [1.0], [2.0]], 12, axis=0)
    y = np.repeat(["a", "b", "c"], 12)
    model = KNeighborsClassifier(3).fit(X, y)
    result = explain.performance(model, X, y, costs=1 - np.eye(3), random_state=0)
    table = result.frame()
    bounded = ["accuracy", "roc_auc", "precision", "recall", "f1", "average_precision"]
    table = table[table["score"].isin(bounded)]
    assert (table["value"] == 1).all()
    assert (table["ci_low"] < 0.99).all()
    assert (table["ci_high"] == 1).all()
    assert result.decisions["ci_high"].iloc[0] > 0.05


def test_classes_without_rows(two):
    model, X, y = two
    rows = y == "ill"
    result = explain.performance(
        model, X[rows], y[rows], costs=COSTS, by="where", random_state=0
    )
    assert np.isnan(_score(result, "roc_auc")["value"])
    assert np.isnan(_score(result, "recall", "healthy")["value"])
    assert result.describe()
    result.plot()


def test_booleans_and_integers_are_classes():
    X = np.random.default_rng(0).normal(size=(60, 2))
    for y in (X[:, 0] > 0, (X[:, 0] > 0).astype(int)):
        model = LogisticRegression().fit(X, y)
        result = explain.performance(model, X, y, by=0, random_state=0)
        assert set(result.frame()["class"].dropna()) == set(y)
        assert result.positive == 1
        assert result.describe()


def test_bad_input(two):
    model, X, y = two
    cases = [
        (clone(model), X, y, {}, NotFittedError, "not fitted"),
        (Numbers, X, y, {}, ValueError, "the class Numbers"),
        (model, X[:0], y[:0], {}, ValueError, "must have rows"),
        (model, X, y[:9], {}, ValueError, r"shape \(150,\)\. Got \(9,\)"),
        (model, X, np.where(y == "ill", "sick", y), {}, ValueError, r"\['sick'\]"),
        (model, X, y, {"sample_weight": -np.ones(150)}, ValueError, "not negative"),
        (model, X, y, {"by": "were"}, ValueError, "Did you mean 'where'"),
        (model, X, y, {"costs": {("ill", "well"): 1}}, ValueError, "Got 'well'"),
    ]
    for estimator, rows, labels, options, error, match in cases:
        with pytest.raises(error, match=match):
            explain.performance(estimator, rows, labels, **options)


def test_several_labels_per_row_are_refused():
    X, y = make_multilabel_classification(60, 4, n_classes=3, random_state=0)
    model = KNeighborsClassifier().fit(X, y)

    class Labels:
        classes_ = np.arange(3)

        def predict(self, X):
            return model.predict(X)

        def predict_proba(self, X):
            return np.column_stack([p[:, 1] for p in model.predict_proba(X)])

    with pytest.raises(ValueError, match="must predict one class per row"):
        explain.performance(Labels(), X, y)
