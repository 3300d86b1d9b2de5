"""Refit errors: every method applied to the members of an ensemble."""

import json

import numpy as np
import pandas as pd
import pytest
from oracles import Bagged, Formula, Linear, Logistic, correlated
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdnn import DNNClassifier, explain
from skdnn.explain._model.members import find_members
from skdnn.explain._model.probabilities import check_probabilities

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")

N_MEMBERS = 5


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc"))
    X["word"] = rng.choice(["x", "y", "z"], 60)
    y = np.array(["low", "mid", "high"])[np.digitize(X["a"] + X["b"] / 2, [-0.4, 0.4])]
    return X, y


class Frames(Bagged):
    """An ensemble that takes frames with a text column."""

    def _numbers(self, X):
        return X.drop(columns="word").assign(w=X["word"].map(ord) - 121).to_numpy(float)


@pytest.fixture(scope="module")
def ensemble(table):
    return Frames(LogisticRegression(), N_MEMBERS).fit(*table)


class One:
    """One member of an ensemble, or the ensemble without its members."""

    def __init__(self, ensemble, place=None):
        self.ensemble, self.place = ensemble, place
        self.classes_ = ensemble.classes_

    def predict_proba(self, X):
        if self.place is None:
            return self.ensemble.predict_proba(X)
        return self.ensemble.predict_members(X)[self.place]

    def score(self, X, y):
        return np.mean(self.classes_[self.predict_proba(X).argmax(axis=1)] == y)


def explained(name, estimator, table, **options):
    X, y = table
    method = getattr(explain, name)
    if name == "permutation_importance":
        return method(estimator, X, y, random_state=0, **options)
    if name in ("shap", "lime", "break_down", "ceteris_paribus"):
        return method(estimator, X[:3], background=X, random_state=0, **options)
    return method(estimator, X, **options)


def numbers(result):
    if hasattr(result, "values"):
        return result.values
    column = {"effects": "effect", "importance": "importance"}
    name = column[result.kind] if hasattr(result, "kind") else "value"
    return result.frame()[name].to_numpy()


CASES = [
    ("shap", {}),
    ("shap", {"method": "walks"}),
    ("shap", {"method": "regression", "n_jobs": 2}),
    ("shap", {"contrast": ("low", "high"), "output": "log_odds"}),
    ("shap", {"groups": {"both": ["a", "word"]}}),
    ("lime", {}),
    ("break_down", {"order": ["b", "a", "word", "c"]}),
    ("ceteris_paribus", {}),
    ("partial_dependence", {}),
    ("partial_dependence", {"ice": True}),
    ("partial_dependence", {"features": [("a", "word")]}),
    ("accumulated_local_effects", {}),
    ("average_conditional_effects", {}),
    ("permutation_importance", {}),
    ("permutation_importance", {"scoring": "neg_log_loss", "groups": [["a", "b"]]}),
]


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_one_pass_equals_a_pass_for_each_member(name, options, table, ensemble):
    result = explained(name, ensemble, table, **options)
    plain = explained(name, One(ensemble), table, **options)
    np.testing.assert_allclose(numbers(result), numbers(plain), atol=1e-12)
    assert list(result.frame()) == list(plain.frame())
    assert plain.refit_errors is None
    assert plain.n_refits == 0
    assert result.n_refits == N_MEMBERS
    assert result.refit_errors.shape == numbers(result).shape
    assert result.refit_errors.max() > 0.01
    if name == "lime":  # each member alone has a scale of its own; see test_lime.py
        return
    each = [
        numbers(explained(name, One(ensemble, place), table, **options))
        for place in range(N_MEMBERS)
    ]
    np.testing.assert_allclose(
        result.refit_errors, np.std(each, axis=0, ddof=1), atol=1e-12
    )


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_intervals_and_plain_data(name, options, table, ensemble):
    result = explained(name, ensemble, table, **options)
    low, high = result.refit_interval()
    t = 2.7764451  # of 4 degrees of freedom
    np.testing.assert_allclose(high - low, 2 * t * result.refit_errors)
    np.testing.assert_allclose((high + low) / 2, numbers(result), atol=1e-12)
    outcome = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    np.testing.assert_allclose(outcome["refit_errors"], result.refit_errors)


def test_intervals_must_have_refits(table, ensemble):
    result = explained("break_down", One(ensemble), table)
    with pytest.raises(ValueError, match=r"must have an ensemble.*bootstrap=True"):
        result.refit_interval()


def test_part_of_the_rows_keeps_their_refit_errors(table, ensemble):
    result = explained("shap", ensemble, table)
    np.testing.assert_array_equal(result[1].refit_errors, result.refit_errors[[1]])


class Lines(Linear):
    """Linear members, and their mean."""

    def __init__(self, coefs):
        super().__init__(coefs.mean(axis=0))
        self.each = coefs

    def predict_members(self, X):
        return np.stack([Linear(coefs).predict_proba(X) for coefs in self.each])


def test_break_down_orders_by_the_size_of_the_ensembles_changes():
    X = correlated(50)
    # members change much along the first column, in opposite directions
    model = Lines(np.array([[2.0, 0.2], [-2.0, 0.2], [0.03, 0.2]]))
    result = explain.break_down(model, X[:4] + 3, background=X)
    assert (result.orders == [1, 0]).all()
    np.testing.assert_allclose(
        result.values[..., 1], model.attributions(X[:4] + 3, X), atol=1e-12
    )


def test_effects_of_linear_members_are_those_of_their_coefficients():
    X, coefs = correlated(100), np.array([[0.3, -0.2], [0.1, 0.0], [0.2, 0.2]])
    table = explain.average_conditional_effects(Lines(coefs), X).frame()
    table = table[table["class"]]
    np.testing.assert_allclose(table["effect"], coefs.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(table["std_error"], coefs.std(axis=0, ddof=1))
    reach = 4.30265273 * table["std_error"]  # t with 2 degrees of freedom
    np.testing.assert_allclose(table["ci_high"], table["effect"] + reach)
    np.testing.assert_allclose(table["ci_low"], table["effect"] - reach)


def members_of(estimator, X):
    def check(proba, n_rows):
        return check_probabilities(proba, n_rows, 3)

    return find_members(estimator, X[:1], estimator.predict_proba(X[:1]), check)


def test_members_are_found_behind_pipelines_and_searches(table):
    X, y = table
    X = X[["a", "b", "c"]]
    inner = make_pipeline(StandardScaler(), Bagged(LogisticRegression(), N_MEMBERS))
    outer = make_pipeline(StandardScaler(), inner).fit(X, y)
    members = members_of(outer, X)
    assert (members.n, members.is_mean) == (N_MEMBERS, True)
    scaled = outer[1][0].transform(outer[0].transform(X))
    np.testing.assert_array_equal(
        members.predict(X), outer[1][1].predict_members(scaled)
    )
    search = GridSearchCV(inner, {"bagged__n": [3]}, cv=2, scoring="neg_log_loss")
    search.fit(X, y)
    assert members_of(search, X).n == 3
    # its score is the loss, and so is the members'
    result = explain.permutation_importance(search, X, y, random_state=0)
    named = explain.permutation_importance(
        search, X, y, random_state=0, scoring="neg_log_loss"
    )
    np.testing.assert_allclose(result.refit_errors, named.refit_errors)


def test_one_member_is_not_a_refit(table):
    X, y = table
    single = Frames(LogisticRegression(), 1).fit(X, y)
    assert explained("break_down", single, table).refit_errors is None


def test_prediction_that_is_not_the_mean_of_the_members(table, ensemble):
    class Squared(One):
        def predict_proba(self, X):
            proba = super().predict_proba(X) ** 2
            return proba / proba.sum(axis=1, keepdims=True)

        def predict_members(self, X):
            return self.ensemble.predict_members(X)

    result = explained("break_down", Squared(ensemble), table)
    expected = Squared(ensemble).predict_proba(table[0][:3])
    np.testing.assert_allclose(result.predictions, expected)
    np.testing.assert_allclose(result.residual, 0, atol=1e-12)
    assert result.refit_errors.max() > 0.01


def test_members_of_another_shape_are_left_out():
    class Wrong(Formula):
        def predict_members(self, X):
            return np.zeros((3, len(X), 5))

    result = explain.break_down(Wrong(lambda X: X[:, 0]), correlated(9))
    assert result.refit_errors is None
    np.testing.assert_allclose(result.residual, 0, atol=1e-12)


def test_a_column_that_no_member_uses_has_no_error():
    X, y = correlated(80), np.arange(80) % 2 == 0

    class Some(Formula):
        def predict_members(self, X):
            steep = (0.1, 0.2, 0.4)
            p = 1 / (1 + np.exp(-np.outer(steep, X[:, 0])))
            return np.stack([1 - p, p], axis=2)

        def predict_proba(self, X):
            return self.predict_members(X).mean(axis=0)

    model = Some(None)
    for scoring in (None, "neg_log_loss"):
        result = explain.permutation_importance(
            model, X, y, random_state=0, scoring=scoring
        )
        assert result.refit_errors[1] == 0
    result = explain.average_conditional_effects(model, X)
    assert (result.refit_errors[2:] == 0).all()


def test_counterfactuals_have_the_share_of_members_that_agree(table, ensemble):
    X, _ = table
    result = explain.counterfactuals(ensemble, X[:5], background=X, n_alternatives=2)
    outcome = result.frame()
    each = ensemble.predict_members(outcome[X.columns]).argmax(axis=2)
    agree = ensemble.classes_[each] == outcome["target"].to_numpy()
    np.testing.assert_allclose(result.member_shares, agree.mean(axis=0))
    assert result.to_dict()["member_shares"] == result.member_shares.tolist()
    assert (result.member_shares < 1).any()
    alone = explain.counterfactuals(One(ensemble), X[:5], background=X)
    assert alone.member_shares is None


def coverage(n_repeats, n_members, output="probability"):
    """Return the share of intervals that hold the true effect, for each column."""
    truth = Logistic([1.0, -0.5, 0.0, 0.25])
    held = np.zeros(4)
    for seed in range(n_repeats):
        X, y = truth.draw(500, seed)
        rows, _ = truth.draw(200, seed + 10_000)
        model = Bagged(LogisticRegression(C=1e3), n_members, seed).fit(X, y)
        result, true = (
            explain.average_conditional_effects(m, rows, output=output).frame()[1::2]
            for m in (model, truth)
        )
        inside = (result["ci_low"] <= true["effect"]) & (
            true["effect"] <= result["ci_high"]
        )
        held += inside.to_numpy()
    return held / n_repeats


@pytest.mark.slow
@pytest.mark.parametrize("output", ["probability", "log_odds"])
def test_intervals_hold_the_effects_of_a_linear_truth(output):
    assert 0.9 <= coverage(40, 20, output).mean() <= 0.98


@pytest.fixture(scope="module")
def recipe(table):
    X, y = table
    X, y = pd.concat([X] * 2, ignore_index=True), np.tile(y, 2)
    return DNNClassifier(max_iter=3, random_state=0).fit(X, y)


@pytest.mark.parametrize("name", ["shap", "average_conditional_effects"])
def test_the_networks_of_the_recipe_are_members(name, table, recipe):
    result = explained(name, recipe, table)
    assert result.n_refits == 8
    each = [numbers(explained(name, One(recipe, i), table)) for i in range(8)]
    expected = np.std(each, axis=0, ddof=1)
    np.testing.assert_allclose(result.refit_errors, expected, atol=1e-7)
    assert expected.max() > 0.005
    np.testing.assert_allclose(
        numbers(result), numbers(explained(name, One(recipe), table)), atol=1e-7
    )


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
def test_networks_of_the_recipe_in_pipelines_and_searches(table):
    X, y = table
    X, y = pd.concat([X[["a", "b", "c"]]] * 2, ignore_index=True), np.tile(y, 2)
    net = DNNClassifier(max_iter=2, random_state=0)
    pipe = make_pipeline(StandardScaler(), net)
    search = GridSearchCV(pipe, {"dnnclassifier__alpha": [0.0]}, cv=2).fit(X, y)
    for estimator in (clone(pipe).fit(X, y), search):
        members = members_of(estimator, X)
        assert members.n == 8
        fitted = getattr(estimator, "best_estimator_", estimator)
        np.testing.assert_array_equal(
            members.predict(X), fitted[-1].predict_members(fitted[:-1].transform(X))
        )
        shares = explain.counterfactuals(estimator, X[:3], background=X).member_shares
        np.testing.assert_allclose(shares * 8, np.round(shares * 8))


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
def test_what_members_differ_in_is_stated(table, recipe, ensemble):
    X, y = table
    plain = DNNClassifier((4,), n_estimators=2, max_iter=2, n_iter_no_change=np.inf)
    plain.set_params(random_state=0).fit(X, y)
    for model, words in ((recipe, "seeds and a few training rows"), (plain, "seeds")):
        effects = explain.average_conditional_effects(model, X)
        assert f"differ only in their {words}: no confidence intervals" in (
            effects.warning
        )
        assert "no confidence intervals" in effects._repr_html_()
        summary = explain.summary(model, X, y, random_state=0)
        assert summary.refits == f"members ({words})"
        assert f"differ only in their {words}: the intervals do not cover" in (
            summary.warning
        )
    # of bootstrap samples they are confidence intervals
    assert explain.average_conditional_effects(ensemble, X).warning == ""
    assert explain.average_conditional_effects(One(ensemble), X).warning == ""
    summary = explain.summary(ensemble, X, y, random_state=0)
    assert summary.refits == "members (bootstrap samples and seeds)"
    assert summary.warning == ""
