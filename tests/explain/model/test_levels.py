import numpy as np
import pandas as pd
import pytest

from skdnn import explain
from skdnn.explain._model.columns import OTHERS, code_column
from skdnn.explain._model.levels import (
    drawn_levels,
    gather_levels,
    has_others,
    levels_for_others,
)

WORDS = np.array(["c"] * 5 + ["a"] * 4 + ["b"] * 3 + ["d", "e", "f"], dtype=object)


def test_frequent_levels_are_kept_in_order_and_others_come_last():
    column, cells, _ = code_column("w", WORDS, None)
    points, place = gather_levels(column, cells, 4)
    assert column.displayed(points).tolist() == ["a", "b", "c", "others"]
    assert np.bincount(place).tolist() == [4, 3, 5, 3]
    points, place = gather_levels(column, cells, 6)
    assert column.displayed(points).tolist() == list("abcdef")
    assert not has_others(points)
    assert np.bincount(place).tolist() == [4, 3, 5, 1, 1, 1]


def test_dates_are_kept_at_quantiles():
    dates = pd.date_range("2020-01-01", periods=101).array
    column, cells, _ = code_column("d", dates[::-1], None)
    points, place = gather_levels(column, cells, 5)
    assert column.displayed(points).tolist() == list(dates[[0, 25, 50, 75, 100]])
    assert np.bincount(place).tolist() == [25, 25, 25, 25, 1]


def test_rows_keep_their_rare_levels_and_others_are_given_one_that_occurs():
    column, cells, _ = code_column("w", WORDS, None)
    points, _ = gather_levels(column, cells, 4)
    own = column.displayed(levels_for_others(points, cells))
    assert own[12:].tolist() == ["d", "e", "f"]
    counts = pd.Series(own[:12]).value_counts()
    assert set(counts.index) == {"d", "e", "f"}
    assert counts.between(3, 5).all()
    drawn = pd.Series(column.displayed(drawn_levels(points, cells, 30)))
    assert drawn.value_counts().between(9, 11).all()


def test_a_level_may_have_the_name_of_the_others():
    words = WORDS.copy()
    words[0] = "others"
    column, _, _ = code_column("w", words, None)
    assert column.displayed(np.array([0.0, OTHERS])).tolist() == ["others", "others_"]


class Levels:
    classes_ = np.array(["no", "yes"])
    n_rows = 0

    def predict_proba(self, X):
        self.n_rows += len(X)
        p = X["id"].str[1:].astype(int).to_numpy() / 1e4
        return np.column_stack([1 - p, p])


@pytest.mark.parametrize(
    "function",
    [
        explain.partial_dependence,
        explain.accumulated_local_effects,
        explain.average_conditional_effects,
        explain.ceteris_paribus,
    ],
)
def test_many_levels_cost_what_their_rows_cost(function):
    # one level of half of the rows, and one for each other row: 0.05 on average
    ids = ["k0000"] * 1000 + [f"k{i:04}" for i in range(1, 1001)]
    X = pd.DataFrame({"id": ids, "a": np.arange(2000) % 3})
    rows = X[:1] if function is explain.ceteris_paribus else X
    model = Levels()
    result = function(model, rows, background=None if rows is X else X, features="id")
    assert model.n_rows <= 60 * len(X)
    table = result.frame()
    table = table[table["class"] == "yes"]
    name = "level" if "level" in table else "x"
    assert table[name].iloc[-1] == "others"
    assert len(table) <= 50
    value = table["effect" if name == "level" else "value"].iloc[-1]
    first = 0.0 if name == "level" else table["value"][table["x"] == "k0000"].iloc[0]
    assert value - first == pytest.approx(0.05, abs=2.5e-3)
