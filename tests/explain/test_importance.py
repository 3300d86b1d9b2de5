import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.metrics import log_loss

from skdnn import explain


def test_agrees_with_scikit_learn(iris_model):
    model, X, y = iris_model
    ours = explain.permutation_importance(model, X, y, n_repeats=60, random_state=0)
    theirs = permutation_importance(model, X, y, n_repeats=60, random_state=1)
    np.testing.assert_allclose(
        ours.frame()["importance"], theirs.importances_mean, atol=0.02
    )
    np.testing.assert_allclose(
        ours.frame()["std_error"] * np.sqrt(60),
        theirs.importances.std(axis=1, ddof=1),
        atol=0.012,
    )


def test_unused_column(formula):
    model = formula(lambda X: np.where(X[:, 0] > 0, 0.9, 0.1))
    X = np.random.default_rng(0).normal(size=(400, 2))
    y = X[:, 0] > 0
    table = explain.permutation_importance(
        model, X, y, n_repeats=30, random_state=0
    ).frame()
    used, unused = table.iloc[0], table.iloc[1]
    assert unused["importance"] == unused["std_error"] == 0
    assert unused["ratio"] == pytest.approx(1)
    # shuffled, half of the rows are told wrongly
    assert used["importance"] == pytest.approx(0.5, abs=0.02)
    wrong = (np.log(0.9) + np.log(0.1)) / 2 / np.log(0.9)
    assert used["ratio"] == pytest.approx(wrong, rel=0.05)
    assert used["ci_low"] < used["importance"] < used["ci_high"]
    assert list(table.columns) == [
        "feature",
        "importance",
        "ratio",
        "std_error",
        "ci_low",
        "ci_high",
    ]


def test_any_scorer(people, people_model):
    frame, y = people
    table = explain.permutation_importance(
        people_model, frame, y, scoring="neg_log_loss", random_state=0
    ).frame()
    loss = log_loss(y, people_model.predict_proba(frame))
    # of the loss itself, drop and ratio are two ways to say one thing
    np.testing.assert_allclose(table["importance"], loss * (table["ratio"] - 1))
    assert set(table["feature"]) == set(frame.columns)


def test_columns_by_name_and_background_alike(iris_model):
    model, X, y = iris_model
    table = explain.permutation_importance(
        model, X, y, background=X, features=["petal width (cm)"], random_state=0
    ).frame()
    assert table["feature"].tolist() == ["petal width (cm)"]


@pytest.mark.parametrize(
    ("y", "settings", "match"),
    [
        (lambda y: y[:3], {}, r"shape \(150,\). Got \(3,\)"),
        (lambda y: np.full(150, "rose"), {}, r"Got \['rose'\] besides"),
        (lambda y: y, {"n_repeats": 1}, "at least 2. Got 1"),
        (lambda y: y, {"n_repeats": 2.5}, "whole number"),
    ],
)
def test_bad_input(y, settings, match, iris_model):
    model, X, classes = iris_model
    with pytest.raises(ValueError, match=match):
        explain.permutation_importance(model, X, y(classes), **settings)
