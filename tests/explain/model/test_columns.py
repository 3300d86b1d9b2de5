import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from skdnn import explain
from skdnn.explain._model.columns import code_column


def check_rows_are_unchanged(model, X, background):
    """Check that the classifier predicts exactly the rows that are explained."""
    result = explain.shap(model, X, background=background, random_state=0)
    np.testing.assert_allclose(result.predictions, model.predict_proba(X))
    np.testing.assert_allclose(
        result.base_values, model.predict_proba(background).mean(axis=0)
    )
    np.testing.assert_allclose(result.residual, 0, atol=1e-12)


@pytest.mark.parametrize("dtype", [bool, "U3", "U9", object, np.int8, np.float32])
def test_arrays_of_any_kind(dtype):
    truth = np.random.default_rng(0).random((60, 4)) > 0.5
    truth[0] = True  # so that the first category is not the lowest
    y = truth[:, 0] & truth[:, 1] | truth[:, 2]
    words = np.dtype(dtype).kind in "UO"
    X = np.where(truth, "yes", "no").astype(dtype) if words else truth.astype(dtype)
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(X, y)
    check_rows_are_unchanged(model, X[:5], X)


def test_strings_longer_than_those_of_x():
    X = np.array([["no"], ["yes"], ["perhaps"]] * 10)
    model = make_pipeline(OneHotEncoder(), LogisticRegression())
    model.fit(X, np.arange(30) % 3)
    check_rows_are_unchanged(model, X[:2].astype("U3"), X)


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame])
@pytest.mark.parametrize("dtype", [np.int64, np.int8])
def test_fractions_in_the_background_of_whole_numbers(container, dtype):
    background = container(np.random.default_rng(0).normal(size=(60, 3)) * 3)
    y = np.asarray(background)[:, 0] > 0
    model = LogisticRegression().fit(background, y)
    X = container(np.array([[1, 2, 3], [0, 1, 2]], dtype=dtype))
    check_rows_are_unchanged(model, X, background)


def test_numbers_that_the_dtype_of_x_does_not_hold():
    background = pd.DataFrame({"a": np.arange(0, 300, 5)})
    model = LogisticRegression().fit(background, background["a"] > 150)
    X = pd.DataFrame({"a": np.array([100, 50], dtype=np.int8)})
    check_rows_are_unchanged(model, X, background)


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float64", "Float64"])
def test_missing_cells_in_the_background_only(dtype):
    background = pd.DataFrame({"a": np.arange(60.0), "b": np.arange(60.0)[::-1]})
    background.loc[::3, "a"] = np.nan
    model = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3)
    model.fit(background, background["b"] > 20)
    X = pd.DataFrame({"a": [1, 2], "b": [3, 40]}).astype(dtype)
    check_rows_are_unchanged(model, X, background)


def test_kinds_of_missing_strings_are_distinguished():
    X = pd.DataFrame({"c": pd.Series(["a", None, np.nan, "b"] * 15, dtype=object)})
    model = make_pipeline(OneHotEncoder(), DecisionTreeClassifier())
    model.fit(X, np.arange(60) % 4 == 1)  # None, and nothing else
    check_rows_are_unchanged(model, X[:4], X)


def test_dtypes_that_differ_but_fit():
    X = pd.DataFrame({"g": pd.Series(list("abc") * 20), "b": np.arange(60.0)})
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(X, X["b"] > 30)
    check_rows_are_unchanged(model, X[:4], X.astype({"g": object}))
    check_rows_are_unchanged(model, X.astype({"g": object})[:4], X)


def test_integers_stay_where_possible():
    X, background = np.array([1, 2]), np.array([1.0, 3.0])
    assert code_column("a", X, background)[0].dtype == np.int64
    assert code_column("a", X, background + 0.5)[0].dtype == np.float64
    assert code_column("a", X, background * np.nan)[0].dtype == np.float64


def test_refused_by_name():
    X = pd.DataFrame({"g": pd.Categorical(list("ab"))})
    background = pd.DataFrame({"g": pd.Categorical(list("abc"))})
    model = DecisionTreeClassifier()
    with pytest.raises(ValueError, match=r"Column 'g'.*same categories"):
        code_column("g", X["g"].array, background["g"].array)
    with pytest.raises(ValueError, match=r"Column 'g'.*of one kind.*int64"):
        code_column("g", X["g"].array, np.array([1, 2]))
    model.fit(np.zeros((2, 1)), [0, 1])
    sparse = pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 1.0])})
    with pytest.raises(ValueError, match=r"sparse ones: \['a'\].*to_dense"):
        explain.shap(model, sparse)
