import itertools

import numpy as np
import pytest
from oracles import Formula

from skdnn.explain._methods.allowed_changes import AllowedChanges, differ
from skdnn.explain._methods.counterfactual_search import (
    BUDGET,
    Goal,
    Search,
    n_combinations,
)
from skdnn.explain._model.opening import open_problem

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")

GOAL = Goal(np.array([False, True]))


def search(formula, X, row=None, budget=BUDGET):
    problem = open_problem(Formula(formula), X)
    d = X.shape[1]
    values = {j: np.unique(X[:, j]) for j in range(d)}
    allowed = AllowedChanges(list(range(d)), values, np.ptp(X, axis=0))
    row = X[0] if row is None else row
    return Search(problem.target, allowed, row, GOAL, budget=budget)


def test_counts_combinations():
    counts = np.array([3, 1, 4, 2])
    for size in range(1, 5):
        result = sum(
            np.prod([counts[j] for j in which])
            for which in itertools.combinations(range(4), size)
        )
        assert n_combinations(counts, size) == result


def test_needless_changes_are_undone():
    X = np.random.default_rng(0).random((30, 4))
    row, changed = X[X[:, 0] < 0.5][0], X[X[:, 0] > 0.5][0]
    one = search(lambda X: (X[:, 0] > 0.5).astype(float), X, row)
    assert differ(changed, row).all()
    assert np.flatnonzero(differ(one.undo_needless(changed), row)).tolist() == [0]


def test_changes_are_as_small_as_possible():
    X = np.linspace(0, 1, 21)[:, None]
    one = search(lambda X: (X[:, 0] > 0.62).astype(float), X)
    assert one.shrink(np.array([1.0]))[0] == pytest.approx(0.65)


def test_large_sets_are_found_by_beam_search():
    """Six of twelve columns must change; there are too many sets of six."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (40, 12)).astype(float)
    X[0] = 0
    weights = np.arange(1, 13.0)
    limit = 2 * weights[-6:].sum() - 1

    def formula(X):
        return 1 / (1 + np.exp(limit - X @ weights))

    rows, is_fewest = search(formula, X, budget=2000).run(1)
    assert differ(rows[0], X[0]).sum() == 6
    assert not is_fewest
    assert search(formula, X, budget=10**8).affordable(6)


def test_promising_values_are_kept():
    X = np.column_stack([np.arange(200.0), np.arange(200.0)])

    def formula(X):
        return 0.1 + 0.3 * (X[:, 0] == 77) + 0.3 * (X[:, 1] == 123)

    rows, _ = search(formula, X, budget=1000).run(1)
    assert rows.tolist() == [[77, 123]]


def test_a_change_of_all_columns_without_improvement_on_the_way():
    X = np.array(list(itertools.product([0.0, 1.0], repeat=5)))
    rows, is_fewest = search(lambda X: np.where(X.all(axis=1), 0.9, 0.2), X).run(1)
    assert rows.tolist() == [[1] * 5]
    assert is_fewest
    rows, is_fewest = search(lambda X: np.full(len(X), 0.2), X).run(1)
    assert len(rows) == 0
    assert is_fewest


def test_search_ends_without_improvement():
    calls = []

    def formula(X):
        calls.append(len(X))
        return np.full(len(X), 0.2)

    X = np.random.default_rng(0).random((50, 20))
    rows, is_fewest = search(formula, X).run(1)
    assert len(rows) == 0
    assert not is_fewest
    # single changes, and two sizes without improvement
    assert sum(calls) < 3 * 60_000


def test_rows_are_joined_to_large_blocks():
    calls = []

    def formula(X):
        calls.append(len(X))
        return np.full(len(X), 0.2)

    X = np.random.default_rng(0).random((50, 20))
    search(formula, X).run(1)
    assert len(calls) < 15
