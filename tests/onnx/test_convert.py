"""ONNX models predict what their estimators do, from the columns of a table."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import sklearn
from optional import require
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)
from sklearn.utils.fixes import parse_version

import skdnn
from skdnn import DNNClassifier

onnxruntime = require("onnxruntime")
pytestmark = [
    pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning"),
    pytest.mark.filterwarnings("ignore::skdnn.exceptions.ColumnWarning"),
    # of onnx and skl2onnx, with newer versions of NumPy and protobuf
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
FLOAT, STRING, DOUBLE = 1, 8, 11
DTYPES = {FLOAT: np.float32, DOUBLE: np.float64}


def network(**parameters):
    own = {"hidden_layer_sizes": (4,), "max_iter": 3, "n_iter_no_change": 9}
    return DNNClassifier(random_state=0, **own | parameters)


def recipe():
    return DNNClassifier(max_iter=2, random_state=0)


@pytest.fixture(scope="module")
def table():
    """Rows with strings, categories of numbers, booleans and missing cells."""
    rng = np.random.default_rng(0)
    n = 150
    frame = pd.DataFrame(
        {
            "size": rng.normal(5, 2, n),
            "large": 1e6 * rng.gamma(2, 1, n),
            "colour": rng.choice(["red", "blue", "né"], n),
            "town": [f"t{i}" for i in rng.integers(0, 12, n)],
            "grade": pd.Categorical(rng.integers(1, 4, n)),
            "ripe": rng.random(n) < 0.5,
            "empty": np.full(n, np.nan),
        }
    )
    frame["colour"] = frame["colour"].where(rng.random(n) < 0.8, None)
    frame.loc[rng.random(n) < 0.2, "size"] = np.nan
    y = np.where(frame["ripe"], "plum", rng.choice(["fig", "pear"], n))
    return frame, y.astype(object)


@pytest.fixture(scope="module")
def new_rows(table):
    """Rows with categories that fit did not have."""
    frame, _ = table
    rows = frame[:40].copy()
    rows.loc[::3, "colour"] = "green"
    rows.loc[::4, "town"] = "elsewhere"
    rows.loc[::5, "large"] = np.nan
    return rows


def feed(model, X):
    """Return rows as the inputs of a model; missing strings are empty."""
    inputs = model.graph.input
    if [one.name for one in inputs] == ["X"]:
        dtype = DTYPES[inputs[0].type.tensor_type.elem_type]
        return {"X": np.asarray(X, dtype)}
    rows = {}
    for one in inputs:
        column, kind = X[one.name], one.type.tensor_type.elem_type
        if kind == STRING:
            texts = column.astype(object).where(column.notna(), "")
            rows[one.name] = texts.to_numpy(object)[:, None]
        else:
            values = column.to_numpy(DTYPES[kind], na_value=np.nan)
            rows[one.name] = values[:, None]
    return rows


def run(estimator, X, **options):
    model = skdnn.io.to_onnx(estimator, **options)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, feed(model, X)), strict=True))


def assert_same(estimator, X, tolerance=1e-5, **options):
    results = run(estimator, X, **options)
    expected = estimator.predict_proba(X)
    np.testing.assert_allclose(results["probabilities"], expected, atol=tolerance)
    assert results["label"].tolist() == estimator.predict(X).tolist()
    return results


CLASSIFIERS = {
    "recipe": recipe(),
    "plain": network(),
    "batch norm": network(batch_norm=True, dropout=0.1, activation="mish"),
    "softmax regression": network(hidden_layer_sizes=()),
    "calibrated": network(calibration="temperature", validation_fraction=0.2),
    "ensemble": network(n_estimators=3, bootstrap=True),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_tables(name, table, new_rows):
    estimator = CLASSIFIERS[name].fit(*table)
    assert_same(estimator, table[0], tolerance=1e-6)
    assert_same(estimator, new_rows, tolerance=1e-6)


def test_two_classes_and_several_labels(table, new_rows):
    X, y = table
    assert_same(recipe().fit(X, y == "plum"), new_rows)
    labels = pd.get_dummies(y).astype(int)
    assert_same(network().fit(X, labels), new_rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays(dtype, iris):
    X, y = iris
    X = X.astype(dtype)
    X[::9, 1] = np.nan
    assert_same(recipe().fit(X, y), X)
    codes = np.column_stack([X, np.arange(len(X)) % 5])
    assert_same(network(categorical_features=[4]).fit(codes, y), codes)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_prediction_sets(level, table, new_rows):
    estimator = recipe().fit(*table)
    results = assert_same(estimator, new_rows, confidence_level=level)
    expected = estimator.predict_set(new_rows, level)
    assert np.array_equal(results["prediction_set"], expected)


def test_metadata_has_the_classes(table):
    model = skdnn.io.to_onnx(network().fit(*table))
    properties = {one.key: one.value for one in model.metadata_props}
    assert json.loads(properties["classes"]) == ["fig", "pear", "plum"]
    assert properties["skdnn_version"] == skdnn.__version__


def test_columns_that_are_named_as_outputs_or_nodes(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=["label", "X", "MatMul_9", "constant_1"])
    results = run(network().fit(frame, y), frame)
    assert set(results) == {"label_", "probabilities"}


@pytest.fixture(scope="module")
def noisy():
    """Classes that overlap, so that calibrators have many steps; and new rows."""
    rng = np.random.default_rng(0)
    X, X_new = rng.normal(size=(2, 200, 3)).astype(np.float32)
    y = (X + rng.normal(size=X.shape)).argmax(axis=1)
    return X, y, X_new


class TestOthers:
    def columns(self):
        numbers = make_pipeline(SimpleImputer(), StandardScaler())
        words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        return ColumnTransformer([("n", numbers, ["size"]), ("w", words, ["town"])])

    def test_columns_of_a_pipeline(self, table, new_rows):
        X, y = table
        pipe = make_pipeline(self.columns(), recipe()).fit(X, y)
        results = assert_same(pipe, new_rows, confidence_level=0.8)
        expected = pipe[-1].predict_set(pipe[:-1].transform(new_rows), 0.8)
        assert np.array_equal(results["prediction_set"], expected)
        inputs = skdnn.io.to_onnx(pipe).graph.input
        assert [one.name for one in inputs] == ["size", "town"]

    def test_frames_of_numbers(self, table):
        X, y = table
        X = X[["size", "large", "ripe"]].astype(float)
        pipe = make_pipeline(SimpleImputer(), StandardScaler(), network()).fit(X, y)
        assert_same(pipe, X)
        assert_same(make_pipeline("passthrough", network()).fit(*table), table[0])

    @pytest.mark.parametrize(
        "estimator",
        [
            make_pipeline(StandardScaler(), PCA(3), SelectKBest(k=2), network()),
            CalibratedClassifierCV(network(), cv=2),
            VotingClassifier(
                [("a", network()), ("b", LogisticRegression())],
                voting="soft",
                flatten_transform=False,
            ),
            StackingClassifier([("a", network())], cv=2),
            BaggingClassifier(network(), n_estimators=2),
        ],
        ids=["pipeline", "sigmoid", "voting", "stacking", "bagging"],
    )
    def test_scikit_learn(self, estimator, iris):
        X, y = iris
        assert_same(estimator.fit(X, y), X)

    def test_steps_that_are_not_known(self, iris):
        pipe = make_pipeline(FunctionTransformer(np.cbrt), network()).fit(*iris)
        with pytest.raises(ValueError, match=r"must be known to skl2onnx.*raises"):
            skdnn.io.to_onnx(pipe)

    @pytest.mark.parametrize(
        "method",
        [
            "isotonic",
            pytest.param(
                "temperature",
                marks=pytest.mark.skipif(
                    parse_version(sklearn.__version__) < parse_version("1.8"),
                    reason="needs scikit-learn 1.8",
                ),
            ),
        ],
    )
    @pytest.mark.parametrize("kind", ["alone", "within", "around"])
    def test_calibration(self, kind, method, noisy):
        X, y, X_new = noisy
        inner = (
            network() if kind != "around" else make_pipeline(MinMaxScaler(), network())
        )
        estimator = CalibratedClassifierCV(inner, cv=3, method=method)
        if kind == "within":
            estimator = make_pipeline(MinMaxScaler(), estimator)
        estimator.fit(X, y)
        rows = np.concatenate([X_new, 9 * X_new, -9 * X_new])
        if method == "temperature":
            assert_same(estimator, rows)
        else:  # rounding is enlarged in steep steps, which few rows are in
            results = run(estimator, rows)
            errors = np.abs(results["probabilities"] - estimator.predict_proba(rows))
            assert np.quantile(errors, 0.98) < 1e-6
            assert errors.max() < 1e-3
            assert np.mean(results["label"] == estimator.predict(rows)) > 0.99

    def test_isotonic_calibration_of_two_classes(self, noisy):
        """Between what scikit-learn's calibrators predict of values around."""
        X, y, X_new = noisy
        y = np.where(y == 2, "b", "a")
        estimator = CalibratedClassifierCV(network(), cv=2, method="isotonic").fit(X, y)
        positive = run(estimator, X_new)["probabilities"][:, 1]
        for change, is_bound in ((-1e-6, np.less), (1e-6, np.greater)):
            each = [
                part.calibrators[0].predict(
                    part.estimator.predict_proba(X_new)[:, 1].astype(float) + change
                )
                for part in estimator.calibrated_classifiers_
            ]
            assert is_bound(np.mean(each, axis=0) + change, positive).all()

    def test_isotonic_rows_that_no_calibrator_gives_a_class(self, noisy):
        """All get the same probability of each class, as in scikit-learn."""
        X, y, X_new = noisy
        estimator = CalibratedClassifierCV(network(), cv=2, method="isotonic").fit(X, y)
        never = IsotonicRegression(out_of_bounds="clip").fit([0, 1], [0, 0])
        for part in estimator.calibrated_classifiers_:
            part.calibrators = [never] * 3
        assert estimator.predict_proba(X_new).tolist() == [[1 / 3] * 3] * len(X_new)
        assert_same(estimator, X_new)

    def test_calibration_by_a_decision_function_is_refused(self, iris):
        calibrated = CalibratedClassifierCV(LogisticRegression(), method="isotonic")
        voting = VotingClassifier(
            [("a", network()), ("b", calibrated)],
            voting="soft",
            flatten_transform=False,
        )
        with pytest.raises(ValueError, match=r"no decision_function\. Got LogisticReg"):
            skdnn.io.to_onnx(voting.fit(*iris))

    def test_sets_of_others(self, iris):
        calibrated = CalibratedClassifierCV(network(), cv=2).fit(*iris)
        with pytest.raises(ValueError, match=r"those of a DNNClassifier.*Leave"):
            skdnn.io.to_onnx(calibrated, confidence_level=0.9)


def test_before_fit():
    with pytest.raises(NotFittedError):
        skdnn.io.to_onnx(network())


@pytest.mark.parametrize("categories", [["a", 1], [pd.Timestamp(0), pd.Timestamp(1)]])
def test_categories_without_a_type(categories):
    X = pd.DataFrame({"c": pd.Categorical(categories * 20)})
    estimator = network(categorical_features=["c"]).fit(X, ["x", "y"] * 20)
    with pytest.raises(ValueError, match=r"numbers, or strings\. Got 'c'"):
        skdnn.io.to_onnx(estimator)


@pytest.mark.parametrize("missing", ["onnx", "skl2onnx"])
def test_missing_packages_are_named(missing, iris, monkeypatch):
    pipe = make_pipeline(StandardScaler(), network()).fit(*iris)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"package {missing}.*pip install"):
        skdnn.io.to_onnx(pipe if missing == "skl2onnx" else pipe[-1])
