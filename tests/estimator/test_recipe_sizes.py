"""The recipe on tables that are small, wide, narrow, or of many or rare classes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import log_loss, recall_score
from sklearn.model_selection import train_test_split

from skdnn import DNNClassifier
from skdnn.exceptions import ColumnWarning

# private: _spec has the size of the encoding, which is no public attribute


@pytest.mark.parametrize("n", [30, 60, 99, 100, 120])
def test_few_rows_train_stably_over_seeds(n):
    X, y = load_iris(return_X_y=True)
    scores, losses = [], []
    for seed in range(3):
        parts = train_test_split(X, y, train_size=n, stratify=y, random_state=seed)
        fitted = DNNClassifier(random_state=seed).fit(parts[0], parts[2])
        scores.append(fitted.score(parts[1], parts[3]))
        losses.append(log_loss(parts[3], fitted.predict_proba(parts[1])))
    # seeds differ by which rows they draw, too
    assert min(scores) >= 0.86
    assert max(losses) < 0.4


@pytest.mark.parametrize("n_classes", [26, pytest.param(100, marks=pytest.mark.slow)])
def test_many_classes(n_classes):
    X, y = make_blobs(
        n_classes * 14, 8, centers=n_classes, cluster_std=1.5, random_state=0
    )
    parts = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    fitted = DNNClassifier(random_state=0, max_iter=24).fit(parts[0], parts[2])
    assert fitted.predict_proba(X).shape == (len(X), n_classes)
    assert fitted.score(parts[1], parts[3]) > 0.9
    assert log_loss(parts[3], fitted.predict_proba(parts[1])) < 0.5


@pytest.mark.slow
def test_five_rows_of_5000():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 4))
    y = (X[:, 0] > 0).astype(int)
    X[:5] = [4, 4, 0, 0] + 0.3 * rng.normal(size=(5, 4))
    y[:5] = 2
    fitted = DNNClassifier(random_state=0, max_iter=10).fit(X, y)
    proba = fitted.predict_proba(X)
    assert fitted.score(X[5:], y[5:]) > 0.98
    # rare, yet where its rows are it is the most probable class
    assert recall_score(y, fitted.predict(X), labels=[2], average=None)[0] >= 0.8
    assert proba[5:, 2].mean() < 0.005


def test_a_class_of_one_row():
    X, y = load_iris(return_X_y=True)
    y = y.copy()
    y[0] = 3
    fitted = DNNClassifier(random_state=0, max_iter=6).fit(X, y)
    assert fitted.predict_proba(X).shape == (150, 4)
    assert np.isfinite(fitted.predict_log_proba(X)).all()
    assert fitted.score(X[1:], y[1:]) > 0.9


@pytest.mark.slow
def test_2000_columns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2000)).astype(np.float32)
    y = X[:, :5].sum(axis=1) > 0
    X[:, 5:25] += 0.8 * y[:, None]
    parts = train_test_split(X, y, stratify=y, random_state=0)
    fitted = DNNClassifier(random_state=0, max_iter=16).fit(parts[0], parts[2])
    assert fitted._spec.encoding.bins == 0  # functions of all of them would be too many
    assert fitted.score(parts[1], parts[3]) > 0.75


def test_one_column():
    x = np.random.default_rng(0).uniform(-1, 1, 400)
    y = np.abs(x) > 0.5
    # 1 column is a band here: nothing that is linear separates the classes
    fitted = DNNClassifier(random_state=0).fit(x[:300, None], y[:300])
    assert fitted.score(x[300:, None], y[300:]) > 0.95
    frame = pd.DataFrame({"word": np.where(y, "far", "near")})
    with pytest.warns(ColumnWarning, match="equals the target"):
        fitted = DNNClassifier(random_state=0, max_iter=8).fit(frame, y)
    assert fitted.score(frame, y) == 1


def test_wide_categories_and_constants():
    rng = np.random.default_rng(0)
    n = 400
    city = rng.integers(0, 60, n)
    frame = pd.DataFrame(
        {
            "city": pd.Series(city).map("c{}".format),
            "constant": 1.0,
            "empty": np.nan,
            "far": np.where(rng.random(n) < 0.01, 1e30, rng.normal(size=n) * 1e-30),
        }
    )
    y = np.where(city % 3 == 0, "a", "b")
    with pytest.warns(ColumnWarning) as record:
        fitted = DNNClassifier(random_state=0).fit(frame[:300], y[:300])
    assert ["'constant'" in str(record[0]), "'empty'" in str(record[1])] == [True] * 2
    assert fitted._spec.encoding.code_sizes == (frame["city"][:300].nunique() + 1,)
    assert fitted.score(frame[300:], y[300:]) > 0.85
