"""Coverage of sets, and accuracy where they have one class."""

import numpy as np
import pytest
from oracles import Formula, WithSets
from scipy.stats import fisher_exact

from skdnn import explain

LEVELS = (0.8, 0.9, 0.95, 0.99)


def _given(n=400, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    model = WithSets(lambda X: 1 / (1 + np.exp(-2 * X[:, 0])))
    y = rng.random(n) < model.predict_proba(X)[:, 1] ** 0.7
    return model, X, y


@pytest.mark.parametrize("is_weighted", [False, True])
def test_shares_by_level(is_weighted):
    model, X, y = _given()
    weight = np.arange(len(y)) % 4.0 if is_weighted else np.ones(len(y))
    given = weight if is_weighted else None
    table = explain.performance(model, X, y, sample_weight=given, random_state=0).sets
    assert table["confidence_level"].tolist() == list(LEVELS)
    right = (model.predict_proba(X)[:, 1] > 0.5) == y
    for row in table.itertuples():
        sets = model.predict_set(X, row.confidence_level)
        held = sets[np.arange(len(y)), y.astype(int)]
        size = sets.sum(axis=1)
        assert row.coverage == pytest.approx(np.average(held, weights=weight))
        assert row.n_classes == pytest.approx(np.average(size, weights=weight))
        assert row.answered == pytest.approx(np.average(size == 1, weights=weight))
        single = (size == 1) & (weight > 0)
        assert row.n_rows == single.sum()
        accuracy = np.average(right[single], weights=weight[single])
        assert row.accuracy == pytest.approx(accuracy)
        for value, low, high, rows in (
            (row.coverage, row.ci_low, row.ci_high, weight > 0),
            (row.accuracy, row.accuracy_low, row.accuracy_high, single),
        ):
            n = weight[rows].sum() ** 2 / (weight[rows] ** 2).sum()
            # the quadratic equation of Wilson; it is not for ends of 0 and 1
            for end in {low, high} - {0.0, 1.0}:
                distance = abs(value - end) / np.sqrt(end * (1 - end) / n)
                assert distance == pytest.approx(1.959964, rel=1e-4)


def test_no_row_has_one_class():
    model, X, y = _given(60)
    model.predict_set = lambda X, confidence_level=0.9: np.ones((len(X), 2), bool)
    result = explain.performance(model, X, y, random_state=0)
    row = result.sets.iloc[0]
    assert (row["coverage"], row["answered"], row["n_rows"]) == (1, 0, 0)
    assert np.isnan(row["accuracy"])
    assert "hold the class of their row; none has one class only." in result.describe()


def test_coverage_of_groups_is_tested_with_all_other_scores():
    model, X, y = _given(900)
    by = np.where(X[:, 1] > 1, "right", np.where(X[:, 1] < -1, "left", "middle"))
    y = np.where((by == "left") & (np.arange(900) % 3 > 0), X[:, 0] < 0, y)
    result = explain.performance(model, X, y, by=by, random_state=0)
    without = explain.performance(Formula(model.formula), X, y, by=by, random_state=0)
    assert result.confidence_level == 0.9
    assert result.n_tested == without.n_tested + 2 * 3
    sets = model.predict_set(X, 0.9)
    held = sets[np.arange(len(y)), y.astype(int)]
    for name, hit in (("coverage", held), ("one_class", sets.sum(axis=1) == 1)):
        groups = result.groups[result.groups["score"] == name].set_index("group")
        table = result.differences[result.differences["score"] == name]
        for row in table.itertuples():
            inside, others = hit[by == row.group], hit[by != row.group]
            assert groups.loc[row.group, "value"] == pytest.approx(inside.mean())
            assert row.difference == pytest.approx(inside.mean() - others.mean())
            counts = [[part.sum(), (~part).sum()] for part in (inside, others)]
            assert row.p_value == pytest.approx(fisher_exact(counts)[1])
    differences = result.differences.set_index(["score", "group"])
    assert differences.loc[("coverage", "left"), "p_holm"] < 1e-6


def test_classifiers_without_sets_have_none():
    _, X, y = _given(60)
    result = explain.performance(Formula(lambda X: np.full(len(X), 0.4)), X, y)
    assert result.sets is None
    assert result.confidence_level is None
    assert result.guarantee == ""
    assert "sets" not in result.describe()
