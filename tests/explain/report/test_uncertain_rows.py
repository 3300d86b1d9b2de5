"""The uncertainty of the rows of a report."""

import numpy as np
import pytest
from oracles import WithSets

from skdnn import explain
from skdnn.explain._model.opening import open_problem
from skdnn.explain._report import uncertain_rows


@pytest.fixture
def problem():
    X = np.random.default_rng(0).normal(size=(160, 2))
    model = WithSets(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    return open_problem(model, X[:60], background=X[60:])


def test_all_rows_are_measured(problem):
    predicted = problem.target.predict(problem.X).argmax(axis=1)
    measured = uncertain_rows.measure_uncertainty(
        problem, predicted, [3], 0, is_compared=True
    )
    assert measured["uncertain_rows"] == list(range(60))
    novelty = explain.novelty(
        problem.target.estimator, problem.X, background=problem.background,
        random_state=0,
    )  # fmt: skip
    own = measured["uncertainty"]
    np.testing.assert_array_equal(own.p_values, novelty.p_values)
    np.testing.assert_array_equal(
        own.sets, problem.target.estimator.predict_set(problem.X)
    )
    assert novelty.describe().endswith(measured["drift"])


def test_of_many_rows_some_are_drawn_with_those_kept(problem, monkeypatch):
    monkeypatch.setattr(uncertain_rows, "MAX_UNCERTAIN", 10)
    predicted = np.arange(60) % 2
    measured = uncertain_rows.measure_uncertainty(
        problem, predicted, [58, 59], 0, is_compared=False
    )
    rows, own = measured["uncertain_rows"], measured["uncertainty"]
    assert len(rows) == len(own) == 10
    assert {58, 59} <= set(rows)
    assert own.predicted.tolist() == [row % 2 for row in rows]
    assert own.p_values is None
    assert measured["drift"] == ""
