import numpy as np
import pandas as pd
import pytest
from oracles import Additive, Formula, Linear, Step, correlated
from sklearn.inspection import partial_dependence
from sklearn.linear_model import LogisticRegression

from skdnn import explain

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")


def test_agrees_with_scikit_learn(iris_model):
    model, X, _ = iris_model
    table = explain.partial_dependence(
        model, X, features="petal width (cm)", grid_resolution=500
    ).frame()
    theirs = partial_dependence(
        model, X, ["petal width (cm)"], method="brute", kind="average",
        response_method="predict_proba", percentiles=(0, 1), grid_resolution=500,
    )  # fmt: skip
    for k, label in enumerate(model.classes_):
        part = table[table["class"] == label]
        np.testing.assert_allclose(part["x"].astype(float), theirs["grid_values"][0])
        np.testing.assert_allclose(part["value"], theirs["average"][k])


def test_of_a_sum_is_the_term(formula):
    model = formula(lambda X: 0.5 + 0.2 * X[:, 0] + 0.1 * np.sin(X[:, 1]))
    X = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    table = explain.partial_dependence(model, X, features=[1]).frame()
    part = table[table["class"] == True]  # noqa: E712
    expected = 0.5 + 0.2 * X[:, 0].mean() + 0.1 * np.sin(part["x"].astype(float))
    np.testing.assert_allclose(part["value"], expected)
    assert len(part) == 50


def test_curves_of_rows_average_to_the_profile(people, people_model):
    frame, _ = people
    mean = explain.partial_dependence(people_model, frame).frame()
    curves = explain.partial_dependence(people_model, frame, ice=True).frame()
    assert list(mean.columns) == ["feature", "class", "x", "value"]
    assert list(curves.columns) == ["sample", "feature", "class", "x", "value"]
    keys = ["feature", "class", "x"]
    for table in (mean, curves):
        table["x"] = table["x"].astype(str)
    again = curves.groupby(keys)["value"].mean()
    np.testing.assert_allclose(again, mean.set_index(keys)["value"].loc[again.index])


def test_text_columns_are_evaluated_at_every_category(people, people_model):
    frame, _ = people
    table = explain.partial_dependence(people_model, frame, features="city").frame()
    levels = set(table["x"].dropna())
    assert levels == {"Oslo", "Bergen", "Tromsø"}
    assert table["x"].isna().sum() == 3  # missing is a level, for each class
    np.testing.assert_allclose(
        table.groupby("x", dropna=False)["value"].sum(), 1, atol=1e-9
    )


def test_whole_numbers_stay_whole(people, people_model):
    frame, _ = people
    table = explain.partial_dependence(people_model, frame, features="age").frame()
    x = pd.to_numeric(table["x"])
    assert (x == x.round()).all()


def test_background_is_averaged_over(iris_model):
    model, X, _ = iris_model
    whole = explain.partial_dependence(model, X)
    drawn = explain.partial_dependence(model, X[:5], background=X, random_state=0)
    assert (whole.n_background, drawn.n_background) == (150, 100)


def test_bad_resolution(iris_model):
    model, X, _ = iris_model
    with pytest.raises(ValueError, match="`grid_resolution` must be a whole number"):
        explain.partial_dependence(model, X, grid_resolution=1)


def test_a_column_without_a_known_cell(formula):
    X = pd.DataFrame({"a": [np.nan] * 20, "b": np.linspace(0, 1, 20)})
    model = formula(lambda X: X[:, 1])
    table = explain.partial_dependence(model, X).frame()
    part = table[table["feature"] == "a"]
    assert part["x"].isna().all()
    np.testing.assert_allclose(part["value"], 0.5)
    assert len(explain.partial_dependence(model, X).plot()) == 1


def of_second(result):
    table = result.frame()
    table = table[table["class"] == True]  # noqa: E712
    return table["x"].to_numpy(float), table["value"].to_numpy()


@pytest.mark.parametrize("model", [Linear([0.3, -0.2]), Additive()])
@pytest.mark.parametrize("j", [0, 1])
def test_of_correlated_columns_is_the_term(model, j):
    X = correlated(300, rho=0.9)
    x, value = of_second(explain.partial_dependence(model, X, features=j))
    np.testing.assert_allclose(value, model.dependence(X, j, x), atol=1e-12)


def test_of_a_step_is_a_step():
    X = correlated(300, rho=0.9)
    x, value = of_second(explain.partial_dependence(Step(), X, features=0))
    np.testing.assert_array_equal(value, x > 0)
    _, value = of_second(explain.partial_dependence(Step(), X, features=1))
    np.testing.assert_allclose(value, (X[:, 0] > 0).mean())


def test_output_of_log_odds(iris_model):
    _, X, y = iris_model
    model = LogisticRegression().fit(X, y == "virginica")
    x, value = of_second(
        explain.partial_dependence(model, X, features=2, output="log_odds")
    )
    np.testing.assert_allclose(np.diff(value) / np.diff(x), model.coef_[0, 2])


def test_pairs_agree_with_scikit_learn(iris_model):
    model, X, _ = iris_model
    table = explain.partial_dependence(
        model, X, features=[("petal width (cm)", 0)], grid_resolution=60
    ).frame()
    assert list(table.columns) == [
        "feature", "feature_2", "class", "x", "x_2", "value",
    ]  # fmt: skip
    theirs = partial_dependence(
        model, X, [(3, 0)], method="brute", kind="average", percentiles=(0, 1),
        response_method="predict_proba", grid_resolution=60,
    )  # fmt: skip
    places = np.meshgrid(*theirs["grid_values"], indexing="ij")
    for k, label in enumerate(model.classes_):
        part = table[table["class"] == label]
        np.testing.assert_allclose(part["x"], places[0].ravel())
        np.testing.assert_allclose(part["x_2"], places[1].ravel())
        np.testing.assert_allclose(part["value"], theirs["average"][k].ravel())


def test_pairs_show_an_interaction():
    X = correlated(200)
    model = Formula(lambda X: X[:, 0] * X[:, 1])
    table = explain.partial_dependence(model, X, features=[[0, 1]]).frame()
    table = table[table["class"] == True]  # noqa: E712
    np.testing.assert_allclose(table["value"], table["x"] * table["x_2"])
    assert len(table) == 20 * 20


def test_pairs_of_text_and_numeric_columns(people, people_model):
    frame, _ = people
    table = explain.partial_dependence(
        people_model, frame[:40], features=[("city", "member"), ("income", "city")]
    ).frame()
    first = table[table["feature"] == "city"]
    assert len(first) == 3 * 4 * 2
    row = first[(first["x"] == "Oslo") & first["x_2"] & (first["class"] == "yes")]
    moved = frame[:40].assign(city="Oslo", member=True)
    expected = people_model.predict_proba(moved).mean(axis=0)[2]
    assert row["value"].item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"features": [("a", 1), "b"]}, "columns, or pairs of columns, and not both"),
        ({"features": [("a", "b", "c")]}, "columns, or pairs of columns"),
        ({"features": [("a", 0)]}, "name a column once"),
        ({"features": [("a", "d")]}, r"must name columns of X\. Got 'd'"),
        ({"features": [("a", "b")], "ice": True}, "`ice` must be False for pairs"),
    ],
)
def test_bad_pairs(settings, match):
    X = pd.DataFrame(np.zeros((4, 3)), columns=list("abc"))
    with pytest.raises(ValueError, match=match):
        explain.partial_dependence(Linear([1, 2, 3]), X, **settings)


def test_rows_are_predicted_in_large_blocks():
    calls = []

    def record(X):
        calls.append(len(X))
        return X[:, 0]

    X = np.random.default_rng(0).random((30, 2))
    explain.partial_dependence(Formula(record), X)
    assert calls == [5, 5, 30 * 30, 30 * 30]
