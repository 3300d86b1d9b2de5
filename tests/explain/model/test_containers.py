"""What `predict_proba` takes is explained: every container, and as it was given."""

import warnings

import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from optional import require
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdnn import DNNClassifier, explain
from skdnn.explain._model.opening import open_problem

METHODS = [
    "shap",
    "lime",
    "break_down",
    "ceteris_paribus",
    "partial_dependence",
    "accumulated_local_effects",
    "average_conditional_effects",
    "counterfactuals",
]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 80
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "count": rng.integers(0, 9, size=n),
            "word": rng.choice(["u", "v"], n),
            "flag": rng.random(n) > 0.5,
        }
    )
    frame.loc[::9, "size"] = np.nan
    return frame, np.where(frame["size"].fillna(0) + frame["flag"] > 0.5, "a", "b")


@pytest.fixture(scope="module")
def net(table):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return DNNClassifier((8,), max_iter=20, random_state=0).fit(*table)


def container_of(kind, frame):
    if kind in ("polars", "pyarrow"):
        polars = require("polars")
        rows = polars.from_dict(
            {
                "size": frame["size"].to_numpy(),
                "count": frame["count"].to_numpy(),
                "word": frame["word"].tolist(),
                "flag": frame["flag"].tolist(),
            }
        )
        require("pyarrow")
        return rows if kind == "polars" else rows.to_arrow()
    if kind == "objects":
        return frame.astype(object)
    if kind == "nullable":
        return frame.convert_dtypes()
    if kind == "arrow":
        require("pyarrow")
        return frame.convert_dtypes(dtype_backend="pyarrow")
    return frame


KINDS = ["pandas", "polars", "pyarrow", "objects", "nullable", "arrow"]


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_made_as_they_were(kind, table):
    given = container_of(kind, table[0])

    class Recorder:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            assert type(X) is type(given)
            assert not len(X) or X[:1].columns is not None
            return np.full((len(X), 2), 0.5)

    problem = open_problem(Recorder(), given)
    made = problem.target.decode(problem.X)
    if kind == "polars":
        assert made.schema == given.schema
        assert made.fill_nan(None).equals(given.fill_nan(None))
    elif kind == "pyarrow":
        assert nw.from_native(made).schema == nw.from_native(given).schema
        for name in ("count", "word", "flag"):
            assert made[name].to_pylist() == given[name].to_pylist()
    elif kind == "objects":
        pd.testing.assert_frame_equal(made, table[0], check_dtype=False)
    else:
        pd.testing.assert_frame_equal(made, given)


@pytest.mark.parametrize("kind", KINDS)
def test_attributions_add_up_to_what_predict_proba_returns(kind, table, net):
    given = container_of(kind, table[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = explain.shap(net, given[:4], background=given, random_state=0)
    proba = net.predict_proba(given[:4])
    np.testing.assert_allclose(
        result.base_values + result.values.sum(axis=1), proba, atol=1e-6
    )
    assert np.abs(result.values).max() > 0.01


@pytest.mark.parametrize("kind", ["polars", "pyarrow", "objects"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_takes_it_and_finds_the_same(method, kind, table, net):
    given, pandas = container_of(kind, table[0]), table[0]
    explain_with = getattr(explain, method)
    settings = {"random_state": 0}
    got = explain_with(net, given[:3], background=given, **settings).frame()
    expected = explain_with(net, pandas[:3], background=pandas, **settings).frame()
    numbers = expected.select_dtypes("float").columns
    np.testing.assert_allclose(
        got[numbers].to_numpy(float), expected[numbers].to_numpy(float), atol=1e-6
    )


def test_polars_in_a_pipeline_that_names_its_columns():
    polars = require("polars")
    rng = np.random.default_rng(0)
    X = polars.DataFrame(
        {"a": rng.normal(size=80), "b": rng.normal(size=80), "c": ["u", "v"] * 40}
    )
    y = (X["a"].to_numpy() > 0).astype(int)
    columns = make_column_transformer(
        (StandardScaler(), ["a", "b"]), (OneHotEncoder(), ["c"])
    )
    pipe = make_pipeline(columns, LogisticRegression()).fit(X, y)
    result = explain.shap(pipe, X[:2], background=X, random_state=0)
    np.testing.assert_allclose(
        result.base_values + result.values.sum(axis=1), pipe.predict_proba(X[:2])
    )
    importance = explain.permutation_importance(pipe, X, y, random_state=0).frame()
    assert importance["feature"][importance["importance"].idxmax()] == "a"


@pytest.mark.parametrize(
    "record",
    [
        {"size": None, "count": 3, "word": "u", "flag": True},
        {"size": 1, "count": 3.0, "word": None, "flag": 1},
        {"size": "0.5", "count": 3, "word": "u", "flag": True},
    ],
)
def test_a_row_of_json(record, table, net):
    row = pd.DataFrame([record])
    if isinstance(record["size"], str):
        with pytest.raises(ValueError, match=r"'size' must hold numbers"):
            explain.shap(net, row, background=table[0])
        return
    result = explain.shap(net, row, background=table[0], random_state=0)
    np.testing.assert_allclose(
        result.base_values + result.values.sum(axis=1),
        net.predict_proba(row),
        atol=1e-6,
    )


def test_a_row_turned_into_a_column_and_back(table, net):
    X = table[0]
    row = X.iloc[1].to_frame().T
    assert set(row.dtypes) == {np.dtype(object)}
    result = explain.shap(net, row, background=X, random_state=0)
    expected = explain.shap(net, X[1:2], background=X, random_state=0)
    np.testing.assert_allclose(result.values, expected.values)


def test_lists_of_words_and_numbers():
    rng = np.random.default_rng(0)
    rows = [["uv"[int(x > 0.4)], x] for x in rng.random(60).tolist()]
    calls = set()

    class Strict:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            calls.add((type(X), type(X[0][0]), type(X[0][1])))
            p = np.array([0.5 * (w == "u") + 0.5 * x for w, x in X])
            return np.column_stack([1 - p, p])

    result = explain.shap(Strict(), rows[:3], background=rows, random_state=0)
    np.testing.assert_allclose(
        result.base_values + result.values.sum(axis=1), Strict().predict_proba(rows[:3])
    )
    assert {kinds[0] for kinds in calls} == {list}
    assert {kinds[2] for kinds in calls} <= {float, np.float64}
