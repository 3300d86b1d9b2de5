"""Which changes are proposed: properties that are recomputed with the classifier."""

import itertools

import numpy as np
import pandas as pd
import pytest
from oracles import Formula
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdnn import explain
from skdnn.explain._methods.allowed_changes import AllowedChanges, differ

GRADES = ["low", "mid", "high", "top"]


@pytest.fixture(scope="module")
def loans():
    """A frame with ordered categories, a classifier, and rows that it refuses."""
    rng = np.random.default_rng(0)
    n = 500
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 70, n),
            "income": rng.normal(40, 12, n).round(1),
            "duration": rng.integers(6, 60, n),
            "grade": pd.Categorical(rng.choice(GRADES, n), GRADES, ordered=True),
            "job": rng.choice(["clerk", "cook", "guard"], n),
        }
    )
    score = (
        frame["age"] / 20
        + frame["income"] / 8
        - frame["duration"] / 10
        + 1.5 * frame["grade"].cat.codes
    )
    y = np.where(score + rng.normal(0, 0.5, n) > score.median(), "yes", "no")
    columns = make_column_transformer(
        (StandardScaler(), ["age", "income", "duration"]),
        (OneHotEncoder(), ["grade", "job"]),
    )
    model = make_pipeline(columns, LogisticRegression()).fit(frame, y)
    refused = frame[model.predict(frame) == "no"][:12].reset_index(drop=True)
    return model, frame, refused


def proposals(result, X):
    """Return the rows that are found, and the explained row of each."""
    table = result.frame()
    is_found = table["found"].to_numpy()
    assert is_found.any()
    rows = table.loc[is_found, list(X)].reset_index(drop=True)
    return rows, X.iloc[table["sample"][is_found]].reset_index(drop=True)


def test_columns_change_in_the_directions_given(loans):
    model, frame, X = loans
    rules = {"age": False, "income": "up", "duration": "down", "grade": "up"}
    result = explain.counterfactuals(
        model, X, background=frame, actionable={**rules, "job": True}, n_alternatives=4
    )
    new, old = proposals(result, X)
    assert (new["age"] == old["age"]).all()
    assert (new["income"] >= old["income"]).all()
    assert (new["duration"] <= old["duration"]).all()
    assert (new["grade"].cat.codes >= old["grade"].cat.codes).all()
    for name in ("income", "duration", "grade"):
        assert (new[name] != old[name]).any()
    assert result.actionable == {**rules, "job": True}


def test_words_change_along_a_list(loans):
    model, frame, X = loans
    words = frame.astype({"grade": object})
    kept = dict.fromkeys(["age", "income", "duration", "job"], False)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["grade", "job"]),
        ("passthrough", ["age", "income", "duration"]),
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=5000)).fit(
        words, model.predict(frame)
    )
    X = X.astype({"grade": object})
    levels = ["low", "mid", "high"]
    by_rule = {}
    for name, rule in {
        "any": levels,
        "up": ("up", levels),
        "down": ("down", levels),
    }.items():
        result = explain.counterfactuals(
            model, words[:200], background=words, actionable={**kept, "grade": rule}
        )
        changes = result.changes()
        assert set(changes["new"]) <= set(levels)
        by_rule[name] = changes
    for name, sign in (("up", 1), ("down", -1)):
        for change in by_rule[name].itertuples():
            assert sign * (levels.index(change.new) - levels.index(change.old)) > 0
    assert len(by_rule["any"]) >= len(by_rule["up"]) > 0
    assert "top" in set(by_rule["any"]["old"])
    assert "top" not in set(by_rule["up"]["old"])


def test_steps_of_an_order_cost_their_share(loans):
    model, frame, _ = loans
    others = dict.fromkeys(["age", "income", "duration", "job"], False)
    result = explain.counterfactuals(
        model, frame[:200], background=frame, actionable=others, costs={"grade": 6.0}
    )
    changes, proba = result.changes(), model.predict_proba(frame[:200])
    assert len(changes)
    for change in changes.itertuples():
        steps = GRADES.index(change.new) - GRADES.index(change.old)
        assert result.costs[change.row] == pytest.approx(6 * abs(steps) / 3)
        # no smaller step, up to the margin, changes the class
        row = frame.iloc[[change.sample]].copy()
        is_yes = proba[change.sample, 1] > 0.5
        for step in range(GRADES.index(change.old), GRADES.index(change.new),
                          1 if steps > 0 else -1):  # fmt: skip
            row["grade"] = pd.Categorical([GRADES[step]], GRADES, ordered=True)
            p = model.predict_proba(row)[0, 0 if is_yes else 1]
            assert p < 0.5 * 1.05


@pytest.mark.parametrize("n_classes", [2, 3, 26])
def test_the_class_is_reached_by_a_margin(n_classes):
    X, y = make_blobs(600, 4, centers=n_classes, cluster_std=2.5, random_state=0)
    model = LogisticRegression(max_iter=2000).fit(X, y)
    result = explain.counterfactuals(model, X[:25], background=X, random_state=0)
    is_found = result.rows["found"].to_numpy()
    assert is_found.any()
    rows = result.table.iloc[is_found, 3:].to_numpy()
    target, before = result.rows["target"][is_found], model.predict(X[:25])
    np.testing.assert_array_equal(model.predict(rows), target)
    proba = model.predict_proba(rows)
    own = before[result.rows["sample"][is_found]]
    each = np.arange(len(rows))
    assert (proba[each, target] >= 1.05 * proba[each, own] - 1e-9).all()


@pytest.mark.parametrize("threshold", [0.2, 0.8])
def test_the_margin_is_past_a_threshold_of_predict(threshold):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2))
    model = FixedThresholdClassifier(
        LogisticRegression().fit(X, X[:, 0] + rng.normal(size=500) > 0),
        threshold=threshold,
        response_method="predict_proba",
    ).fit(X, X[:, 0] > 0)
    result = explain.counterfactuals(model, X[:40], background=X, random_state=0)
    is_found = result.rows["found"].to_numpy()
    assert is_found.mean() > 0.8
    rows = result.table.iloc[is_found, 3:].to_numpy()
    target = result.rows["target"][is_found].to_numpy()
    np.testing.assert_array_equal(model.predict(rows), target)
    # the threshold is only known to be between two rows of the background
    known, is_above = model.predict_proba(X)[:, 1], model.predict(X)
    middle = (known[is_above].min() + known[~is_above].max()) / 2
    assert middle == pytest.approx(threshold, abs=0.02)
    p = model.predict_proba(rows)[:, 1]
    odds = p / (1 - p) / (middle / (1 - middle))
    odds = np.where(target, odds, 1 / odds)
    assert (odds >= 1.05 - 1e-9).all()
    assert np.median(odds) < 1.5


def test_rows_that_do_not_occur_are_not_proposed():
    rng = np.random.default_rng(0)
    a = rng.normal(size=400)
    X = np.column_stack([a, a + 0.05 * rng.normal(size=400)])
    model = Formula(lambda X: 1 / (1 + np.exp(-4 * X[:, 0])))
    row = np.array([[-1.5, -1.5]])
    result = explain.counterfactuals(model, row, background=X)
    # the second column has no effect, but follows the first
    assert set(result.changes()["feature"]) == {"x0", "x1"}
    alone = explain.counterfactuals(
        model, row, background=X, actionable={"x1": False}, target_class=True
    )
    assert not alone.rows["found"][0]
    assert alone.reasons == (
        "no row like the background rows changes the prediction within the columns "
        "that may change",
    )
    assert alone.reasons[0] in alone.describe()
    assert alone.reasons[0] in alone._repr_html_()
    off = explain.counterfactuals(model, row * [1, -1], background=X)
    assert off.rows["found"][0]  # with both columns it gets back to the data
    kept = explain.counterfactuals(
        model, row * [1, -9], background=X, actionable={"x1": False}
    )
    assert kept.reasons[0].endswith("the row itself is unlike them")


def test_a_row_without_other_values():
    X = np.column_stack([np.arange(20.0), np.tile([0.0, 1.0], 10)])
    model = Formula(lambda X: X[:, 0] / 20)
    result = explain.counterfactuals(
        model, X[-1:], background=X, actionable={0: "up", 1: False}
    )
    expected = "no column that may change has another value that is allowed"
    assert result.reasons == (expected,)
    assert result.is_fewest.tolist() == [True]


def test_a_missing_value_has_no_direction():
    X = np.column_stack([np.arange(40.0), np.arange(40.0) % 7])
    X[::10, 0] = np.nan
    model = Formula(lambda X: np.where(np.nan_to_num(X[:, 0]) > 20, 0.9, 0.1))
    rules = {"x0": "up", "x1": True}
    result = explain.counterfactuals(model, X[:12], background=X, actionable=rules)
    is_missing = np.isnan(X[:12, 0])
    changed = set(result.changes()["sample"])
    assert changed == set(np.flatnonzero(~is_missing))
    free = explain.counterfactuals(model, X[:12], background=X)
    assert set(free.changes()["sample"]) == set(range(12))


def test_costs_choose_among_as_many_changes():
    X = np.array(list(itertools.product(range(11), range(11))), dtype=float)
    model = Formula(lambda X: np.where(X.sum(axis=1) > 9.5, 0.9, 0.1))
    row = np.array([[4.0, 4.0]])
    for costs, expected in (({"x0": 2.0}, "x1"), ({1: 2.0}, "x0")):
        result = explain.counterfactuals(model, row, background=X, costs=costs)
        assert result.changes()["feature"].tolist() == [expected]
        assert result.costs.tolist() == [pytest.approx(0.2)]
    both = explain.counterfactuals(
        model, row, background=X, costs={"x0": 2.0}, n_alternatives=2
    )
    assert both.changes()["feature"].tolist() == ["x1", "x0"]
    np.testing.assert_allclose(both.costs, [0.2, 0.4])


def test_alternatives_change_different_columns():
    X = np.array(list(itertools.product(range(4), repeat=4)), dtype=float)
    # the first two columns suffice, the last two, or one of each with a third
    model = Formula(lambda X: np.where(np.sort(X, axis=1)[:, 2:].sum(axis=1) > 3.5,
                                       0.9, 0.1))  # fmt: skip
    result = explain.counterfactuals(model, X[:1], background=X, n_alternatives=2)
    first, second = (set(c["feature"]) for _, c in result.changes().groupby("row"))
    assert not first & second
    assert len(first) == len(second) == 2


def test_fixed_is_deprecated(loans):
    model, frame, X = loans
    with pytest.warns(FutureWarning, match="`fixed` of counterfactuals is deprecated"):
        old = explain.counterfactuals(model, X, background=frame, fixed=["age", -1])
    rules = {"age": False, "job": False}
    new = explain.counterfactuals(model, X, background=frame, actionable=rules)
    pd.testing.assert_frame_equal(old.frame(), new.frame())
    with (
        pytest.warns(FutureWarning),
        pytest.raises(ValueError, match="`fixed` must be left out where"),
    ):
        explain.counterfactuals(model, X, background=frame, fixed=0, actionable=rules)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"actionable": {"incme": "up"}}, "Did you mean 'income'"),
        ({"actionable": ["age"]}, "`actionable` must be a dict.* Got list"),
        ({"actionable": {"age": "Up"}}, "Got 'Up'. Did you mean 'up'"),
        ({"actionable": {"age": 1}}, r"`actionable` of 'age' must be False.*Got 1\."),
        ({"actionable": {"age": None}}, "must be False.*Got None"),
        ({"actionable": {"job": "up"}}, r"must give the order.*use \('up', levels\)"),
        ({"actionable": {"job": ["cook", "clark"]}}, "Did you mean 'clerk'"),
        ({"actionable": {"job": ["cook", "cook"]}}, "must list levels of the column"),
        ({"actionable": {"job": []}}, "must list levels of the column once"),
        ({"actionable": {"job": ("on", ["cook"])}}, "must be False"),
        ({"actionable": {"age": [20, 30]}}, "limit numbers by `ranges`"),
        ({"costs": {"incme": 1}}, "`costs` must name columns.*Did you mean 'income'"),
        ({"costs": {"age": 0}}, "`costs` of 'age' must be a number above 0. Got 0"),
        ({"costs": {"age": np.inf}}, "must be a number above 0"),
        ({"costs": {"age": "much"}}, "must be a number above 0. Got 'much'"),
        ({"costs": {"age": True}}, "must be a number above 0"),
        ({"costs": 2}, "`costs` must be a dict"),
    ],
)
def test_bad_input(settings, match, loans):
    model, frame, X = loans
    with pytest.raises(ValueError, match=match):
        explain.counterfactuals(model, X, background=frame, **settings)


def test_old_and_new_values_stand_side_by_side(loans):
    model, frame, X = loans
    result = explain.counterfactuals(model, X, background=frame, n_alternatives=3)
    table, changes = result.frame(), result.changes()
    names = list(table)
    for name in X:
        if name not in set(changes["feature"]):
            assert f"{name}_old" not in names
            continue
        assert names[names.index(name) + 1] == f"{name}_old"
        assert table[name].dtype == table[f"{name}_old"].dtype == X[name].dtype
        old = X[name].iloc[table["sample"]].reset_index(drop=True)
        pd.testing.assert_series_equal(table[f"{name}_old"], old.rename(f"{name}_old"))
    assert table["age"].dtype.kind == "i"


def test_html_and_sentences_show_only_what_changes(loans):
    model, frame, X = loans
    result = explain.counterfactuals(model, X[:1], background=frame)
    html, text, change = result._repr_html_(), result.describe(), result.changes()
    assert len(change) == 1
    name, old, new = change[["feature", "old", "new"]].iloc[0]
    assert f">{name}: {old:g} → {new:g}</td>" in html
    assert f"{name} were {new:g} instead of {old:g}" in text
    for other in set(X) - {name}:
        assert f"{other}:" not in html
        assert f"{other} were" not in text


def test_it_is_stated_that_nothing_is_known_of_what_can_change(loans):
    model, frame, X = loans
    result = explain.counterfactuals(model, X, background=frame)
    note = "It is not known which columns can be changed"
    assert note in result.describe()
    assert note in result._repr_html_()
    known = explain.counterfactuals(
        model, X, background=frame, actionable={"age": False}
    )
    assert note not in known.describe() + known._repr_html_()


def test_names_and_words_of_any_kind_are_escaped_and_distinct():
    hostile = ["<b>a</b>", "a_old", "x\ud800"]
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 3)), columns=pd.Index(hostile, dtype=object))
    X["a"] = rng.permutation(["<i>u</i>", "v"] * 30)
    model = Formula(lambda X: X)
    model.predict_proba = lambda X: np.column_stack(
        [p := np.where(X["a"] == "v", 0.9, 0.1), 1 - p]
    )
    result = explain.counterfactuals(
        model, X[:6], background=X, actionable=dict.fromkeys(hostile, False)
    )
    assert "a_old_" in result.frame()
    html = result._repr_html_()
    assert "<i>" not in html
    assert "&lt;i&gt;u&lt;/i&gt;" in html


def test_numbers_that_differ_are_shown_as_different():
    X = np.array([[123456.0], [123457.5], [0.12345678], [0.12345679]] * 5)
    model = Formula(lambda X: np.where(X[:, 0] > 123457, 0.9, 0.1))
    result = explain.counterfactuals(model, X[:1], background=X)
    assert "x0 were 123457.5 instead of 123456" in result.describe()
    model = Formula(lambda Z: np.where(Z[:, 0] == X[3, 0], 0.9, 0.1), (0, 1))
    text = explain.counterfactuals(model, X[2:3], background=X).describe()
    assert "x0 were 0.12345679 instead of 0.12345678" in text


def test_distances_are_shares_of_the_range_and_other_changes_one():
    allowed = AllowedChanges([0, 1], {}, np.array([10.0, np.nan, 0.0, 5.0]))
    row = np.array([1.0, 2.0, 3.0, np.nan])
    rows = np.array([[6.0, 2, 3, np.nan], [1, 0, 3, np.nan], [1, 2, 5, 1]])
    np.testing.assert_allclose(allowed.distances(row, rows), [0.5, 1, 3])


def test_missing_cells_do_not_differ():
    a, b = np.array([np.nan, 1, np.nan, 1]), np.array([np.nan, 1, 1, 2])
    assert differ(a, b).tolist() == [False, False, True, True]
