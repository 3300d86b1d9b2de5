import itertools

import numpy as np
import pandas as pd
import pytest
from oracles import Formula, correlated

from skdnn.explain._methods.data_support import RowSupport, Support, code_of, mixtures
from skdnn.explain._model.opening import open_problem

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")


def problem_of(X, background):
    return open_problem(Formula(lambda rows: rows[:, 0]), X, background=background)


def share_off(X, background, rows=None):
    problem = problem_of(X, background)
    draw = np.random.RandomState(0)
    rows = mixtures(problem, draw, 2000) if rows is None else rows
    return Support(problem, draw).outside(rows).mean()


def test_mixtures_of_independent_columns_are_like_the_data():
    X = np.random.default_rng(0).normal(size=(600, 4))
    assert share_off(X[:100], X[100:]) < 0.12


def test_mixtures_of_correlated_columns_are_not():
    X = correlated(600, rho=0.99)
    assert share_off(X[:100], X[100:]) > 0.5


def test_new_rows_of_the_same_kind_are_off_the_data_at_the_stated_rate():
    X = correlated(1000, rho=0.9)
    assert 0.02 < share_off(X[:300], X[300:800], X[800:]) < 0.1


def test_mixtures_hold_cells_of_both_and_of_each_number_alike():
    problem = problem_of(np.ones((5, 4)), np.zeros((20, 4)))
    rows = mixtures(problem, np.random.RandomState(0), 3000)
    shares = np.bincount(rows.sum(axis=1).astype(int), minlength=5) / len(rows)
    assert shares == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 0], abs=0.05)


def test_categories_and_missing_values_count():
    cities = pd.DataFrame(
        {"city": ["Oslo", "Bergen"] * 30, "sea": ["yes", "no"] * 30, "n": 1.0}
    )

    class Model:
        classes_ = np.array([0, 1])

        def predict_proba(self, rows):
            return np.full((len(rows), 2), 0.5)

    problem = open_problem(Model(), cities[:2], background=cities)
    support = Support(problem, np.random.RandomState(0))
    rows = problem.X[[0, 0, 0]].copy()
    rows[1, 1] = problem.X[1, 1]  # Oslo is not without sea
    rows[2, 2] = np.nan
    assert support.outside(rows).tolist() == [False, True, True]


@pytest.mark.parametrize("cell", ["b", None])
def test_cells_are_coded_as_the_problem_does(cell):
    frame = pd.DataFrame({"w": ["a", "b", None, "a"], "n": [1.5, 2, 3, 4]})

    class Model:
        classes_ = np.array([0, 1])

        def predict_proba(self, rows):
            return np.full((len(rows), 2), 0.5)

    problem = open_problem(Model(), frame)
    word, number = problem.target.columns
    code = code_of(word, cell)
    assert code == problem.X[1 if cell else 2, 0]
    assert code_of(number, 1.5) == 1.5
    with pytest.raises(ValueError, match=r"Got none of 'z' in column 'w'"):
        code_of(word, "z")


def test_changes_of_one_row_are_compared_as_whole_rows_are(people, people_model):
    frame, _ = people
    problem = open_problem(people_model, frame)
    support = Support(problem, np.random.RandomState(0))
    own, other = problem.X[3], problem.X[10:60]
    near = RowSupport(support, own)
    assert near.is_outside == support.outside(own[None])[0]
    is_own = np.random.default_rng(0).random(other.shape) < 0.6
    mixed = np.where(is_own, own, other)
    expected = ~support.outside(mixed)
    assert 0 < expected.sum() < len(expected)
    np.testing.assert_array_equal(near.inside(mixed), expected)
    np.testing.assert_array_equal(near.of_changed(other[0]).inside(mixed), expected)
    for columns in ([0], [0, 1], [1, 2, 4]):
        values = [np.unique(other[:12, j]) for j in columns]
        values = [cells[~np.isnan(cells)] for cells in values]
        cells = np.array(list(itertools.product(*values)))
        rows = np.repeat(own[None], len(cells), axis=0)
        rows[:, columns] = cells
        expected = cells[~support.outside(rows)]
        np.testing.assert_array_equal(near.combinations(columns, values), expected)
