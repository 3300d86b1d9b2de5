"""Classifiers that are formulas, with what each method must say of them.

The probability of the second class is the formula; with the fixture
`outputs_of_any_size` it need not lie between 0 and 1. Rows are correlated normal, so
that methods which make rows that cannot be differ from those that do not, as theory
states.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone


class Formula:
    """A classifier that is a formula of the second class's probability."""

    def __init__(self, formula, classes=(False, True)):
        self.formula = formula
        self.classes_ = np.array(classes)

    def predict_proba(self, X):
        p = self.formula(np.asarray(X, dtype=float))
        return np.column_stack([1 - p, p])

    def score(self, X, y):
        return np.mean(self.classes_[self.predict_proba(X).argmax(axis=1)] == y)


class WithSets(Formula):
    """A formula whose sets hold what is more probable than one less the level."""

    def predict_set(self, X, confidence_level=0.9):
        proba = self.predict_proba(X)
        return (proba > 1 - confidence_level) | (
            proba == proba.max(axis=1, keepdims=True)
        )


def correlated(n, rho=0.8, seed=0):
    """Return n rows of two standard normal columns whose correlation is rho."""
    a, b = np.random.default_rng(seed).normal(size=(2, n))
    return np.column_stack([a, rho * a + np.sqrt(1 - rho**2) * b])


class Linear(Formula):
    """0.5 + X @ coefs: every method returns the coefficient."""

    def __init__(self, coefs):
        self.coefs = np.array(coefs)
        super().__init__(lambda X: 0.5 + X @ self.coefs)

    def effects(self):
        """Slope along each column."""
        return self.coefs

    def accumulated(self, X, j, x):
        """ALE: the coefficient times the distance from the mean."""
        return self.coefs[j] * (x - X[:, j].mean())

    def dependence(self, X, j, x):
        """PDP: the same about the mean output."""
        return 0.5 + X.mean(axis=0) @ self.coefs + self.accumulated(X, j, x)

    def attributions(self, rows, background):
        """Break-down, whatever the order, and SHAP: those of the row's own cells."""
        return self.coefs * (rows - background.mean(axis=0))


class Logistic(Formula):
    """Log odds that are X @ coefs, of normal rows whose first columns hang together."""

    def __init__(self, coefs):
        self.coefs = np.array(coefs)
        super().__init__(lambda X: 1 / (1 + np.exp(-X @ self.coefs)))

    def draw(self, n, seed):
        """Return n rows and their classes."""
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, len(self.coefs)))
        X[:, 1] = 0.5 * X[:, 0] + np.sqrt(0.75) * X[:, 1]
        return X, rng.random(n) < self.predict_proba(X)[:, 1]


class Bagged(ClassifierMixin, BaseEstimator):
    """A classifier fitted to n bootstrap samples; their mean predicts."""

    bootstrap = True

    def __init__(self, estimator, n=20, seed=0):
        self.estimator = estimator
        self.n = n
        self.seed = seed

    def fit(self, X, y):
        rng = np.random.default_rng(self.seed)
        X, y = self._numbers(X), np.asarray(y)
        samples = [rng.integers(len(X), size=len(X)) for _ in range(self.n)]
        self.estimators_ = [clone(self.estimator).fit(X[i], y[i]) for i in samples]
        self.classes_ = self.estimators_[0].classes_
        return self

    def _numbers(self, X):
        return np.asarray(X)

    def predict_members(self, X):
        X = self._numbers(X)
        return np.stack([member.predict_proba(X) for member in self.estimators_])

    def predict_proba(self, X):
        return self.predict_members(X).mean(axis=0)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class Additive(Formula):
    """sin(x0) + x1 ** 2 / 4: PDP and ALE are the terms, less their means."""

    terms = (np.sin, lambda x: x**2 / 4)

    def __init__(self):
        super().__init__(lambda X: sum(t(X[:, j]) for j, t in enumerate(self.terms)))

    def dependence(self, X, j, x):
        other = self.terms[1 - j](X[:, 1 - j]).mean()
        return self.terms[j](x) + other

    def accumulated(self, X, j, x):
        return self.terms[j](x) - self.terms[j](X[:, j]).mean()


class Interaction(Formula):
    """x0 * x1, of rows with correlation rho: PDP is flat, ALE is not.

    PDP of x0 is x0 E[x1] = 0. The local effect of x0 is E[x1 | x0 = z] = rho z, whose
    integral is rho (x0 ** 2 - 1) / 2 (Apley and Zhu, 2020, section 3).
    """

    def __init__(self, rho):
        self.rho = rho
        super().__init__(lambda X: X[:, 0] * X[:, 1])

    def dependence(self, x):
        return np.zeros_like(x)

    def accumulated(self, x):
        return self.rho * (x**2 - 1) / 2


class Step(Formula):
    """1 where x0 > 0; the other column plays no part, however they are correlated."""

    def __init__(self):
        super().__init__(lambda X: (X[:, 0] > 0).astype(float))


def accumulated_by_loops(model, X, j, ends):
    """Return equation 15 of Apley and Zhu (2020) at the ends of intervals, by loops.

    Returns
    -------
    ndarray of shape (n_ends, n_classes)
        Not centred: 0 at the first end.
    """
    values = [np.zeros(len(model.classes_))]
    for k in range(1, len(ends)):
        low, high = ends[k - 1], ends[k]
        inside = X[(X[:, j] > low) & (X[:, j] <= high)]
        if k == 1:
            inside = X[(X[:, j] >= low) & (X[:, j] <= high)]
        above, below = inside.copy(), inside.copy()
        above[:, j], below[:, j] = high, low
        change = model.predict_proba(above) - model.predict_proba(below)
        values.append(values[-1] + change.mean(axis=0))
    return np.array(values)
