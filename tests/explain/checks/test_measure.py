"""Checks of results with the classifier that made them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from oracles import Formula, correlated

from skdnn import explain
from skdnn.explain._checks.measure import off_data, off_grid, rerun
from skdnn.explain._model.target import open_problem


def found(checks):
    return {finding.code: finding for finding in checks}


@pytest.fixture(scope="module")
def table():
    X = np.random.default_rng(0).normal(size=(200, 4))
    return Formula(lambda rows: 0.5 + rows @ np.array([0.3, 0.2, 0.1, 0.05])), X


@pytest.mark.parametrize("method", ["shap", "lime", "break_down"])
def test_a_plain_case_passes_what_needs_the_classifier(method, table):
    model, X = table
    rows = X[:12]
    result = getattr(explain, method)(model, rows, background=X, random_state=0)
    told = found(result.checks(model, rows, background=X))
    for code in ("SKD104", "SKD106", "SKD107", "SKD108", "SKD109", "SKD110"):
        assert told[code].verdict == "silent", told[code]


def test_reruns_are_those_of_other_seeds(wine, wine_model):
    X, _ = wine
    settings = {"background": X, "method": "walks", "max_evals": 300}
    result = explain.shap(wine_model, X[:4], random_state=0, **settings)
    told = rerun(result, wine_model, X[:4], background=X, seed=7)
    assert told["seed"].tolist() == [8, 9, 10]
    again = explain.shap(
        wine_model, X[:4], background=X, method="walks", random_state=9
    )
    apart = np.abs(again.values - result.values).sum() / np.abs(result.values).sum()
    assert told["moved"].iloc[1] == pytest.approx(apart)
    assert 0 < apart < 0.5
    assert told["moved"].nunique() == 3


def test_reruns_of_an_order_that_was_given_make_no_sense(table):
    model, X = table
    steps = explain.break_down(model, X[:3], background=X, order=[1])
    assert rerun(steps, model, X[:3], background=X, seed=0) is None


def test_both_ways_to_make_up_rows_are_measured():
    X = correlated(400, rho=0.99)
    model = Formula(lambda rows: rows[:, 0] * 0.1)
    problem = open_problem(model, X[:10], background=X)
    values = np.zeros((10, 2, 2))
    shap = explain.shap(model, X[:10], background=X)
    lime = replace(shap, score=np.ones((10, 2)), values=values)
    assert off_data(shap, problem, 0) > 0.4
    assert off_data(lime, problem, 0) > 0.4
    assert off_data(lime, problem.with_background(X[:5]), 0) is None


def test_places_off_the_data_are_those_that_no_row_is_near():
    rng = np.random.default_rng(0)
    a = rng.choice([-3.0, 3.0], 300)
    X = np.column_stack([a, a + rng.normal(size=300) / 9, rng.normal(size=300)])
    model = Formula(lambda rows: rows[:, 0] * 0.1)
    curves = explain.partial_dependence(model, X, features=[1, 2], grid_resolution=13)
    grid = off_grid(curves, open_problem(model, X), 0)
    assert list(grid) == ["feature", "x", "off_data"]
    assert len(grid) == 26
    along = grid[grid["feature"] == "x1"].set_index("x")["off_data"]
    # half of the rows are at home at either end, and none in the middle
    assert along.iloc[[0, -1]].between(0.35, 0.65).all()
    assert along.iloc[6] == 1
    assert (grid[grid["feature"] == "x2"]["off_data"] < 0.2).mean() > 0.7


def test_columns_that_go_together_fire(table):
    X = correlated(300, rho=0.99)
    model = Formula(lambda rows: 0.5 + rows[:, 0] * 0.1)
    result = explain.shap(model, X[:10], background=X, random_state=0)
    assert found(result.checks(model, X[:10], background=X))["SKD108"].verdict == (
        "fires"
    )
    curves = explain.partial_dependence(model, X)
    assert found(curves.checks(model, X))["SKD111"].verdict == "fires"
    single = explain.ceteris_paribus(model, X[:10], background=X)
    told = found(single.checks(model, X[:10], background=X))
    assert told["SKD111"].verdict == "fires"


def test_curves_of_columns_that_do_not_stay_within(table):
    model, X = table
    curves = explain.partial_dependence(model, X)
    assert found(curves.checks(model, X))["SKD111"].verdict == "silent"


def test_noise_is_told_from_attributions(table):
    """Values of another classifier's columns do not pass for this one's."""
    model, X = table
    rng = np.random.default_rng(1)
    result = explain.shap(model, X[:12], background=X, random_state=0)
    result.values[:] = rng.normal(size=result.values.shape)
    told = found(result.checks(model, X[:12], background=X))
    for code in ("SKD101", "SKD104", "SKD106", "SKD107"):
        assert told[code].verdict == "fires", told[code]


def test_a_classifier_that_changes_its_mind_is_told():
    class Moody:
        classes_ = np.array([0, 1])
        calls = 0

        def predict_proba(self, rows):
            self.calls += 1
            p = np.clip(rows[:, 0] * 0.1 + 0.5 + 0.01 * (self.calls % 5), 0, 1)
            return np.column_stack([1 - p, p])

    X = np.random.default_rng(0).random((40, 2))
    result = explain.shap(Moody(), X[:3], background=X)
    assert found(result.checks())["SKD101"].verdict == "fires"


def test_words_missing_cells_and_pairs(people, people_model):
    frame, _ = people
    result = explain.shap(people_model, frame[:6], background=frame, random_state=0)
    told = found(result.checks(people_model, frame[:6], background=frame))
    assert told["SKD104"].verdict == "silent"
    pair = explain.partial_dependence(
        people_model, frame[:60], features=[("age", "city")], grid_resolution=5
    )
    off = found(pair.checks(people_model, frame[:60]))["SKD111"]
    assert off.verdict in ("fires", "silent")


def test_tiny_background_does_not_tell_what_is_off_it(table):
    model, X = table
    result = explain.shap(model, X[:3], background=X[:4])
    told = found(result.checks(model, X[:3], background=X[:4]))
    assert told["SKD109"].verdict == "fires"
    assert told["SKD108"].verdict == "not applicable"
    assert told["SKD108"].words == "These rows and this background do not tell."


def test_groups_and_contrasts_are_not_measured(iris_model):
    model, X, _ = iris_model
    for options in (
        {"groups": {"petal": [2, 3]}},
        {"contrast": ("virginica", "setosa")},
    ):
        result = explain.shap(model, X[:3], background=X, random_state=0, **options)
        told = found(result.checks(model, X[:3], background=X))
        assert told["SKD101"].verdict == "silent"
        assert told["SKD104"].verdict == "not applicable"


@pytest.mark.parametrize("method", ["shap", "lime", "break_down"])
def test_a_column_that_never_varies_is_told_without_the_classifier(method, table):
    model, X = table
    X = X.copy()
    X[:, 3] = 7
    result = getattr(explain, method)(model, X[:3], background=X, random_state=0)
    told = found(result.checks())["SKD110"]
    assert told.verdict == "fires"
    assert "attribution: “x3”." in told.words


def test_a_constant_column_of_rows_and_background(table):
    model, X = table
    X = X.copy()
    X[:, 3] = 7
    result = explain.shap(model, X[:1], background=X)
    assert found(result.checks())["SKD110"].verdict == "not applicable"
    told = found(result.checks(model, X[:1], background=X))["SKD110"]
    assert told.verdict == "fires"
    assert "“x3”" in told.words


def test_same_seed_same_words_and_no_global_seed(table):
    model, X = table
    result = explain.shap(model, X[:5], background=X, random_state=0)
    before = np.random.get_state()[1].tolist()
    first, second = (
        result.checks(model, X[:5], background=X, random_state=3).frame()
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second)
    assert np.random.get_state()[1].tolist() == before


def test_bad_input(table):
    model, X = table
    result = explain.shap(model, X[:5], background=X, random_state=0)
    with pytest.raises(ValueError, match=r"`X` must be the rows.*call checks"):
        result.checks(model)
    with pytest.raises(ValueError, match=r"`X` must be the 5 rows.*Got 4"):
        result.checks(model, X[:4], background=X)
    with pytest.raises(ValueError, match="must be those of the explanation"):
        result.checks(model, X[5:10], background=X)
