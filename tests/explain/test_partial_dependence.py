import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import partial_dependence

from skdnn import explain


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


def test_words_are_looked_at_at_every_level(people, people_model):
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
