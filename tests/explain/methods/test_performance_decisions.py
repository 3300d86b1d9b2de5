from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skdnn.explain._methods.performance_decisions import (
    MAX_THRESHOLDS,
    Predictions,
    decision_tables,
    may_be_best,
)
from skdnn.explain._methods.performance_scores import wilson

COSTS = np.array([[0.0, 1.0], [5.0, -1.0]])
NAMES = np.array(["no", "yes"])


def _given(n, seed=0, digits=2, is_weighted=False):
    rng = np.random.default_rng(seed)
    codes = (rng.random(n) < 0.3).astype(int)
    p = np.round(1 / (1 + np.exp(-rng.normal(size=n) - 2 * codes + 1.5)), digits)
    weight = rng.integers(0, 4, n).astype(float) if is_weighted else np.ones(n)
    proba = np.column_stack([1 - p, p])
    return Predictions(codes, proba, (p >= 0.4).astype(int), weight / weight.mean())


def _counts(codes, named):
    return [
        (codes & named).sum(), (~codes & named).sum(), (codes & ~named).sum(),
        (~codes & ~named).sum(),
    ]  # fmt: skip


COUNTS = ["true_positives", "false_positives", "false_negatives", "true_negatives"]


@pytest.mark.parametrize("is_weighted", [False, True])
def test_thresholds_by_hand(is_weighted):
    given = _given(150, is_weighted=is_weighted)
    codes, weight = given.codes == 1, given.weight
    thresholds, _ = decision_tables(given, COSTS, NAMES, 0)
    p = given.probabilities[:, 1]
    assert thresholds["threshold"].tolist() == [*np.unique(p), np.inf]
    for row in thresholds.itertuples():
        named = p >= row.threshold
        counts = [getattr(row, name) for name in COUNTS]
        assert counts == _counts(codes, named)
        cost = np.average(COSTS[given.codes, named.astype(int)], weights=weight)
        assert row.cost == pytest.approx(cost)
        assert row.recall == pytest.approx(
            np.average(named[codes], weights=weight[codes])
        )
        assert row.predicted_positive == pytest.approx(
            np.average(named, weights=weight)
        )
        if weight[named].sum():
            precision = np.average(codes[named], weights=weight[named])
            assert row.precision == pytest.approx(precision)
        else:
            assert np.isnan(row.precision)


def test_many_thresholds_are_thinned_and_those_that_matter_stay():
    given = _given(5000, digits=9)
    thresholds, decisions = decision_tables(given, COSTS, NAMES, 0)
    assert len(thresholds) <= MAX_THRESHOLDS
    p = given.probabilities[:, 1]
    cost = [COSTS[given.codes, (p >= threshold).astype(int)].mean() for threshold in p]
    assert thresholds["cost"].min() == pytest.approx(min(cost))
    assert thresholds["threshold"].iloc[[0, -1]].tolist() == [p.min(), np.inf]
    assert p[p >= 0.5].min() in thresholds["threshold"].tolist()
    best = decisions.set_index("decision").loc["best threshold"]
    assert best["cost"] - best["optimism"] == pytest.approx(min(cost))
    steps = np.diff(thresholds["predicted_positive"])
    assert np.abs(steps).max() < 0.012


def test_decisions_by_hand():
    given = _given(200)
    _, decisions = decision_tables(given, COSTS, NAMES, 0)
    rows = decisions.set_index("decision")
    rules = {
        "predict": given.predicted,
        "least expected cost": (given.probabilities @ COSTS).argmin(axis=1),
        "always yes": np.ones(200, dtype=int),
    }
    assert list(rows.index) == [*rules, "best threshold"]
    # draws of the same seed
    counts = np.random.default_rng(3).multinomial(200, np.full(200, 1 / 200), 1000)
    _, again = decision_tables(given, COSTS, NAMES, 3)
    own = counts @ COSTS[given.codes, given.predicted] / 200
    for row, (name, named) in zip(again.itertuples(), rules.items(), strict=False):
        loss = COSTS[given.codes, named]
        assert rows.loc[name, "cost"] == pytest.approx(loss.mean())
        draws = counts @ loss / 200
        ends = np.quantile(draws, [0.025, 0.975])
        assert (row.ci_low, row.ci_high) == pytest.approx(tuple(ends))
        ends = np.quantile(draws - own, [0.025, 0.975])
        assert (row.difference_low, row.difference_high) == pytest.approx(tuple(ends))
        counted = [getattr(row, column) for column in COUNTS]
        assert counted == _counts(given.codes == 1, named == 1)


def test_intervals_of_thresholds_are_those_of_drawn_rows():
    given = _given(120, is_weighted=True)
    thresholds, _ = decision_tables(given, COSTS, NAMES, 4)
    counts = np.random.default_rng(4).multinomial(120, np.full(120, 1 / 120), 1000)
    weight = counts * given.weight
    for row in thresholds.iloc[::9].itertuples():
        named = (given.probabilities[:, 1] >= row.threshold).astype(int)
        draws = weight @ COSTS[given.codes, named] / weight.sum(axis=1)
        ends = np.quantile(draws, [0.025, 0.975])
        assert (row.ci_low, row.ci_high) == pytest.approx(tuple(ends))


def test_three_classes_have_decisions_and_no_thresholds():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 90)
    proba = rng.dirichlet(np.ones(3), 90)
    given = Predictions(codes, proba, proba.argmax(axis=1), np.ones(90))
    names = np.array(list("abc"))
    assert decision_tables(given, None, names, 0) == (None, None)
    costs = np.array([[0, 9, 1], [1, 0, 1], [1, 3, 0]])
    thresholds, decisions = decision_tables(given, costs, names, 0)
    assert thresholds is None
    expected = [
        min(range(3), key=lambda j: sum(p[k] * costs[k, j] for k in range(3)))
        for p in proba
    ]
    row = decisions.set_index("decision").loc["least expected cost"]
    assert row["cost"] == pytest.approx(costs[codes, expected].mean())
    constant = [costs[codes, j].mean() for j in range(3)]
    name = f"always {names[np.argmin(constant)]}"
    assert decisions["decision"].tolist()[-1] == name
    assert decisions["cost"].iloc[-1] == pytest.approx(min(constant))


def test_without_costs_only_the_classifier_unchanged_is_shown():
    thresholds, decisions = decision_tables(_given(100), None, NAMES, 0)
    assert "cost" not in thresholds
    assert decisions["decision"].tolist() == ["predict"]
    assert "cost" not in decisions


def test_a_cost_that_no_row_has_is_not_certain():
    codes = np.arange(40) % 2
    given = Predictions(codes, 0.8 * np.eye(2)[codes] + 0.1, codes, np.ones(40))
    _, decisions = decision_tables(given, 1 - np.eye(2), NAMES, 0)
    row = decisions.iloc[0]
    assert (row["cost"], row["ci_low"]) == (0, 0)
    assert row["ci_high"] == pytest.approx(wilson(0, 40)[1])


def test_the_set_of_the_best_holds_the_best_as_often_as_stated():
    rng = np.random.default_rng(0)
    truth = np.array([1.0, 1.0, 1.03, 1.2, 1.0, 2.0])
    held, n_kept = 0, 0
    for _ in range(200):
        rows = truth + rng.normal(size=(80, 6)) + rng.normal(size=(80, 1))
        counts = rng.multinomial(80, np.full(80, 1 / 80), 300)
        kept = may_be_best(rows.mean(axis=0), counts @ rows / 80)
        held += kept[0]
        n_kept += kept.sum()
        assert not kept[5]
    assert 182 <= held <= 200
    assert n_kept < 200 * 5


def test_equal_options_are_all_kept():
    draws = np.random.default_rng(0).normal(size=(100, 1)) + np.zeros((100, 3))
    assert may_be_best(np.zeros(3), draws).all()


def test_optimism_corrects_the_cost_of_the_chosen_threshold():
    everything = _given(100_000, seed=9, digits=3)
    p, codes = everything.probabilities[:, 1], everything.codes
    apparent, corrected = [], []
    for seed in range(40):
        _, decisions = decision_tables(_given(60, seed, digits=3), COSTS, NAMES, 0)
        row = decisions.iloc[-1]
        true = COSTS[codes, (p >= row["threshold"]).astype(int)].mean()
        apparent.append(row["cost"] - row["optimism"] - true)
        corrected.append(row["cost"] - true)
    assert np.mean(apparent) < -0.02
    assert abs(np.mean(corrected)) < abs(np.mean(apparent)) / 1.5


def test_the_positive_class_may_be_the_first():
    given = _given(150, is_weighted=True)
    swapped = replace(
        given, codes=1 - given.codes, probabilities=given.probabilities[:, ::-1],
        predicted=1 - given.predicted, positive=0,
    )  # fmt: skip
    tables = decision_tables(given, COSTS, NAMES, 0)
    again = decision_tables(swapped, COSTS[::-1, ::-1], NAMES[::-1], 0)
    for one, other in zip(tables, again, strict=True):
        pd.testing.assert_frame_equal(one, other)
