import numpy as np
import pandas as pd
import pytest
from oracles import Formula

from skdnn.explain._model.grid import grid_points, outputs_at, ticks_of
from skdnn.explain._model.opening import open_problem


def coded(cells):
    class Any:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            return np.full((len(X), 2), 0.5)

    problem = open_problem(Any(), pd.DataFrame({"a": cells}))
    return problem.target.columns[0], problem.X[:, 0]


def test_few_numbers_are_all_points():
    column, cells = coded([3.0, 1.0, np.nan, 1.0])
    assert grid_points(column, cells, 50).tolist() == [1, 3]


def test_many_numbers_are_spread_evenly_over_the_middle():
    column, cells = coded(np.r_[np.linspace(0, 1, 999), 1e6])
    points = grid_points(column, cells, 11)
    assert len(points) == 11
    assert points.max() < 1
    np.testing.assert_allclose(np.diff(points), np.diff(points)[0])


@pytest.mark.parametrize("dtype", ["int64", "Int16", "float32"])
def test_points_are_what_the_dtype_holds(dtype):
    column, cells = coded(pd.array(np.arange(300) % 201, dtype=dtype))
    points = grid_points(column, cells, 20)
    np.testing.assert_array_equal(points, column.rounded(points))
    assert len(points) == 20


def test_infinite_and_missing_cells():
    column, cells = coded([np.inf, 1.0, 2.0, -np.inf])
    assert grid_points(column, cells, 50).tolist() == [1, 2]
    column, cells = coded([np.nan] * 3)
    assert np.isnan(grid_points(column, cells, 50)).all()
    assert len(ticks_of(column, cells, 50)) == 0


@pytest.mark.parametrize(
    ("cells", "order", "ordered"),
    [
        (["b", None, "a"], ["a", "b", None], False),
        ([True, False, True], [False, True], True),
        (pd.Categorical(["b", "a"], categories=["b", "a"]), ["b", "a"], False),
        (pd.Categorical(["b", "a"], ["b", "a"], ordered=True), ["b", "a"], True),
        (pd.to_datetime(["2021-01-01", "2020-01-01"]),
         list(pd.to_datetime(["2020-01-01", "2021-01-01"])), True),
        (pd.Series(["a", 1, True], dtype=object), [1, True, "a"], False),
    ],
)  # fmt: skip
def test_categories_have_an_order(cells, order, ordered):
    column, codes = coded(cells)
    result = column.displayed(column.sort_categories(np.unique(codes)))
    assert [None if pd.isna(level) else level for level in result] == order
    assert column.is_ordered == ordered


def test_ticks_are_deciles_or_shares():
    column, cells = coded(np.arange(101.0))
    np.testing.assert_allclose(ticks_of(column, cells, 50), np.arange(10, 100, 10))
    column, cells = coded(["b", "a", "b", "b"])
    assert ticks_of(column, cells, 50).tolist() == [0.25, 0.75]


def test_outputs_come_in_blocks_of_points():
    X = np.random.default_rng(0).random((3000, 2))
    target = open_problem(Formula(lambda X: (X[:, 0] + X[:, 1]) / 100), X).target
    points = np.column_stack([np.arange(40.0), np.arange(40.0) / 2])
    parts = list(outputs_at(target, X, [1, 0], points, X[:, [1, 0]]))
    assert [len(output) for _, output in parts] == [16, 16, 8]
    together = np.concatenate([output for _, output in parts])
    np.testing.assert_allclose(
        together[:, :, 1], np.repeat(points.sum(axis=1)[:, None] / 100, 3000, axis=1)
    )
