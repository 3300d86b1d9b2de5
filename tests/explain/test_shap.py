import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdnn import DNNClassifier, explain


@pytest.fixture(scope="module")
def cancer_model():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    model = make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=1000)).fit(X, y)
    return model, X


@pytest.mark.parametrize("kind", ["linear", "forest", "network"])
def test_equals_shap_exact(kind, wine):
    from shap.explainers import Exact
    from shap.maskers import Independent

    X, y = wine
    made = {
        "linear": LogisticRegression(max_iter=500),
        "forest": RandomForestClassifier(15, random_state=0),
        "network": DNNClassifier(
            (8,), solver="sgd", learning_rate_init=0.2, random_state=0
        ),
    }
    model = make_pipeline(MinMaxScaler(), made[kind]).fit(X, y)
    background = X[::4]
    ours = explain.shap(model, X[:4], background=background)

    def predict(rows):
        return model.predict_proba(pd.DataFrame(rows, columns=X.columns))

    masker = Independent(background.to_numpy(), max_samples=len(background))
    theirs = Exact(predict, masker)(X[:4].to_numpy())
    assert ours.method == "exact"
    np.testing.assert_allclose(ours.values, theirs.values, atol=1e-9)
    np.testing.assert_allclose(ours.base_values, theirs.base_values[0], atol=1e-9)
    assert (ours.std_errors == 0).all()


def test_linear_truth(formula):
    # the Shapley values of a sum are what each term differs from its mean
    factors = np.array([0.1, -0.2, 0.05])
    model = formula(lambda X: 0.5 + X @ factors)
    rng = np.random.default_rng(0)
    X, background = rng.uniform(-1, 1, (5, 3)), rng.uniform(-1, 1, (40, 3))
    for method in ("exact", "walks"):
        result = explain.shap(
            model, X, background=background, method=method, random_state=0
        )
        expected = (X - background.mean(axis=0)) * factors
        np.testing.assert_allclose(result.values[..., 1], expected, atol=1e-12)
        np.testing.assert_allclose(result.values[..., 0], -expected, atol=1e-12)


def test_product_is_shared_evenly(formula):
    model = formula(lambda X: 0.25 + 0.5 * X[:, 0] * X[:, 1])
    background = np.zeros((2, 3))
    result = explain.shap(model, np.ones((1, 3)), background=background)
    np.testing.assert_allclose(result.values[0, :, 1], [0.25, 0.25, 0], atol=1e-15)


def test_adds_up(cancer_model, people, people_model):
    model, X = cancer_model
    walks = explain.shap(model, X[:3], background=X, random_state=0)
    assert walks.method == "walks"
    frame, _ = people
    exact = explain.shap(people_model, frame[:3], background=frame, random_state=0)
    for result, estimator, rows in (
        (walks, model, X[:3]),
        (exact, people_model, frame[:3]),
    ):
        np.testing.assert_allclose(result.residual, 0, atol=1e-12)
        np.testing.assert_allclose(
            result.base_values + result.values.sum(axis=1),
            estimator.predict_proba(rows),
            atol=1e-12,
        )


def test_a_column_of_words_is_one_player(people, people_model):
    frame, _ = people
    result = explain.shap(people_model, frame[:5], background=frame, random_state=0)
    assert result.feature_names == list(frame.columns)
    assert result.values.shape == (5, 5, 3)
    of = dict(
        zip(result.feature_names, np.abs(result.values).mean(axis=(0, 2)), strict=True)
    )
    assert min(of["age"], of["city"], of["grade"]) > 5 * max(of["income"], of["member"])


def test_walks_agree_with_enumeration(wine, wine_model):
    X, _ = wine
    settings = {"background": X, "random_state": 0}
    exact = explain.shap(wine_model, X[:4], method="exact", **settings)
    walks = explain.shap(wine_model, X[:4], method="walks", **settings)
    far = np.abs(walks.values - exact.values) / walks.std_errors
    assert np.median(far) < 1.2
    assert far.max() < 5
    assert np.abs(walks.values - exact.values).max() < 0.02


@pytest.mark.slow
def test_standard_errors_are_honest(formula):
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(8, 12))
    out = rng.normal(size=8)
    model = formula(lambda X: 1 / (1 + np.exp(-np.maximum(X @ weights.T, 0) @ out / 3)))
    X, background = rng.normal(size=(4, 12)), rng.normal(size=(50, 12))
    results = [
        explain.shap(model, X, background=background, random_state=seed)
        for seed in range(60)
    ]
    values = np.stack([result.values[..., 1] for result in results])
    errors = np.stack([result.std_errors[..., 1] for result in results])
    ratio = np.sqrt((errors**2).mean()) / np.sqrt(values.var(axis=0, ddof=1).mean())
    assert 0.85 < ratio < 1.15
    truth = explain.shap(model, X, background=background, method="exact")
    covered = np.abs(values - truth.values[..., 1]) < 2.01 * errors
    assert 0.92 < covered.mean() < 0.98


def test_log_odds(iris_model):
    model, X, _ = iris_model
    result = explain.shap(model, X[:3], background=X, output="log_odds")
    p = model.predict_proba(X[:3])
    np.testing.assert_allclose(result.predictions, np.log(p / (1 - p)), rtol=1e-6)
    np.testing.assert_allclose(result.residual, 0, atol=1e-9)
    assert result.output == "log_odds"


@pytest.mark.parametrize("method", ["permutation", "kernel"])
def test_explainers_of_shap_by_name(method, iris_model):
    model, X, _ = iris_model
    settings = {"background": X[::3], "random_state": 0}
    state = np.random.get_state()[1].copy()
    theirs = explain.shap(model, X[:3], method=method, **settings)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    ours = explain.shap(model, X[:3], **settings)
    np.testing.assert_allclose(theirs.values, ours.values, atol=0.03)
    again = explain.shap(model, X[:3], method=method, **settings)
    np.testing.assert_array_equal(theirs.values, again.values)
    assert np.isnan(theirs.std_errors).all()


def test_same_seed_same_bits(cancer_model):
    model, X = cancer_model
    first, second, other = (
        explain.shap(model, X[:2], background=X, random_state=seed).values
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_row_is_told_the_same_alone(cancer_model):
    model, X = cancer_model
    together = explain.shap(model, X[:3], background=X, random_state=0)
    alone = explain.shap(model, X[2:3], background=X, random_state=0)
    np.testing.assert_allclose(together.values[2:], alone.values, atol=1e-12)


def test_blocks_do_not_change_the_answer(cancer_model, monkeypatch):
    from skdnn.explain import _target

    model, X = cancer_model
    whole = explain.shap(model, X[:1], background=X, random_state=0)
    monkeypatch.setattr(_target, "_BLOCK_CELLS", 1)
    blocks = explain.shap(model, X[:1], background=X, random_state=0)
    np.testing.assert_allclose(blocks.values, whole.values, atol=1e-12)


def test_one_column_and_a_constant_one(formula):
    model = formula(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    one = explain.shap(model, np.array([[1.0]]), background=np.array([[0.0], [2.0]]))
    assert one.values.shape == (1, 1, 2)
    for method in ("exact", "walks"):
        X = np.array([[1.0, 5.0], [2.0, 5.0]])
        result = explain.shap(model, X, method=method, random_state=0)
        np.testing.assert_allclose(result.values[:, 1], 0, atol=1e-15)


def test_too_many_columns_to_enumerate(cancer_model):
    model, X = cancer_model
    with pytest.raises(ValueError, match="Got 30; use method='walks'"):
        explain.shap(model, X[:1], background=X, method="exact")


def test_progress_is_shown_when_asked_for(iris_model, capfd):
    model, X, _ = iris_model
    explain.shap(model, X[:3], background=X)
    assert capfd.readouterr() == ("", "")
    explain.shap(model, X[:3], background=X, verbose=True)
    assert "SHAP row 3/3" in capfd.readouterr().err


def test_memory_stays_small_with_few_background_rows(formula):
    # all walks at once would take 260 MB
    X = np.random.default_rng(0).normal(size=(2, 400))
    model = formula(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    tracemalloc.start()
    try:
        explain.shap(model, X[:1], background=X, random_state=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60e6


def test_intervals_hold_the_truth(wine, wine_model):
    X, _ = wine
    truth = explain.shap(wine_model, X[:4], background=X[::9], method="exact")
    low, high = truth.interval()
    np.testing.assert_array_equal(low, high)
    walks = explain.shap(
        wine_model, X[:4], background=X[::9], method="walks", random_state=0
    )
    # twenty background rows, five pairs each
    assert (walks.n_background, walks.error_df) == (20, 80)
    low, high = walks.interval(0.99)
    inside = (low <= truth.values) & (truth.values <= high)
    assert inside.mean() > 0.95
    narrow = walks.interval(0.5)
    assert (narrow[1] - narrow[0] < high - low).all()
    # the quantile of Student's t, not of the normal curve
    np.testing.assert_allclose(
        high - walks.values, 2.6387 * walks.std_errors, rtol=1e-4
    )
    with pytest.raises(ValueError, match=r"between 0 and 1. Got 95"):
        walks.interval(95)
