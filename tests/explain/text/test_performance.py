import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skdnn import explain

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    y = np.where(X["a"] + rng.normal(size=400) > 0.7, "yes", "no")
    return LogisticRegression().fit(X, y), X, y


def test_scores_and_mistakes(given):
    model, X, y = given
    result = explain.performance(model, X, y, random_state=0)
    text = result.describe()
    accuracy = result.table["value"].iloc[0]
    assert text.startswith(f"Of 400{NBSP}rows, {100 * accuracy:.0f}% (")
    share = f"{100 * (y == 'no').mean():.0f}% are no, the most frequent class."
    assert share in text
    matrix = result.confusion
    assert f"yes as no ({matrix.loc['yes', 'no']})" in text
    assert "Recall is lowest for yes" in text
    assert "these intervals overlap" not in text
    assert text.endswith("they do not cover how another fit would differ.")
    assert "costs" not in text


def test_costs_are_compared(given):
    model, X, y = given
    costs = {("yes", "no"): 20, ("no", "yes"): 1}
    result = explain.performance(model, X, y, costs=costs, random_state=0)
    text = result.describe()
    rows = result.decisions.set_index("decision")
    assert f"The classifier unchanged costs {rows.loc['predict', 'cost']:.3g} (" in text
    best = rows.loc["best threshold"]
    assert f"The best threshold of yes, {best['threshold']:.3g}, costs" in text
    assert f"corrected by {best['optimism']:.3g} for the choice" in text
    assert text.count("less than unchanged.") == 2
    n_kept = result.thresholds["may_be_best"].sum()
    assert f"{n_kept} of {len(result.thresholds)} thresholds, from" in text


def test_costs_that_do_not_differ_are_not_clear(given):
    model, X, y = given
    text = explain.performance(model, X, y, costs=1 - np.eye(2)).describe()
    assert "the difference to unchanged is not clear" in text
    free = explain.performance(model, X, y, costs=[[0, 1], [0, 0]]).describe()
    assert "from" in free
    assert "inf" not in free


def test_one_threshold_that_may_be_best(given):
    model, X, y = given
    result = explain.performance(model, X, y, costs=1 - np.eye(2), random_state=0)
    first = np.arange(len(result.thresholds)) == 3
    alone = replace(result, thresholds=result.thresholds.assign(may_be_best=first))
    assert "All other thresholds listed cost clearly more." in alone.describe()


def test_groups_that_do_not_differ(given):
    model, X, y = given
    by = np.array(["x", "y"])[np.arange(400) % 2]
    result = explain.performance(model, X, y, by=by, random_state=0)
    sentence = (
        f"None of {result.n_tested} differences between groups of group is clear."
    )
    assert sentence in result.describe()
    assert not re.search("fair|bias", result.describe())


def test_groups_that_differ_and_small_ones(given):
    model, X, y = given
    by = np.where(model.predict(X) == y, "right", "wrong")
    by[:12] = "few"
    result = explain.performance(model, X, y, by=by, random_state=0)
    text = result.describe()
    clear = (result.differences["p_holm"] < 0.05).sum()
    assert f"{clear} of {result.n_tested} differences" in text
    assert "(p < 0.05 after Holm's correction): " in text
    assert f"; and {clear - 3} more." in text
    assert "few has fewer than 30 rows." in text


def test_quartiles_are_stated(given):
    model, X, y = given
    text = explain.performance(model, X, y, by="a", random_state=0).describe()
    assert "a has 400 values and was cut at its quartiles." in text


def test_no_mistake(given):
    X = pd.DataFrame({"a": np.r_[np.full(20, -5.0), np.full(20, 5.0)]})
    y = np.array([0, 1]).repeat(20)
    text = explain.performance(LogisticRegression().fit(X, y), X, y).describe()
    assert "There is no mistake." in text
    assert "top probability" not in text
    assert "class 0" in text


def test_abstention_is_stated(given):
    model, X, y = given
    result = explain.performance(model, X, y, random_state=0)
    table = result.abstention
    row = table[table["answered"] <= 0.8].iloc[-1]
    assert f"({row['threshold']:.2f} or more)" in result.describe()


def test_weights_are_stated(given):
    model, X, y = given
    weight = 1 + (np.arange(400) % 2)
    text = explain.performance(model, X, y, sample_weight=weight).describe()
    assert text.startswith(f"Of 400{NBSP}rows (weighted), ")
