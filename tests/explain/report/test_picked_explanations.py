"""Rows to pick from are explained as by the functions, with fewer predictions."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skdnn.explain._methods.break_down import compute_break_down
from skdnn.explain._methods.lime import compute_lime
from skdnn.explain._methods.shap import compute_shap
from skdnn.explain._model.opening import draw_background, open_problem
from skdnn.explain._report import rows_used
from skdnn.explain._report.picked_explanations import explain_picked


@pytest.fixture(scope="module")
def picked():
    X, y = make_classification(150, 9, n_informative=4, random_state=0)
    model = LogisticRegression().fit(X, y)
    problem = open_problem(model, X[:60], background=X[60:])
    known = {
        "SHAP": ([0, 3], compute_shap(problem.take([0, 3]), random_state=0)),
        "LIME": ([3], compute_lime(problem.take([3]), random_state=0)),
        "break-down": ([], None),
    }
    rows = [3, 7, 12]
    return problem, known, explain_picked(problem, rows, known, None, 0)


def test_known_explanations_are_kept(picked):
    _, known, result = picked
    assert result.shap[0].values == pytest.approx(known["SHAP"][1].values[[1]])
    assert result.lime[0].values == pytest.approx(known["LIME"][1].values)
    assert result.rows == [3, 7, 12]


def test_explanations_are_those_of_the_functions(picked):
    problem, _, result = picked
    some = problem.take([7, 12])
    exact = compute_shap(some, random_state=0)
    for i, one in enumerate(result.shap[1:]):
        assert one.base_values == pytest.approx(exact.base_values)
        low, high = one.interval(0.999)
        inside = (low <= exact.values[i]) & (exact.values[i] <= high)
        assert inside.mean() > 0.9
        assert one.values.sum(axis=1) + one.base_values == pytest.approx(
            problem.target.predict(some.X)[[i]]
        )
    few = draw_background(problem, np.random.RandomState(0), 20)
    path = compute_break_down(some.with_background(few), random_state=0)
    for i, one in enumerate(result.break_down[1:]):
        assert one.values[0] == pytest.approx(path.values[i])
        assert one.n_background == len(few) == rows_used.PICKED_BACKGROUND


def test_counterfactuals_change_the_class(picked):
    problem, _, result = picked
    frame = result.counterfactuals.frame()
    columns = problem.target.feature_names
    rows = frame[frame["found"]]
    assert len(rows) == 3
    before = problem.target.classes_of(problem.X[[3, 7, 12]])
    assert (problem.target.classes_of(rows[columns].to_numpy(float)) != before).all()


def test_without_rows_there_is_nothing(picked):
    problem, known, _ = picked
    assert explain_picked(problem, [], known, None, 0) is None
