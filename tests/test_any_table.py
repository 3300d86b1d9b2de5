"""Tables of any kind: a clear error, or probabilities that all functions agree on.

Hypothesis draws what a table is made of. In CI few are drawn, always the same; for
many, see CONTRIBUTING.md.
"""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from skdnn import DNNClassifier, explain
from skdnn.exceptions import BaselineWarning, ColumnWarning

WORDS = np.array(["low", "High", "a b", "ü", "", "1,5", "nan"], dtype=object)
# Each makes a column of n cells.
COLUMNS = {
    "float": lambda rng, n: rng.normal(size=n),
    "float32": lambda rng, n: rng.normal(size=n).astype("float32"),
    "large": lambda rng, n: rng.normal(size=n) * 1e30,
    "tiny": lambda rng, n: rng.normal(size=n) * 1e-30,
    "missing": lambda rng, n: np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
    "all missing": lambda rng, n: np.full(n, np.nan),
    "infinite": lambda rng, n: np.where(np.arange(n) == 3, np.inf, 1.0),
    "constant": lambda rng, n: np.ones(n),
    "integers": lambda rng, n: rng.integers(-5, 5, n),
    "counter": lambda rng, n: np.arange(n),
    "uint8": lambda rng, n: rng.integers(0, 255, n).astype("uint8"),
    "Int64": lambda rng, n: gaps(rng, pd.array(rng.integers(0, 4, n), "Int64")),
    "Float64": lambda rng, n: gaps(rng, pd.array(rng.normal(size=n), "Float64")),
    "boolean": lambda rng, n: gaps(rng, pd.array(rng.random(n) < 0.5, "boolean")),
    "bool": lambda rng, n: rng.random(n) < 0.5,
    "words": lambda rng, n: rng.choice(WORDS, n),
    "words and gaps": lambda rng, n: gaps(rng, rng.choice(WORDS, n)),
    "string": lambda rng, n: gaps(rng, pd.array(rng.choice(WORDS[:4], n), "string")),
    "category": lambda rng, n: pd.Categorical(rng.choice(WORDS[:3], n), WORDS[:5]),
    "numbers as categories": lambda rng, n: pd.Categorical(rng.integers(0, 3, n)),
    "mixed": lambda rng, n: np.where(rng.random(n) < 0.5, 1.5, rng.choice(WORDS, n)),
    "identifiers": lambda rng, n: np.array([f"id {i}" for i in range(n)], object),
    "dates": lambda rng, n: pd.date_range("2020", periods=n),
}
LABELS = {
    "integers": lambda codes: codes - 1,
    "floats": lambda codes: codes.astype(float),
    "booleans": lambda codes: codes > 0,
    "words": lambda codes: WORDS[codes],
    "string": lambda codes: pd.Series(pd.array(WORDS[codes], "string")),
    "category": lambda codes: pd.Series(pd.Categorical.from_codes(codes, WORDS)),
    "mixed": lambda codes: np.array([["a", 1, None, 2.5][c] for c in codes], object),
}
CONTAINERS = {
    "pandas": lambda X: X,
    "polars": polars.from_pandas,
    "pyarrow": pyarrow.Table.from_pandas,
    "array": lambda X: X.to_numpy(),
    "lists": lambda X: X.astype(object).to_numpy().tolist(),
}
NETWORKS = {
    "plain": DNNClassifier((4,), max_iter=2),
    "linear": DNNClassifier((), max_iter=2),
    "early": DNNClassifier((4,), max_iter=2, early_stopping=True),
    "lbfgs": DNNClassifier((4,), max_iter=2, solver="lbfgs"),
    "ensemble": DNNClassifier((4,), max_iter=2, n_estimators=2, bootstrap=True),
    "recipe": DNNClassifier(max_iter=1),
}
WEIGHTS = {
    "none": lambda rng, n: None,
    "any": lambda rng, n: rng.uniform(0.1, 3, n),
    "tiny": lambda rng, n: np.full(n, 1e-300),
    "zeros": lambda rng, n: (rng.random(n) < 0.7).astype(float),
}


def gaps(rng, cells):
    cells[rng.random(len(cells)) < 0.2] = None
    return cells


def rows_of(X, positions):
    """Return some rows in the same container."""
    if isinstance(X, list):
        return [X[i] for i in positions]
    if isinstance(X, pyarrow.Table):
        return X.take(positions)
    return X.iloc[positions] if isinstance(X, pd.DataFrame) else X[positions]


def is_same(a, b):
    if isinstance(a, pd.DataFrame | polars.DataFrame | pyarrow.Table):
        return a.equals(b)
    return pickle.dumps(a) == pickle.dumps(b)


@pytest.mark.slow
@given(
    columns=st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=4),
    n=st.integers(8, 60),
    n_classes=st.sampled_from([2, 3, 4, 1]),
    label=st.sampled_from(list(LABELS)),
    container=st.sampled_from(list(CONTAINERS)),
    network=st.sampled_from(list(NETWORKS)),
    weight=st.sampled_from(list(WEIGHTS)),
    seed=st.integers(0, 2**16),
)
def test_an_error_or_the_same_probabilities_everywhere(
    columns, n, n_classes, label, container, network, weight, seed
):
    rng = np.random.default_rng(seed)
    made = {f"{j} {kind}": COLUMNS[kind](rng, n) for j, kind in enumerate(columns)}
    table = pd.DataFrame(made)
    try:
        X = CONTAINERS[container](table)
    except (pyarrow.ArrowInvalid, TypeError):
        return  # libraries that refuse mixed cells
    y = LABELS[label](rng.permutation(np.arange(n) % n_classes))
    weights = WEIGHTS[weight](rng, n)
    before = copy.deepcopy((X, y, weights))
    estimator = copy.deepcopy(NETWORKS[network]).set_params(random_state=seed)
    with warnings.catch_warnings():
        for kind in (ColumnWarning, BaselineWarning, ConvergenceWarning):
            warnings.simplefilter("ignore", kind)
        try:
            estimator.fit(X, y, sample_weight=weights)
        except (ValueError, TypeError) as error:
            message = str(error)
        assert all(map(is_same, (X, y, weights), before))
        if hasattr(estimator, "classes_"):
            event("fitted")
            check(estimator, X, n, rng)
        else:
            event(f"refused: {message[:40]}")
            assert len(message) > 30


def check(estimator, X, n, rng):
    """Check a fitted classifier on its own training rows."""
    proba = estimator.predict_proba(X)
    assert proba.shape == (n, len(estimator.classes_))
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    labels = estimator.classes_[proba.argmax(axis=1)]
    np.testing.assert_array_equal(estimator.predict(X), labels)
    order = rng.permutation(n)
    moved = estimator.predict_proba(rows_of(X, order.tolist()))
    np.testing.assert_allclose(moved, proba[order], rtol=1e-4, atol=1e-6)
    one = estimator.predict_proba(rows_of(X, [1]))
    np.testing.assert_allclose(one, proba[1:2], rtol=1e-4, atol=1e-6)
    kept = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(kept.predict_proba(X), proba)
    assert estimator.summary()
    result = explain.break_down(estimator, rows_of(X, [0, 1]), background=X)
    sums = result.base_values + result.values.sum(axis=1)
    np.testing.assert_allclose(sums, proba[:2], atol=1e-5)
