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


@pytest.mark.parametrize(
    ("cells", "back_cells", "dtype"),
    [
        (pd.array([None], dtype=object), np.array([0.5, 2.0]), "float64"),
        (pd.array([3, None], dtype=object), np.array([0.5, 2.0]), "float64"),
        (np.array([1]), np.array([True, False]), "bool"),
        (np.array([1, 5]), np.array([True, False]), "int64"),
        (np.array([True]), np.array([3, 4]), "int64"),
        (np.array(["b"], dtype=object), pd.Categorical(["a", "b"]), "category"),
        (np.array(["c"], dtype=object), pd.Categorical(["a", "b"]), "object"),
        (pd.Categorical(["c"]), pd.Categorical(["a", "b"]), "category"),
        (np.array([1]), pd.Categorical([1, 2]), "category"),
        (np.array(["1"], dtype=object), np.array([1, 2]), "object"),
    ],
    ids=str,
)
def test_dtypes_of_x_and_background_that_differ_in_kind(cells, back_cells, dtype):
    column, codes, back_codes = code_column("a", cells, back_cells)
    assert str(column.dtype) == dtype
    for given, coded in ((cells, codes), (back_cells, back_codes)):
        for cell, code in zip(given, coded, strict=True):
            (decoded,) = pd.Series(column.decode(np.array([code]))).tolist()
            assert pd.isna(decoded) if pd.isna(cell) else decoded == cell


def test_sparse_columns():
    cells = np.random.default_rng(0).integers(0, 3, size=(60, 2)) / 2
    dense = pd.DataFrame(cells, columns=["a", "b"])
    X = dense.astype(pd.SparseDtype("float64", 0.0))
    model = DecisionTreeClassifier(random_state=0).fit(X, cells[:, 0] > 0.5)
    check_rows_are_unchanged(model, X[:4], X)
