import numpy as np
import pandas as pd
import pytest

from skdnn.explain._report import logistic_regression
from skdnn.explain._report.cells import as_column
from skdnn.explain._report.logistic_regression import out_of_fold_probabilities


def test_learns_from_strings_and_missing_values():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 80)
    word = pd.Series(np.where(codes == 1, "yes", "no"), dtype=object)
    word[3] = None
    X = pd.DataFrame(
        {
            "word": word,
            "number": np.where(rng.random(80) < 0.2, np.nan, rng.random(80)),
            "empty": np.nan,
            "kind": pd.Categorical(rng.choice(["a", "b"], 80)),
            "count": pd.array([None, *range(79)], dtype="Int64"),
        }
    )
    columns = [as_column(X[name].tolist()) for name in X]
    columns[2] = np.full(80, np.nan)
    proba, note = out_of_fold_probabilities(columns, codes, 2)
    assert (proba.argmax(1) == codes).mean() > 0.95
    assert proba.sum(1) == pytest.approx(1)
    assert "5 folds" in note


def test_predictions_are_out_of_fold():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 60)
    proba, _ = out_of_fold_probabilities(rng.normal(size=(50, 60)), codes, 2)
    assert (proba.argmax(1) == codes).mean() < 0.75  # in-sample it would be 1


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        ([0, 0, 0, 1, 1, 2], "one class has a single row"),
        ([0, 1, 2, 2], "2 classes have a single row"),
        ([1, 1, 1], "only one class"),
    ],
)
def test_the_reason_for_none_is_stated(codes, reason):
    X = np.arange(len(codes), dtype=float)[None]
    proba, note = out_of_fold_probabilities(X, np.array(codes), 3)
    assert proba is None
    assert reason in note


def test_infinite_cells_are_a_reason_not_an_error():
    X = np.array([[np.inf, 1, 2, 3, 4, 5]])
    proba, note = out_of_fold_probabilities(X, np.array([0, 1, 0, 1, 0, 1]), 2)
    assert proba is None
    assert "could not be fitted" in note


def test_every_fold_knows_a_class_of_two_rows():
    codes = np.array([0] * 20 + [1] * 2 + [2] * 20)
    X = np.random.default_rng(0).normal(codes, 0.1)[None]
    proba, _ = out_of_fold_probabilities(X, codes, 4)
    assert (proba[:, 3] == 0).all()
    assert (proba[codes == 1, 1] > 0).all()


def test_folds_of_many_rows_are_fitted_to_some_and_to_every_class(monkeypatch):
    rng = np.random.default_rng(0)
    codes = np.append(rng.integers(0, 2, 2000), np.full(6, 2))
    columns = [codes + rng.normal(size=len(codes)), rng.normal(size=len(codes))]
    of_all, note = out_of_fold_probabilities(columns, codes, 3)
    assert "drawn at random" not in note
    monkeypatch.setattr(logistic_regression, "MAX_FITTED", 40)
    of_some, note = out_of_fold_probabilities(columns, codes, 3)
    assert "fitted to 41 other rows" in note
    assert "other rows, drawn at random" in note
    assert 0 < np.abs(of_some - of_all).mean() < 0.2
