"""Bad input: rule, value and remedy, before training, and nothing is changed."""

import copy

import numpy as np
import pandas as pd
import pytest
from optional import require
from scipy.sparse import csr_matrix, issparse

from skdnn import DNNClassifier
from skdnn._estimator.parameters import CONSTRAINTS

X = np.random.default_rng(0).uniform(size=(20, 3))
Y = np.arange(20) % 2
WORDS = pd.DataFrame({"word": ["x", "y"] * 10, "n": X[:, 0]})


@pytest.fixture(autouse=True)
def no_training(monkeypatch):
    def never(*args):
        raise AssertionError("training must not begin")

    monkeypatch.setattr("skdnn._estimator.network_training.train_stack", never)


def with_cell(value):
    changed = X.copy()
    changed[3, 1] = value
    return changed


@pytest.mark.parametrize(
    ("rows", "labels", "match"),
    [
        (with_cell(np.inf), Y, "infinity"),
        (with_cell(-np.inf).astype(np.float32), Y, "infinity"),
        (csr_matrix(with_cell(np.inf)), Y, "infinity"),
        ([["a", 1], ["b", 2]] * 10, Y, "Give a DataFrame"),
        (np.array([["a", 1], ["b", 2]] * 10, object), Y, "Give a DataFrame"),
        (WORDS.assign(n=[np.inf] * 20), Y, "infinity"),
        (WORDS.assign(n=pd.array([np.inf] * 20, dtype="Float64")), Y, "infinity"),
        (WORDS.assign(when=pd.Timestamp(0)), Y, "'when' must hold numbers.*Got dates"),
        (WORDS.assign(cell=[[1]] * 20), Y, "'cell' must hold numbers.*Got list"),
        (WORDS.iloc[:, :0], Y, r"0 feature\(s\)"),
        (WORDS.iloc[:0], Y, r"0 sample\(s\)"),
        (WORDS.rename(columns={"n": 3}), Y, "feature name"),
        (WORDS, Y[:5], "inconsistent numbers of samples"),
        (WORDS, None, "requires y to be passed"),
        (WORDS.assign(word=None).iloc[:, :1], Y, "one value that is not missing"),
        (WORDS.to_numpy(), Y, "could not convert string"),
        (X, np.zeros(20), "at least 2 classes. Got 1 class"),
        (X[:1], Y[:1], "Got 1 class.*n_samples=1"),
        (X[:, :0], Y, r"0 feature\(s\)"),
        (X[:0], Y[:0], r"0 sample\(s\)"),
        (X, Y[:5], "inconsistent numbers of samples"),
        (X, None, "requires y to be passed"),
        (X, X[:, 0], "Unknown label type"),
        (X, np.where(Y, np.nan, 1.0), "missing ones for 10 of 20 rows"),
        (X, np.array(["a", 1] * 10, dtype=object), "of one type.*int"),
        (X, np.eye(3)[Y].astype(int) * 2 + 1, "zeros and ones, one column per label"),
        (X[0], Y, "Expected 2D array"),
        (X.astype(complex), Y, "[Cc]omplex"),
    ],
)
def test_rows_that_cannot_be(rows, labels, match):
    before = copy.deepcopy(rows)
    estimator = DNNClassifier()
    # names of mixed kinds are scikit-learn's TypeError
    with pytest.raises((ValueError, TypeError), match=match):
        estimator.fit(rows, labels)
    if issparse(rows):
        before, rows = before.toarray(), rows.toarray()
    pd.testing.assert_frame_equal(pd.DataFrame(before), pd.DataFrame(rows))
    assert vars(estimator) == vars(DNNClassifier())


@pytest.mark.parametrize(
    ("weight", "match"),
    [
        (np.where(Y, -1.0, 1.0), r"must not be negative. Got -1.0 at position 1"),
        (np.zeros(20), "positive for at least one row|at least one non-zero"),
        (np.ones(3), r"sample_weight.shape == \(3,\)"),
        (np.full(20, np.nan), "NaN"),
    ],
)
def test_weights_that_cannot_be(weight, match):
    with pytest.raises(ValueError, match=match):
        DNNClassifier().fit(X, Y, sample_weight=weight)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"activation": "rleu"}, "'activation'.*Got 'rleu'.*Did you mean 'relu'"),
        ({"solver": "adan"}, "'solver'.*Did you mean 'adam'"),
        ({"solver": "lbfgs", "dropout": 0.1}, "which dropout is not part of"),
        ({"solver": "lbfgs", "batch_norm": True}, "which batch_norm is not part of"),
        ({"solver": "lbfgs", "weight_decay": 0.1}, "which weight_decay is not"),
        ({"solver": "lbfgs", "validation_fraction": 0.1}, "no validation rows"),
        ({"learning_rate": "constnat"}, "Did you mean 'constant'"),
        ({"class_weight": "balance"}, "Did you mean 'balanced'"),
        ({"class_weight": {"x": 1}}, r"must be classes: \[0, 1\]. Got \['x'\]"),
        ({"class_weight": {0: -1}}, "must not be negative"),
        ({"hidden_layer_sizes": (10, 0)}, "units > 0. Got 0"),
        ({"hidden_layer_sizes": (10, 2.5)}, "whole numbers.*Got 2.5"),
        ({"hidden_layer_sizes": -3}, "'hidden_layer_sizes'.*Got -3"),
        ({"dropout": 1.0}, "'dropout'.*Got 1.0"),
        ({"dropout": [0.1]}, "one per hidden layer: 2 here. Got 1"),
        (
            {"dropout": [0.1, 0.2], "hidden_layer_sizes": (5,)},
            "one per hidden layer: 1 here. Got 2",
        ),
        ({"dropout": [0.1, 1.0]}, r"must hold rates.*Got 1.0 in \[0.1, 1.0\]"),
        ({"calibration": "isotonic"}, "'calibration'.*Got 'isotonic'"),
        ({"calibration": "temperature"}, "needs rows that the network is not trained"),
        ({"dropout": [-0.1]}, r"rates in \[0, 1\). Got -0.1"),
        ({"n_iter_no_change": 0}, "'n_iter_no_change'.*Got 0"),
        ({"validation_fraction": 1.0}, "'validation_fraction'.*Got 1.0"),
        ({"categorical_features": "from_dtypes"}, "Did you mean 'from_dtype'"),
        ({"categorical_features": ["a"]}, "must name columns of X. Got 'a'"),
        ({"categorical_features": [3]}, r"from 0 to 2. Got \[3\]"),
    ],
)
def test_parameters_that_cannot_be(parameters, match):
    with pytest.raises(ValueError, match=match):
        DNNClassifier(**parameters).fit(X, Y)


def test_every_parameter_is_checked():
    names = set(DNNClassifier().get_params())
    assert names == set(CONSTRAINTS)
    for name in names:
        with pytest.raises(ValueError, match=f"'{name}' parameter of DNNClassifier"):
            DNNClassifier(**{name: object()}).fit(X, Y)


def test_unknown_parameter():
    with pytest.raises(TypeError, match="unexpected keyword argument 'epochs'"):
        DNNClassifier(epochs=3)
    with pytest.raises(ValueError, match="Invalid parameter 'epochs'"):
        DNNClassifier().set_params(epochs=3)


def test_lamb_in_float64():
    with pytest.raises(ValueError, match=r"float32 only.*astype\('float32'\)"):
        DNNClassifier(solver="lamb").fit(X, Y)


@pytest.mark.parametrize(
    "kind", ["str", "string", "category", "object", "float", "polars"]
)
def test_missing_labels_have_one_message(kind):
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = pd.Series([0.0, 1.0] * 20 if kind == "float" else ["a", "b"] * 20)
    y = y.astype(kind if kind in ("string", "category", "object") else y.dtype)
    y[7] = y[9] = None
    if kind == "polars":
        y = require("polars").Series([None if pd.isna(v) else v for v in y])
    message = r"^y must have a class .*for 2 of 40 rows, the first at position 7\. Drop"
    with pytest.raises(ValueError, match=message):
        DNNClassifier((4,), max_iter=2).fit(X, y)


def test_missing_labels_of_several_per_row():
    X = np.random.default_rng(0).normal(size=(8, 3))
    Y = pd.DataFrame({"oak": [0.0, 1.0] * 4, "ash": [0.0, np.nan] + [1.0] * 6})
    with pytest.raises(ValueError, match="for 1 of 8 rows, the first at position 1"):
        DNNClassifier((4,), max_iter=2).fit(X, Y)
