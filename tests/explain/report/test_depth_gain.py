import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.base import BaseEstimator, ClassifierMixin

from skdnn import explain
from skdnn.explain._report.depth_gain import joint_effects


class Rule(ClassifierMixin, BaseEstimator):
    """A classifier whose log odds are a known function."""

    def __init__(self, kind="both"):
        self.kind = kind

    def fit(self, X, y):
        self.classes_ = np.array(["no", "yes"])
        return self

    def predict_proba(self, X):
        a, b = np.asarray(X, dtype=float)[:, :2].T
        score = 4 * a * b if self.kind == "both" else 4 * (a + b)
        p = 1 / (1 + np.exp(-score))
        return np.column_stack([1 - p, p])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def make_report(kind):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.uniform(-1, 1, (400, 3)), columns=list("abc"))
    rule = Rule(kind).fit(None, None)
    y = np.where(rng.random(400) < rule.predict_proba(X)[:, 1], "yes", "no")
    made = explain.report(
        rule, X[200:], y[200:], background=X[:200], y_background=y[:200], samples=0
    )
    return made, X[200:], y[200:]


def test_a_product_is_found_and_a_sum_is_not():
    made, _, _ = make_report("both")
    section = made.to_dict()["depth"]
    top = section["pairs"][0]
    assert sorted(top["features"]) == ["a", "b"]
    # 4 a b of uniform numbers with variance 1/3 each
    assert top["value"] == pytest.approx(4 / 3, rel=0.25)
    assert top["linear"] == pytest.approx(0, abs=1e-6)
    assert "Columns that change the odds together" in section["words"]
    assert f"factor {np.exp(top['value']):.2f}" in section["words"]
    group = section["groups"][0]
    assert group["n_right"] > group["n_linear_right"]
    made, _, _ = make_report("sum")
    section = made.to_dict()["depth"]
    assert section["words"].startswith("No gain over logistic regression is visible")
    assert section["groups"] == []


def test_groups_are_counted_from_the_rows():
    made, X, y = make_report("both")
    section = made.to_dict()["depth"]
    right = Rule("both").fit(None, None).predict(X) == y
    for group in section["groups"]:
        low, high = (
            float(part.replace("\N{MINUS SIGN}", "-").replace("below", ""))
            for part in group["group"].split(" to ")
        )
        cells = X[group["feature"]]
        # the ends are rounded in the text
        is_in = ((cells >= low - 5e-4) & (cells <= high + 5e-4)).to_numpy()
        assert abs(int(is_in.sum()) - group["n"]) <= 2
        assert abs(int(right[is_in].sum()) - group["n_right"]) <= 2
        assert group["p_value"] < 0.05
        moved = abs(group["n_right"] - group["n_linear_right"])
        least = binomtest(0, moved).pvalue if moved else 1.0
        assert group["p_value"] >= least


def test_joint_effects_of_known_functions():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(25, 3))

    def predict(X):
        return np.column_stack([X[:, 0] * X[:, 1], X[:, 0] + np.exp(X[:, 1])])

    effects = joint_effects(predict, rows, [(0, 1), (0, 2)])
    centred = rows - rows.mean(axis=0)
    product = centred[:, 0] * centred[:, 1]
    expected = np.sqrt(((product - product.mean()) ** 2).mean())
    assert effects[0, 0] == pytest.approx(expected)
    np.testing.assert_allclose(effects[:, 1], 0, atol=1e-12)
    assert effects[1, 0] == pytest.approx(0, abs=1e-12)


def test_curves_are_compared_with_those_of_logistic_regression():
    made, X, _ = make_report("both")
    curves = {c["feature"]: c for c in made.to_dict()["depth"]["curves"]}
    rule, background = Rule("both").fit(None, None), X
    dependence = [
        rule.predict_proba(background.assign(a=value))[:, 1].mean()
        for value in np.linspace(X["a"].min(), X["a"].max(), 40)
    ]
    # logistic regression of a product of independent columns is all but flat
    flat = np.array(dependence) - np.mean(dependence)
    assert curves["a"]["largest"] == pytest.approx(np.abs(flat).max(), abs=0.08)
