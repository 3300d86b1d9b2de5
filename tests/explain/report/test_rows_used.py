"""A bounded number of rows stands for all, and the sections say so."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skdnn import explain
from skdnn.explain._methods import break_down, shap
from skdnn.explain._model.opening import open_problem
from skdnn.explain._report import rows_used
from skdnn.explain._report.picked_explanations import explain_picked
from skdnn.explain._report.rows_used import draw_rows


class Counted:
    """A classifier that counts the rows it predicts."""

    def __init__(self, estimator):
        self.estimator, self.classes_, self.n_rows = estimator, estimator.classes_, 0

    def predict_proba(self, X):
        self.n_rows += len(X)
        return self.estimator.predict_proba(X)

    def predict(self, X):
        self.n_rows += len(X)
        return self.estimator.predict(X)

    def score(self, X, y):
        self.n_rows += len(X)
        return self.estimator.score(X, y)


def counted(n_rows, n_columns):
    X, y = make_classification(
        n_rows, n_columns, n_informative=2, n_redundant=0, random_state=0
    )
    return Counted(LogisticRegression().fit(X, y)), X, y


def test_drawn_rows_hold_those_that_are_kept():
    rows = draw_rows(1000, 100, 0, [999, 5])
    assert len(rows) == 100
    assert {5, 999} <= set(rows)
    assert rows == sorted(rows) == draw_rows(1000, 100, 0, [999, 5])
    assert draw_rows(3, 100, 0, [2]) == [0, 1, 2]
    assert draw_rows(9, 1, 0, [2, 4]) == [2, 4]


@pytest.mark.parametrize("n_columns", [2, 6, 9, 40, 210])
def test_evaluations_are_those_of_the_methods(n_columns):
    model, X, _ = counted(60, n_columns)
    problem = open_problem(model, X[:2], background=X)
    single = problem.take([0])
    for method, compute in (
        (shap, shap.compute_shap),
        (break_down, break_down.compute_break_down),
    ):
        model.n_rows = 0
        compute(problem, random_state=0)
        both, model.n_rows = model.n_rows, 0
        compute(single, random_state=0)
        # what each further row adds: its evaluations, and a few of itself
        assert both - model.n_rows == pytest.approx(
            method.evaluations_per_row(problem), rel=0.05, abs=3
        )


def test_fewer_rows_where_each_takes_longer():
    few, narrow, wide = (
        open_problem(model, X, background=X)
        for model, X, _ in (counted(120, 2), counted(120, 4), counted(120, 210))
    )
    assert rows_used.n_shap(few) == rows_used.MAX_SHAP > rows_used.n_shap(narrow)
    assert rows_used.n_shap(wide) == rows_used.MIN_SHAP
    assert rows_used.n_compared(narrow) == rows_used.MAX_COMPARED
    assert rows_used.n_compared(wide) == rows_used.MIN_COMPARED
    assert rows_used.n_repeats(86, 6) == 10
    assert rows_used.n_repeats(1000, 50) == 5
    assert rows_used.n_tried(4) == 5000
    assert rows_used.n_tried(1000) == 50


def test_sections_name_the_rows_used(monkeypatch):
    model, X, y = counted(400, 5)
    whole = explain.report(model, X, y, background=X[:300], samples=0).to_dict()
    n_whole, model.n_rows = model.n_rows, 0
    monkeypatch.setattr(rows_used, "MAX_AVERAGED", 150)
    monkeypatch.setattr(rows_used, "MAX_TRIED", 500)
    made = explain.report(model, X, y, background=X[:300], samples=0)
    some, page = made.to_dict(), made.html()
    assert model.n_rows < n_whole
    names = ("permutation_importance", "partial_dependence")
    for name in (*names, "accumulated_local_effects"):
        assert (whole[name]["n_rows"], whole[name]["sample"]) == (400, "")
        assert some[name]["n_rows"] == 150
        assert some[name]["sample"] == "From 150 of 400 rows, drawn at random."
    assert page.count("From 150 of 400 rows") == 3
    assert "Values of 100 of 300 background rows" in page
    # the errors are those of the rows used
    used = draw_rows(400, 150, 0)
    table = explain.permutation_importance(
        model, X[used], y[used], n_repeats=10, random_state=0
    ).frame()
    by_name = {row["feature"]: row for row in some[names[0]]["rows"]}
    for row in table.itertuples():
        assert by_name[row.feature]["high"] == pytest.approx(row.ci_high)
    curve = explain.partial_dependence(model, X[used]).frame()
    first = some[names[1]]["curves"][0]
    expected = curve[(curve["feature"] == first["feature"]) & (curve["class"] == 1)]
    np.testing.assert_allclose(first["lines"][1]["values"], expected["value"])


@pytest.mark.parametrize("n_columns", [2, 6, 20, 120])
def test_rows_to_pick_from_take_a_bounded_number_of_predictions(n_columns):
    model, X, _ = counted(300, n_columns)
    problem = open_problem(model, X[:220], background=X)
    n = rows_used.n_picked(problem)
    assert rows_used.MIN_SHAP <= n <= rows_used.MAX_PICKED
    assert n_columns > 20 or n >= 100
    rows = list(range(10))
    known = {
        "SHAP": ([10], shap.compute_shap(problem.take([10]), random_state=0)),
        "LIME": ([], None),
        "break-down": ([], None),
    }
    model.n_rows = 0
    explain_picked(problem, rows, known, None, 0)
    assert model.n_rows / len(rows) < 4_000_000 / n
