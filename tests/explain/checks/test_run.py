"""Checks of results, with and without the classifier, and what is measured for them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from oracles import Formula, correlated

from skdnn import explain
from skdnn.explain._checks.run import (
    measure,
    measure_off_data,
    measure_off_grid,
    measure_reruns,
)
from skdnn.explain._model.opening import open_problem

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")


def found(checks):
    return {finding.code: finding for finding in checks}


@pytest.fixture(scope="module")
def table():
    X = np.random.default_rng(0).normal(size=(200, 4))
    return Formula(lambda rows: 0.5 + rows @ np.array([0.3, 0.2, 0.1, 0.05])), X


@pytest.mark.parametrize("method", ["shap", "lime", "break_down"])
def test_a_linear_case_is_silent(method, table):
    model, X = table
    rows = X[:12]
    result = getattr(explain, method)(model, rows, background=X, random_state=0)
    findings = found(result.checks(model, rows, background=X))
    for code in ("SKD104", "SKD106", "SKD107", "SKD108", "SKD109", "SKD110"):
        assert findings[code].verdict == "silent", findings[code]


def test_correlated_columns_fire(table):
    X = correlated(300, rho=0.99)
    model = Formula(lambda rows: 0.5 + rows[:, 0] * 0.1)
    result = explain.shap(model, X[:10], background=X, random_state=0)
    assert found(result.checks(model, X[:10], background=X))["SKD108"].verdict == (
        "fires"
    )
    curves = explain.partial_dependence(model, X)
    assert found(curves.checks(model, X))["SKD111"].verdict == "fires"
    single = explain.ceteris_paribus(model, X[:10], background=X)
    findings = found(single.checks(model, X[:10], background=X))
    assert findings["SKD111"].verdict == "fires"


def test_curves_of_independent_columns_are_silent(table):
    model, X = table
    curves = explain.partial_dependence(model, X)
    assert found(curves.checks(model, X))["SKD111"].verdict == "silent"


def test_noise_fires(table):
    model, X = table
    rng = np.random.default_rng(1)
    result = explain.shap(model, X[:12], background=X, random_state=0)
    result.values[:] = rng.normal(size=result.values.shape)
    findings = found(result.checks(model, X[:12], background=X))
    for code in ("SKD101", "SKD104", "SKD106", "SKD107"):
        assert findings[code].verdict == "fires", findings[code]


def test_a_classifier_that_is_not_deterministic_fires():
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


def test_text_columns_missing_cells_and_pairs(people, people_model):
    frame, _ = people
    result = explain.shap(people_model, frame[:6], background=frame, random_state=0)
    findings = found(result.checks(people_model, frame[:6], background=frame))
    assert findings["SKD104"].verdict == "silent"
    pair = explain.partial_dependence(
        people_model, frame[:60], features=[("age", "city")], grid_resolution=5
    )
    off = found(pair.checks(people_model, frame[:60]))["SKD111"]
    assert off.verdict == "silent"
    assert "of the grid points" in off.words


def test_a_tiny_background_is_not_measured(table):
    model, X = table
    result = explain.shap(model, X[:3], background=X[:4])
    findings = found(result.checks(model, X[:3], background=X[:4]))
    assert findings["SKD109"].verdict == "fires"
    assert findings["SKD108"].verdict == "not applicable"
    assert findings["SKD108"].words == (
        "These rows and this background do not allow the measurement."
    )


def test_groups_and_contrasts_are_not_measured(iris_model):
    model, X, _ = iris_model
    for options in (
        {"groups": {"petal": [2, 3]}},
        {"contrast": ("virginica", "setosa")},
    ):
        result = explain.shap(model, X[:3], background=X, random_state=0, **options)
        findings = found(result.checks(model, X[:3], background=X))
        assert findings["SKD101"].verdict == "silent"
        assert findings["SKD104"].verdict == "not applicable"


@pytest.mark.parametrize("method", ["shap", "lime", "break_down"])
def test_a_constant_column_fires_without_the_classifier(method, table):
    model, X = table
    X = X.copy()
    X[:, 3] = 7
    result = getattr(explain, method)(model, X[:3], background=X, random_state=0)
    findings = found(result.checks())["SKD110"]
    assert findings.verdict == "fires"
    assert "attribution: “x3”." in findings.words


def test_a_constant_column_of_rows_and_background(table):
    model, X = table
    X = X.copy()
    X[:, 3] = 7
    result = explain.shap(model, X[:1], background=X)
    assert found(result.checks())["SKD110"].verdict == "not applicable"
    findings = found(result.checks(model, X[:1], background=X))["SKD110"]
    assert findings.verdict == "fires"
    assert "“x3”" in findings.words


def test_same_seed_same_findings_and_no_global_seed(table):
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
    with pytest.raises(ValueError, match=r"be the explained rows.*call checks"):
        result.checks(model)
    with pytest.raises(ValueError, match=r"`X` must be the 5 explained rows.*Got 4"):
        result.checks(model, X[:4], background=X)
    with pytest.raises(ValueError, match="must be those of the explanation"):
        result.checks(model, X[5:10], background=X)


def test_reruns_use_other_seeds(wine, wine_model):
    X, _ = wine
    settings = {"background": X, "method": "walks", "max_evals": 300}
    result = explain.shap(wine_model, X[:4], random_state=0, **settings)
    problem = open_problem(wine_model, X[:4], background=X)
    reruns = measure_reruns(result, problem, seed=7)
    assert reruns["seed"].tolist() == [8, 9, 10]
    again = explain.shap(
        wine_model, X[:4], background=X, method="walks", random_state=9
    )
    apart = np.abs(again.values - result.values).sum() / np.abs(result.values).sum()
    assert reruns["moved"].iloc[1] == pytest.approx(apart)
    assert 0 < apart < 0.5
    assert reruns["moved"].nunique() == 3


def test_reruns_of_the_three_methods_repeat_that_method(wine, wine_model):
    X, _ = wine
    problem = open_problem(wine_model, X[:3], background=X)
    for method in (explain.lime, explain.break_down):
        result = method(wine_model, X[:3], background=X, random_state=0)
        again = method(wine_model, X[:3], background=X, random_state=1)
        size = np.abs(result.values).sum()
        moved = np.abs(again.values - result.values).sum() / size
        assert measure_reruns(result, problem, 0)["moved"].iloc[0] == pytest.approx(
            moved
        )


def test_measurements_are_in_the_output_of_the_result(wine, wine_model):
    X, _ = wine
    rows = {"background": X, "random_state": 0}
    lime = explain.lime(wine_model, X[:3], output="log_odds", **rows)
    problem = open_problem(wine_model, X[:3], background=X)
    assert measure(lime, problem, seed=0).reruns["moved"].max() < 0.1


def test_a_break_down_in_a_given_order_is_not_rerun(table):
    model, X = table
    steps = explain.break_down(model, X[:3], background=X, order=[1])
    problem = open_problem(model, X[:3], background=X)
    assert measure_reruns(steps, problem, seed=0) is None


def test_synthetic_rows_of_shap_and_of_lime_lie_off_correlated_data():
    X = correlated(400, rho=0.99)
    model = Formula(lambda rows: rows[:, 0] * 0.1)
    problem = open_problem(model, X[:10], background=X)
    values = np.zeros((10, 2, 2))
    shap = explain.shap(model, X[:10], background=X)
    lime = replace(shap, score=np.ones((10, 2)), values=values)
    assert measure_off_data(shap, problem, 0) > 0.4
    assert measure_off_data(lime, problem, 0) > 0.4
    assert measure_off_data(lime, problem.with_background(X[:5]), 0) is None


def test_grid_points_off_the_data_are_far_from_all_rows():
    rng = np.random.default_rng(0)
    a = rng.choice([-3.0, 3.0], 300)
    X = np.column_stack([a, a + rng.normal(size=300) / 9, rng.normal(size=300)])
    model = Formula(lambda rows: rows[:, 0] * 0.1)
    curves = explain.partial_dependence(model, X, features=[1, 2], grid_resolution=13)
    grid = measure_off_grid(curves, open_problem(model, X), 0)
    assert list(grid) == ["feature", "x", "off_data"]
    assert len(grid) == 26
    along = grid[grid["feature"] == "x1"].set_index("x")["off_data"]
    # half of the rows are at home at either end, and none in the middle
    assert along.iloc[[0, -1]].between(0.35, 0.65).all()
    assert along.iloc[6] == 1
    assert (grid[grid["feature"] == "x2"]["off_data"] < 0.2).mean() > 0.7


def test_only_what_the_checks_need_is_measured(table):
    model, X = table
    problem = open_problem(model, X[:3], background=X)
    curves = explain.partial_dependence(model, X, features=[0])
    measured = measure(curves, problem, seed=0)
    assert measured.problem is problem
    assert list(measured.off_grid["feature"].unique()) == ["x0"]
    others = ("deletion", "reruns", "agreement", "off_data")
    assert [getattr(measured, name) for name in others] == [None] * 4


def test_known_measurements_are_used(table):
    model, X = table
    problem = open_problem(model, X[:3], background=X)
    result = explain.shap(model, X[:3], background=X, random_state=0)
    own = measure(result, problem, seed=0)
    other = pd.DataFrame({"method_a": ["a"], "method_b": ["b"], "rank": 0, "sign": 0})
    known = pd.concat([own.agreement, other])
    measured = measure(result, problem, seed=0, deletion=own.deletion, agreement=known)
    assert measured.deletion is own.deletion
    pd.testing.assert_frame_equal(measured.agreement, own.agreement)
    pd.testing.assert_frame_equal(measured.reruns, own.reruns)
    assert measured.off_data == own.off_data


def test_the_problem_is_not_opened_again(table, monkeypatch):
    model, X = table
    result = explain.shap(model, X[:3], background=X, random_state=0)
    problem = open_problem(model, X[:3], background=X)

    def refuse(*args, **options):
        raise AssertionError("opened again")

    for name in ("shap", "lime", "break_down"):
        monkeypatch.setattr(f"skdnn.explain._methods.{name}.open_problem", refuse)
    assert measure(result, problem, seed=0).agreement is not None
