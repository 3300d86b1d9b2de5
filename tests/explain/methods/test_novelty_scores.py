import numpy as np
import pytest
from sklearn.covariance import EllipticEnvelope, LedoitWolf
from sklearn.datasets import load_wine
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

from skdnn.explain._methods.novelty_scores import Categories, NoveltyScore, Numbers


def _area(score, known, shifted):
    """Return the ROC AUC of scores for shifted rows against the others."""
    rows = np.concatenate([known, shifted])
    is_shifted = np.repeat([0, 1], [len(known), len(shifted)])
    return roc_auc_score(is_shifted, score(rows))


def _of(reference, is_numeric=None):
    model = NoveltyScore(reference, is_numeric or [True] * reference.shape[1])
    return lambda rows: model.contributions(rows).sum(axis=1)


def test_residuals_are_those_of_ridge_regressions():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4)) @ rng.normal(size=(4, 4))
    rows = rng.normal(size=(5, 4))
    # private: _residuals, one part of the score
    residuals = NoveltyScore(X, [True] * 4)._residuals(rows)
    scale = StandardScaler().fit(X)
    Z, z = scale.transform(X), scale.transform(rows)
    fitted = LedoitWolf(assume_centered=True).fit(Z)
    shrunk = fitted.covariance_ + 1e-3 * np.eye(4)
    # the same covariance as of rows: shrinkage and ridge are a penalty
    sample, keep = Z.T @ Z / len(Z), 1 - fitted.shrinkage_
    penalty = np.diag(shrunk - keep * sample)
    np.testing.assert_allclose(shrunk, keep * sample + np.diag(penalty), atol=1e-12)
    for j in range(4):
        others = np.delete(np.arange(4), j)
        alpha = penalty[others] * len(Z) / keep
        assert np.ptp(alpha) < 1e-6 * alpha.mean()
        ridge = Ridge(alpha=alpha.mean(), fit_intercept=False).fit(
            Z[:, others], Z[:, j]
        )
        weights = np.zeros(4)
        weights[j], weights[others] = 1, -ridge.coef_
        variance = weights @ shrunk @ weights
        np.testing.assert_allclose(residuals[j], (z @ weights) ** 2 / variance)


def test_squares_of_categories_are_those_of_probabilities():
    # one column alone: (1 - p) / p of each category, so -2 log p
    cells = np.repeat([0.0, 1.0], [900, 300])
    # private: _residuals, one part of the score
    model = NoveltyScore(cells[:, None], [False])
    result = model._residuals(np.array([[0.0], [1.0]]))[0]
    np.testing.assert_allclose(result, -2 * np.log([0.75, 0.25]), atol=0.05)


def test_cells_alone():
    numbers = Numbers(np.array([0.0, 1, 2, 3, 4]))
    spread = np.std([0, 1, 2, 3, 4])
    np.testing.assert_allclose(
        numbers.alone(np.array([2.0, 2.4, 6.0, -1.0, np.nan])),
        [0, *(10 * (np.array([0.4, 2, 1]) / spread) ** 2), -2 * np.log(1 / 7)],
    )
    constant = Numbers(np.full(50, 7.0))
    np.testing.assert_allclose(
        constant.alone(np.array([7.0, 8.0])), [0, -2 * np.log(1 / 52)]
    )
    often = Categories(np.repeat([0.0, 1, 2], [70, 28, 2]))
    # nothing occurs once: a new category has probability 1 / 102
    np.testing.assert_allclose(
        often.alone(np.array([0.0, 1, 2, 9])),
        -2 * np.log([1, 0.3 + 1 / 102, 0.02 + 1 / 102, 1 / 102]),
    )
    names = Categories(np.arange(100.0))  # all occur once: new ones are usual
    np.testing.assert_allclose(names.alone(np.array([5.0, 500])), 0, atol=0.03)


def _shifted(X, rng, by):
    """Return rows with one cell changed, by some standard deviations or exchanged."""
    rows, at = X.copy(), np.arange(len(X))
    columns = rng.integers(X.shape[1], size=len(X))
    if by is None:
        rows[at, columns] = X[rng.permutation(len(X)), columns]
    else:
        rows[at, columns] += by * X.std(axis=0)[columns]
    return rows


@pytest.mark.parametrize("by", [3, -3, None])
def test_shifts_are_recognised_as_by_the_best_detector(by):
    rng = np.random.default_rng(0)
    X = load_wine().data[rng.permutation(178)]
    mixed = rng.normal(size=(800, 5)) @ rng.normal(size=(5, 8))
    mixed += 0.5 * rng.normal(size=mixed.shape)
    for table in (X, mixed):
        half = 2 * len(table) // 3
        reference, known = table[:half], table[half:]
        shifted = _shifted(known, rng, by)
        scale = StandardScaler().fit(reference)
        others = []
        for detector in (
            IsolationForest(random_state=0),
            LocalOutlierFactor(novelty=True),
            EllipticEnvelope(random_state=0, support_fraction=0.9),
        ):
            detector.fit(scale.transform(reference))
            others.append(
                _area(
                    lambda rows, detector=detector, scale=scale: (
                        -detector.score_samples(scale.transform(rows))
                    ),
                    known,
                    shifted,
                )
            )
        own = _area(_of(reference), known, shifted)
        assert own > max(others) - 0.03
        assert own > (0.85 if by else 0.55)


def test_dependence_that_is_not_linear_is_recognised():
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, 1000)
    X = np.column_stack([x, x**2 + 0.1 * rng.normal(size=1000)])
    new = X[:300].copy()
    new[:, 1] = rng.permutation(new[:, 1])
    assert _area(_of(X[300:]), X[:300], new) > 0.75


def test_pairs_of_categories_and_missing_cells_are_recognised():
    rng = np.random.default_rng(0)
    country = rng.integers(0, 4, 1200).astype(float)
    city = country * 3 + rng.integers(0, 3, 1200)
    number = np.where(country == 0, np.nan, rng.normal(size=1200))
    X = np.column_stack([country, city, number])
    is_numeric = [False, False, True]
    score = _of(X[200:], is_numeric)
    swapped = X[:200].copy()
    swapped[:, 1] = (swapped[:, 1] + 3) % 12
    assert _area(score, X[:200], swapped) > 0.95
    missing = X[:200][country[:200] > 0]
    missing[:, 2] = np.nan
    assert _area(score, X[:200], missing) > 0.95


def test_wide_tables_and_huge_cells():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 80))
    X[:, 3] *= 1e300
    X[:, 4] = np.nan
    model = NoveltyScore(X, [True] * 80)
    rows = np.vstack([X[:2], np.full((1, 80), 1e308), np.full((1, 80), -np.inf)])
    parts = model.contributions(rows)
    assert np.isfinite(parts).all()
    assert (parts >= 0).all()
