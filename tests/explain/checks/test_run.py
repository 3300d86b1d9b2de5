"""Checks of results, with and without the classifier."""

import numpy as np
import pandas as pd
import pytest
from oracles import Formula, correlated

from skdnn import explain


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
