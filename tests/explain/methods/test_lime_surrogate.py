import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skdnn.explain._methods.lime_surrogate import fit_surrogate


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    half = rng.normal(size=(100, 3))
    features = np.vstack([half, -half])
    terms = rng.normal(size=(200, 2))
    output = features @ rng.normal(size=(3, 2)) + terms @ rng.normal(size=(2, 2))
    return features, terms, output + rng.normal(size=(200, 2))


def test_equals_weighted_least_squares(drawn):
    features, terms, output = drawn
    weights = np.random.default_rng(1).random(200)
    surrogate = fit_surrogate(features, output, terms, weights=weights)
    both = np.hstack([features, terms])
    theirs = LinearRegression().fit(both, output, sample_weight=weights)
    np.testing.assert_allclose(surrogate.coefs.T, theirs.coef_[:, :3], rtol=1e-6)
    np.testing.assert_allclose(surrogate.intercept, theirs.intercept_, atol=1e-6)
    for k in range(2):
        one = LinearRegression().fit(both, output[:, k], sample_weight=weights)
        score = one.score(both, output[:, k], weights)
        assert surrogate.score[k] == pytest.approx(score)
        adjusted = 1 - (1 - score) * 199 / (200 - 5 - 1)
        assert surrogate.adjusted_score[k] == pytest.approx(adjusted)


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_errors_are_those_of_the_sandwich(drawn, is_mirrored):
    features, terms, output = drawn
    surrogate = fit_surrogate(features, output, terms, is_mirrored=is_mirrored)
    both = np.column_stack([features, terms, np.ones(200)])
    bread = np.linalg.inv(both.T @ both)
    left = output - both @ bread @ both.T @ output
    units = np.arange(200) % 100 if is_mirrored else np.arange(200)
    n = len(set(units))
    for k in range(2):
        sums = np.stack([both[units == i].T @ left[units == i, k] for i in range(n)])
        covariance = bread @ sums.T @ sums @ bread * n / (n - 6)
        errors = np.sqrt(np.diag(covariance))[:3]
        np.testing.assert_allclose(surrogate.errors[:, k], errors, rtol=1e-6)


def test_constant_outputs_and_features_have_no_effect(drawn):
    features, _, output = drawn
    output[:, 1] = 1 / 3
    features[:, 2] = 7
    surrogate = fit_surrogate(features, output)
    assert surrogate.score[1] == surrogate.adjusted_score[1] == 0
    np.testing.assert_array_equal(surrogate.coefs[:, 1], 0)
    np.testing.assert_array_equal(surrogate.coefs[2], 0)
    np.testing.assert_array_equal(surrogate.errors[2], 0)
    assert surrogate.intercept[1] == pytest.approx(1 / 3)
