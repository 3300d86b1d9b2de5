import itertools
import json

import numpy as np
import pandas as pd
import pytest
from oracles import Formula
from sklearn.linear_model import LogisticRegression

from skdnn import explain

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")


def check(model, X, result, target=None):
    """Check that results have the class, and differ by changes() alone."""
    table, changes = result.frame(), result.changes()
    rows = result.table.iloc[:, 3:]
    rows = rows if isinstance(X, pd.DataFrame) else rows.to_numpy()
    predicted = model.predict(rows)
    before = model.predict(X)
    outcome = table["found"].to_numpy()
    assert (predicted[outcome] == table["target"][outcome]).all()
    if target is None:
        assert (predicted[outcome] != before[table["sample"][outcome]]).all()
    else:
        assert (table["target"] == target).all()
    assert not set(changes["row"]) & set(np.flatnonzero(~outcome))
    original = X.iloc[table["sample"]] if isinstance(X, pd.DataFrame) else (
        pd.DataFrame(X[table["sample"]], columns=result.table.columns[3:])
    )  # fmt: skip
    moved = {(c.row, c.feature) for c in changes.itertuples()}
    for i in range(len(table)):
        for name in original.columns:
            old, new = original[name].iloc[i], table[name].iloc[i]
            same = (pd.isna(old) and pd.isna(new)) or old == new
            assert same == ((i, str(name)) not in moved)


def test_changes_the_class(iris_model):
    model, X, _ = iris_model
    rows = X[::10].reset_index(drop=True)
    result = explain.counterfactuals(model, rows, background=X)
    check(model, rows, result)
    table = result.frame()
    own = ["sample", "found", "target"]
    assert list(result.table) == [*own, *X.columns]
    pairs = [name for column in X for name in (column, f"{column}_old")]
    assert list(table) == [*own, *pairs]
    assert table["sample"].tolist() == list(range(15))
    assert table["found"].all()
    # cells that occur
    for name in X.columns:
        assert set(table[name]) <= set(X[name])


def spacing(data):
    """Return a function of distances from the data, and the usual distance, by loops.

    All columns are numbers, and none is missing.
    """
    spread = data.std(axis=0)

    def distance(row, others):
        return min(np.sqrt((((row - other) / spread) ** 2).sum()) for other in others)

    each = [distance(data[i], np.delete(data, i, axis=0)) for i in range(len(data))]
    return lambda row: distance(row, data), np.quantile(each, 0.95)


@pytest.mark.parametrize("seed", range(6))
def test_an_exhaustive_search_finds_the_same(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 4, (30, 4)).astype(float)
    weights = rng.normal(size=(4, 3))
    prices = rng.uniform(0.5, 3, 4)

    class Model:
        classes_ = np.array(["a", "b", "c"])

        def predict_proba(self, X):
            score = X @ weights + 0.7 * (X[:, :3] * X[:, 1:])
            p = np.exp(score - score.max(axis=1, keepdims=True))
            return p / p.sum(axis=1, keepdims=True)

        def predict(self, X):
            return self.classes_[self.predict_proba(X).argmax(axis=1)]

    model = Model()
    away, usual = spacing(X)
    grid = np.array(list(itertools.product(range(4), repeat=4)), dtype=float)
    proba = model.predict_proba(grid)
    is_near = np.array([away(row) <= usual + 1e-9 for row in grid])
    for wanted, target_class in enumerate("abc"):
        others = np.delete(proba, wanted, axis=1).max(axis=1)
        good = grid[is_near & (proba[:, wanted] >= 1.05 * others)]
        result = explain.counterfactuals(
            model, X[:8], background=X, target_class=target_class, n_alternatives=9,
            costs=dict(enumerate(prices)),
        )  # fmt: skip
        check(model, X[:8], result, target_class)
        assert result.is_fewest.all()
        table, changes = result.frame(), result.changes()
        for i in range(8):
            of_row = table[table["sample"] == i]
            if model.predict(X[[i]])[0] == target_class:
                assert len(changes[changes["sample"] == i]) == 0
                continue
            # the smallest cost for each set of columns, and the sets that hold no other
            costs = (np.abs(good - X[i]) / np.ptp(X, axis=0) * prices).sum(axis=1)
            least = {}
            for row, cost in zip(good, costs, strict=True):
                columns = frozenset(np.flatnonzero(row != X[i]).tolist())
                least[columns] = min(cost, least.get(columns, np.inf))
            least = {c: v for c, v in least.items() if not any(o < c for o in least)}
            assert of_row["found"].iloc[0] == bool(least)
            if not least:
                assert result.reasons[i]
                continue
            outcome = [
                frozenset(int(f[1:]) for f in changes[changes["row"] == row]["feature"])
                for row in of_row.index
            ]
            assert set(outcome) == set(least)
            assert len(outcome) == len(least)
            expected = [least[columns] for columns in outcome]
            np.testing.assert_allclose(result.costs[of_row.index], expected)
            sizes = [len(columns) for columns in outcome]
            assert sizes == sorted(sizes)
            assert least[outcome[0]] == min(
                cost for c, cost in least.items() if len(c) == sizes[0]
            )


def test_of_several_the_nearest_counts():
    X = np.column_stack([np.arange(11.0), np.arange(11.0) * 100])
    X = np.array(list(itertools.product(*X.T)))
    model = Formula(lambda X: (2 * X[:, 0] + X[:, 1] / 100 > 15.5).astype(float))
    row = np.array([[4.0, 300.0]])
    # 3 of 10 in the first column, or 500 of 1000 in the second, and not less
    result = explain.counterfactuals(model, row, background=X)
    assert result.changes()[["feature", "new"]].to_numpy().tolist() == [["x0", 7.0]]
    both = explain.counterfactuals(model, row, background=X, n_alternatives=5)
    assert both.changes()["new"].tolist() == [7.0, 800.0]
    assert both.frame()["sample"].tolist() == [0, 0]


def test_two_changes_where_one_is_not_enough():
    X = np.array([[0.0, 0, 0], [1, 1, 1], [0, 1, 1], [1, 0, 0]])
    model = Formula(lambda X: ((X[:, 0] > 0.5) & (X[:, 2] > 0.5)).astype(float))
    result = explain.counterfactuals(model, X[:1], background=X)
    assert result.changes()["feature"].tolist() == ["x0", "x2"]
    assert result.is_fewest.tolist() == [True]


def test_fixed_columns_stay(iris_model):
    model, X, _ = iris_model
    rows = X[::10].reset_index(drop=True)
    kept = {"petal length (cm)": False, -1: False, 0: True}
    result = explain.counterfactuals(model, rows, background=X, actionable=kept)
    check(model, rows, result)
    assert set(result.changes()["feature"]) <= {"sepal width (cm)", "sepal length (cm)"}
    assert 0 < result.frame()["found"].sum() < 15


def test_ranges_hold(people, people_model):
    frame, _ = people
    rows = frame[:30]
    result = explain.counterfactuals(
        people_model, rows, background=frame, n_alternatives=3,
        actionable={"grade": False},
        ranges={"age": (45, None), "income": (-1, 1.0), "city": ["Oslo", "Tromsø"]},
    )  # fmt: skip
    check(people_model, rows, result)
    changes = result.changes()
    assert (changes[changes["feature"] == "age"]["new"] >= 45).all()
    assert changes[changes["feature"] == "income"]["new"].between(-1, 1).all()
    cities = changes[changes["feature"] == "city"]["new"]
    assert set(cities) <= {"Oslo", "Tromsø"}
    assert len(cities)
    assert not (changes["feature"] == "grade").any()


def test_cells_are_never_made_missing_and_dtypes_stay(people, people_model):
    frame, _ = people
    result = explain.counterfactuals(people_model, frame[:40], background=frame)
    table, changes = result.frame(), result.changes()
    assert not changes["new"].isna().any()
    pd.testing.assert_series_equal(table[frame.columns].dtypes, frame.dtypes)
    assert table["target"].dtype.kind == "O"
    assert table["found"].dtype == bool


def test_rows_of_the_class_are_unchanged(iris_model):
    model, X, y = iris_model
    result = explain.counterfactuals(model, X[:3], background=X, target_class=y[0])
    assert result.frame()["found"].tolist() == [True] * 3
    assert result.changes().empty
    pd.testing.assert_frame_equal(result.frame()[list(X.columns)], X[:3])


def test_none_there_is():
    X = np.random.default_rng(0).random((20, 2))
    model = Formula(lambda X: 0.3 + 0.1 * X[:, 0])
    for target_class in (None, True):
        result = explain.counterfactuals(model, X[:2], target_class=target_class,
                                         background=X)  # fmt: skip
        table = result.frame()
        assert table["found"].tolist() == [False] * 2
        assert table["target"].tolist() == [True] * 2
        np.testing.assert_array_equal(table[["x0", "x1"]], X[:2])
        assert result.changes().empty


def test_other_thresholds_are_the_classifiers_own():
    X = np.linspace(0, 1, 41)[:, None]

    class Careful(Formula):
        def predict(self, X):
            return self.predict_proba(X)[:, 1] > 0.7

    model = Careful(lambda X: X[:, 0])
    result = explain.counterfactuals(model, X[:1], background=X)
    assert result.frame()["x0"].iloc[0] == X[X > 0.7].min()
    back = explain.counterfactuals(model, X[-1:], background=X)
    # of the class of `predict`, though the other is more probable
    assert back.frame()["target"].tolist() == [False]
    assert back.frame()["found"].all()
    assert not model.predict(back.frame()[["x0"]].to_numpy())[0]


def test_many_columns_need_many_changes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 25))
    model = LogisticRegression().fit(X, X.sum(axis=1) > 0)
    row = np.full((1, 25), -0.7)
    result = explain.counterfactuals(model, row, background=X)
    table, changes = result.frame(), result.changes()
    assert table["found"].all()
    assert model.predict(result.table.iloc[:, 3:].to_numpy())[0]
    # an additive score: the best single values, one after the other, are the fewest
    gains = np.sort(((X - row) * model.coef_[0]).max(axis=0))[::-1]
    missing = -model.decision_function(row)[0]
    assert len(changes) == np.searchsorted(np.cumsum(gains), missing) + 1
    assert len(changes) > 2


def test_names_of_any_kind():
    X = pd.DataFrame(np.random.default_rng(0).random((20, 2)), columns=[7, 3])
    model = LogisticRegression(C=100).fit(X.to_numpy(), X[7] > 0.5)
    result = explain.counterfactuals(
        _Unnamed(model), X[:2], background=X, actionable={"3": False}
    )
    assert list(result.frame().columns) == ["sample", "found", "target", 7, "7_old", 3]
    assert result.changes()["feature"].tolist() == ["7", "7"]
    table = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert set(table["columns"]) == {"sample", "found", "target", "7", "7_old", "3"}
    assert table["is_fewest"] == [True, True]


class _Unnamed:
    """Takes frames of any names, as formulas do."""

    def __init__(self, model):
        self.model, self.classes_ = model, model.classes_

    def predict_proba(self, X):
        return self.model.predict_proba(np.asarray(X))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"target_class": "rose"}, "`target_class` must be one of the classes"),
        ({"actionable": {"petals": False}}, "`actionable` must name columns of X"),
        ({"actionable": dict.fromkeys(range(4), False)}, "must leave a column"),
        ({"ranges": {"petals": (1, 2)}}, "`ranges` must name columns of X"),
        ({"ranges": {0: (1, 9), -4: (1, 9)}}, "`ranges` must name a column once"),
        ({"ranges": [(1, 2)]}, "`ranges` must be a dict"),
        ({"ranges": {0: (6, 5)}}, r"must rise. Got \(6, 5\)"),
        ({"ranges": {0: (np.nan, 5)}}, "must rise"),
        ({"ranges": {0: 5}}, r"must be \(low, high\).*Got 5"),
        ({"ranges": {0: ("a", 5)}}, r"must be \(low, high\)"),
        ({"ranges": {0: (100, 200)}}, "must hold a value that occurs"),
        ({"n_alternatives": 0}, "`n_alternatives` must be a whole number, at least 1"),
    ],
)
def test_bad_input(settings, match, iris_model):
    model, X, _ = iris_model
    with pytest.raises(ValueError, match=match):
        explain.counterfactuals(model, X[:2], background=X, **settings)


def test_bad_levels_and_names(people, people_model):
    frame, _ = people
    with pytest.raises(ValueError, match=r"levels that occur.*Got \['Rome'\] as well"):
        explain.counterfactuals(people_model, frame, ranges={"city": ["Oslo", "Rome"]})
    with pytest.raises(ValueError, match=r"must be a list of levels\. Got 'Oslo'"):
        explain.counterfactuals(people_model, frame, ranges={"city": "Oslo"})


def test_own_columns_give_way_to_those_of_the_user():
    X = pd.DataFrame({"target": [0.0, 1.0], "sample": [0.0, 1.0]})
    result = explain.counterfactuals(LogisticRegression().fit(X, ["a", "b"]), X)
    table = result.frame()
    assert list(table) == [
        "sample_", "found", "target_", "target", "target_old", "sample", "sample_old",
    ]  # fmt: skip
    assert table["target_"].tolist() == ["b", "a"]
    assert list(result.rows) == ["sample", "found", "target"]
    assert result.rows["sample"].tolist() == [0, 1]
    assert result.describe(1).startswith("This row would be a if ")
    assert result.plot().get_yticklabels()[0].get_text() == "row 0 → b"


def test_same_twice_and_nothing_is_changed(people, people_model):
    frame, _ = people
    before = frame.copy()
    tables = [
        explain.counterfactuals(
            people_model, frame[:9], background=frame, **settings
        ).frame()
        for settings in ({}, {"actionable": {}, "ranges": {}, "costs": {}})
    ]
    pd.testing.assert_frame_equal(*tables)
    pd.testing.assert_frame_equal(frame, before)
