"""The uncertainty of explained rows, computed again from the classifier."""

import json

import numpy as np
import pandas as pd
import pytest
from oracles import Bagged, Formula, WithSets
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdnn import DNNClassifier, explain


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(300, 3)), columns=list("abc"))
    y = np.digitize(X["a"] + rng.normal(0, 0.6, 300), [-0.5, 0.5])
    return X, np.array(["low", "mid", "top"])[y]


@pytest.fixture(scope="module")
def recipe(table):
    X, y = table
    scaler = StandardScaler().set_output(transform="pandas")
    network = DNNClassifier(max_iter=4, random_state=0)
    return make_pipeline(scaler, network).fit(X[:200], y[:200])


@pytest.mark.parametrize("method", ["shap", "lime", "break_down"])
def test_sets_votes_and_novelty_of_the_explained_rows(method, table, recipe):
    X, _ = table
    new = X[200:206].copy()
    new.iloc[2, 1] = 9.0
    settings = {"background": X[:200], "random_state": 0}
    result = getattr(explain, method)(recipe, new, **settings)
    own, rows = result.uncertainty, recipe[:-1].transform(new)
    assert own.confidence_level == 0.9
    np.testing.assert_array_equal(own.sets, recipe[-1].predict_set(rows, 0.9))
    named = recipe[-1].predict_members(rows).argmax(axis=2)
    for k in range(3):
        np.testing.assert_array_equal(own.votes[:, k], (named == k).sum(axis=0))
    np.testing.assert_array_equal(
        own.n_disagree, (recipe.classes_[named] != recipe.predict(new)).sum(axis=0)
    )
    novelty = explain.novelty(recipe, new, **settings)
    np.testing.assert_array_equal(own.p_values, novelty.p_values)
    assert own.p_unusual == novelty.p_unusual
    assert own.member == "network"
    assert "This row is unlike all 100" in result.describe(2).replace("\xa0", " ")
    assert result.describe(2).endswith(
        f"b is 9, never above {X['b'][:200].max():.4g} in training."
    )
    for row in (0, 1, 3, 4, 5):
        is_unusual = novelty.p_values[row] <= 0.05
        assert bool(own.reasons[row]) == is_unusual
    json.dumps(result.to_dict(), allow_nan=False)


def test_some_rows_of_a_result(table, recipe):
    X, _ = table
    result = explain.break_down(recipe, X[200:206], background=X[:200], random_state=0)
    part = result[[4, 1]].uncertainty
    np.testing.assert_array_equal(part.sets, result.uncertainty.sets[[4, 1]])
    np.testing.assert_array_equal(part.p_values, result.uncertainty.p_values[[4, 1]])
    assert result[4].describe() == result.describe(4)
    assert part.p_unusual is None


def test_what_is_not_known_is_none(table, recipe):
    X, y = table
    few = explain.break_down(recipe, X[200:202], background=X[:39]).uncertainty
    assert few.p_values is None
    assert not few.unusual.any()
    assert explain.break_down(recipe, X[200:260]).uncertainty.p_values is None
    contrast = explain.shap(
        recipe, X[200:202], background=X[:50], contrast=("low", "top"), random_state=0
    )
    assert contrast.uncertainty is None
    model = LogisticRegression().fit(X, y)
    result = explain.shap(model, X[:2], background=X, random_state=0)
    assert result.uncertainty is None
    assert result.describe().endswith(".")


def test_members_without_sets_and_sets_without_members(table):
    X, y = table
    bagged = Bagged(LogisticRegression(), 5).fit(X.to_numpy(), y)
    own = explain.break_down(bagged, X[:3].to_numpy(), background=X.to_numpy())
    assert own.uncertainty.sets is None
    assert own.uncertainty.member == "member"
    assert own.uncertainty.votes.sum() == 3 * 5
    assert "could be" not in own.describe()
    sets = WithSets(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    own = explain.break_down(sets, X[:3].to_numpy(), background=X.to_numpy())
    assert own.uncertainty.votes is None
    assert "member" not in own.describe()
    np.testing.assert_array_equal(
        own.uncertainty.sets, sets.predict_set(X[:3].to_numpy())
    )


def test_log_odds_have_the_sets_of_the_probabilities():
    sets = WithSets(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    X = np.random.default_rng(0).normal(size=(60, 2))
    own = explain.break_down(sets, X[:5], background=X, output="log_odds").uncertainty
    np.testing.assert_array_equal(own.sets, sets.predict_set(X[:5]))


def test_tables_of_many_columns_are_not_compared():
    model = WithSets(lambda X: 1 / (1 + np.exp(-X[:, 0])))
    X = np.random.default_rng(0).normal(size=(60, 101))
    wide = explain.break_down(model, X[:2], background=X).uncertainty
    assert wide.p_values is None
    assert wide.sets is not None
    plain = Formula(model.formula)
    assert explain.break_down(plain, X[:2], background=X).uncertainty is None
