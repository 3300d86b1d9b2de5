import itertools

import numpy as np
import pandas as pd
import pytest
from lime.lime_base import LimeBase
from scipy.stats import spearmanr
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdnn import explain
from skdnn.explain._methods import lime as lime_module
from skdnn.explain._methods.lime import fit_surrogate, kernel_weights
from skdnn.explain._methods.lime_sampling import Bins, Pool, draw_rows
from skdnn.explain._model.opening import open_problem

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")


def pools_of(problem, columns=None):
    bins = Bins(problem)
    columns = columns or [[j] for j in range(problem.target.n_features)]
    return [Pool(problem, bins, problem.X[0], these) for these in columns]


@pytest.fixture
def around(iris_model):
    model, X, _ = iris_model
    problem = open_problem(model, X[:1], background=X)
    draw = np.random.RandomState(0)
    rows, like, terms = draw_rows(pools_of(problem), problem.X[0], 5000, draw)
    return like, model.predict_proba(problem.target.decode(rows)), terms


def test_surrogate_equals_that_of_lime(around):
    like, output, _ = around
    surrogate = fit_surrogate(like, output)
    distances = np.sqrt((1 - like).sum(axis=1))
    width = 0.75 * np.sqrt(like.shape[1])
    theirs = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / width**2)))
    for k in range(output.shape[1]):
        intercept, pairs, r2, _ = theirs.explain_instance_with_data(
            like.astype(float), output, distances, k, like.shape[1], "none",
            model_regressor=Ridge(alpha=1.0),
        )  # fmt: skip
        assert surrogate.intercept[k] == pytest.approx(intercept, abs=1e-9)
        assert surrogate.score[k] == pytest.approx(r2, abs=1e-9)
        np.testing.assert_allclose(
            surrogate.coefs[:, k], [dict(pairs)[j] for j in range(4)]
        )


def test_terms_only_reduce_noise(around):
    like, output, terms = around
    plain = fit_surrogate(like, output)
    freed = fit_surrogate(like, output, terms)
    assert (freed.errors < 0.95 * plain.errors).mean() > 0.7
    apart = np.abs(freed.coefs - plain.coefs) / plain.errors
    assert apart.max() < 3
    np.testing.assert_allclose(freed.score, plain.score, atol=0.01)


def test_drawn_terms_have_mean_zero(people, people_model):
    frame, _ = people
    problem = open_problem(people_model, frame[:1], background=frame)
    for pool in pools_of(problem, [[0], [1], [2, 4], [3]]):
        chances = np.full(len(pool.cells), (1 - pool.own) / len(frame))
        chances[-1] = pool.own
        assert chances[pool.like].sum() >= 0.2 - 1e-12
        for part in (pool.like, ~pool.like):
            mean = chances[part] @ pool.terms[part]
            np.testing.assert_allclose(mean, 0, atol=1e-12)
    drawn = pool.draw(20_000, np.random.RandomState(0))
    assert pool.like[drawn].mean() == pytest.approx(chances[pool.like].sum(), abs=0.02)


def test_kernel_weighs_rows_by_similarity(around):
    like, _, _ = around
    weights = kernel_weights(like)
    assert (weights[like.all(axis=1)] == 1).all()
    assert weights[like.sum(axis=1) == 0].max() == weights.min()


def test_recovers_a_sum_of_steps(formula):
    # probability is a sum of what cells in the upper quarter add
    model = formula(lambda X: 0.1 + 0.5 * (X[:, 0] > 0.75) + 0.2 * (X[:, 2] > 0.75))
    rng = np.random.default_rng(0)
    background = rng.uniform(size=(4000, 3))
    # ranks, so that the quarters are those of the formula
    background[:, :] = (np.argsort(np.argsort(background, axis=0), axis=0) + 0.5) / 4000
    result = explain.lime(
        model, np.array([[0.9, 0.5, 0.1]]), background=background, random_state=0
    )
    values = result.values[0, :, 1]
    assert values[0] == pytest.approx(0.5, abs=0.01)
    assert values[1] == pytest.approx(0, abs=0.01)
    # compared with the other rows, of which the upper quarter is a third
    assert values[2] == pytest.approx(-0.2 / 3, abs=0.02)
    np.testing.assert_allclose(result.values[0, :, 0], -values, atol=1e-12)
    assert result.score.shape == (1, 2)
    assert result.score[0, 1] > 0.8


def test_strings_and_missing_values_are_unchanged(people):
    frame, _ = people

    class Checking:
        classes_ = np.array(["a", "b"])

        def predict_proba(self, X):
            assert set(X["city"].dropna()) <= {"Oslo", "Bergen", "Tromsø"}
            assert set(X["grade"]) <= set("abc")
            assert X["income"].isna().any()
            assert len(X) == 1 or X["age"].isin(frame["age"]).all()
            return np.full((len(X), 2), 0.5)

    result = explain.lime(Checking(), frame[:2], background=frame, random_state=0)
    np.testing.assert_allclose(result.values, 0, atol=1e-12)
    np.testing.assert_array_equal(result.score, 0)


def test_a_category_can_matter(people, people_model):
    frame, _ = people
    at = int(np.flatnonzero(frame["city"] == "Oslo")[0])
    result = explain.lime(
        people_model, frame[at : at + 1], background=frame, random_state=0
    )
    table = result.frame().set_index(["feature", "class"])["value"]
    assert table["city", "yes"] > 0.1
    assert table["city", "no"] < -0.1
    assert abs(table["member", "yes"]) < 0.05


def test_same_seed_same_bits_alone_or_with_other_rows(iris_model):
    model, X, _ = iris_model
    settings = {"background": X, "random_state": 0}
    together = explain.lime(model, X[:3], **settings)
    alone = explain.lime(model, X[2:3], **settings)
    np.testing.assert_array_equal(together.values[2:], alone.values)
    other = explain.lime(model, X[:3], background=X, random_state=1)
    assert not np.array_equal(other.values, together.values)


@pytest.fixture(scope="module")
def tables(iris_model, wine_model, wine, people, people_model):
    return {
        "iris": iris_model[:2],
        "wine": (wine_model, wine[0]),
        "words": (people_model, people[0]),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "wine", "words"])
def test_ranking_is_stable_over_seeds(name, tables):
    model, X = tables[name]
    runs = [
        explain.lime(model, X[::60], background=X, random_state=seed)
        for seed in range(4)
    ]
    ranks = [
        spearmanr(np.abs(a.values[i, :, k]), np.abs(b.values[i, :, k])).statistic
        for a, b in itertools.combinations(runs, 2)
        for i in range(len(a))
        for k in range(3)
    ]
    assert np.mean(ranks) > 0.98


def test_sampling_stops_when_ranks_are_stable(formula):
    X = np.random.default_rng(0).uniform(size=(200, 3))
    clear = formula(lambda X: 0.1 + X @ np.array([0.5, 0.2, 0.05]))
    result = explain.lime(clear, X[:2], background=X, random_state=0)
    assert result.method == "up to 5000 rows around each"
    tied = formula(lambda X: 0.1 + X @ np.array([0.25, 0.25, 0.25]))
    same = np.repeat(X[:, :1], 3, axis=1)
    result = explain.lime(tied, same[:1], background=same, random_state=0)
    assert result.method == "up to 100000 rows around each"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "wine", "words"])
def test_standard_errors_match_the_deviation(name, tables, monkeypatch):
    # a number of rows that does not depend on the draws
    # private: _MAX_BATCHES, so that few rows are drawn
    monkeypatch.setattr(lime_module, "_MAX_BATCHES", 2)
    model, X = tables[name]
    runs = [
        explain.lime(model, X[::90], background=X, random_state=seed)
        for seed in range(60)
    ]
    spread = np.stack([run.values for run in runs]).std(axis=0, ddof=1).mean()
    errors = np.stack([run.std_errors for run in runs]).mean()
    assert 0.85 < errors / spread < 1.15


def test_groups_are_drawn_together(people):
    frame, _ = people
    calls = []

    class Checking:
        classes_ = np.array(["a", "b"])

        def predict_proba(self, X):
            calls.append(X)
            p = 0.8 * ((X["city"] == "Oslo") & (X["grade"] == "b")).to_numpy() + 0.1
            return np.column_stack([p, 1 - p])

    at = np.flatnonzero((frame["city"] == "Oslo") & (frame["grade"] == "b"))[:1]
    result = explain.lime(
        Checking(), frame.iloc[at], background=frame, random_state=0,
        groups={"where": ["city", "grade"]},
    )  # fmt: skip
    assert result.feature_names == ["age", "where", "income", "member"]
    assert result.data[0, 1] == "Oslo, b"
    table = result.frame().set_index(["feature", "class"])["value"]
    # in a surrogate of one rule, being like the row is the only term
    assert table["where", "a"] == pytest.approx(0.8, abs=0.01)
    assert result.score[0, 0] > 0.99
    pairs = pd.concat(calls[1:])[["city", "grade"]].drop_duplicates()
    known = frame[["city", "grade"]].drop_duplicates()
    assert len(pairs.merge(known)) == len(pairs) <= len(known)
    with pytest.raises(ValueError, match="Did you mean 'city'"):
        explain.lime(Checking(), frame[:2], groups=[["citi"]])


def test_a_rare_category_is_drawn_often_enough(formula):
    X = pd.DataFrame({"word": ["rare"] + ["common"] * 199, "x": np.arange(200.0)})

    class Model:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            p = 0.2 + 0.5 * (X["word"] == "rare").to_numpy()
            return np.column_stack([1 - p, p])

    result = explain.lime(Model(), X[:1], background=X, random_state=0)
    np.testing.assert_allclose(result.values[0, 0], [-0.5, 0.5], atol=0.01)
    assert result.std_errors[0, 0, 1] < 0.01


def test_poor_surrogates_are_flagged(formula):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    model = formula(lambda X: 0.5 + 0.4 * np.sin(9 * X[:, 0]) * np.sin(9 * X[:, 1]))
    poor = explain.lime(model, X[:2], background=X, random_state=0)
    assert poor.poor_fit.shape == (2, 2)
    assert poor.poor_fit.all()
    assert "4 of 4 surrogates fit poorly (R² below 0.5)" in repr(poor)
    assert "do not represent the classifier" in poor._repr_html_()
    assert poor.to_dict()["poor_fit"] == [[True, True], [True, True]]
    for kind in ("bar", "waterfall"):
        ax = poor.plot(kind, sample=0)
        assert "a poor fit" in ax.get_title()
        assert all(bar.get_hatch() for bar in ax.patches)
    for kind in ("bar", "beeswarm"):
        assert "fit poorly (R² below 0.5)" in poor.plot(kind).get_title()
    steps = formula(lambda X: 0.1 + 0.5 * (X[:, 0] > 0.75))
    high = X[X[:, 0] > 1.5][:2]
    good = explain.lime(steps, high, background=X, random_state=0)
    assert not good.poor_fit.any()
    assert "poor" not in repr(good) + good._repr_html_()
    ax = good.plot("waterfall", sample=0)
    assert "poor" not in ax.get_title()
    surrogate = good.base_values[0] + good.values[0].sum(axis=0)
    k = good.predictions[0].argmax()
    assert (
        f"to {surrogate[k]:.3f}; prediction {good.predictions[0, k]:.3f}"
        in ax.get_xlabel()
    )
    assert not any(bar.get_hatch() for bar in ax.patches)
    assert explain.shap(steps, X[:2], background=X).poor_fit is None


def test_close_to_the_explainer_of_lime(iris_model):
    model, X, _ = iris_model
    settings = {"background": X, "random_state": 0}
    theirs = explain.lime(model, X[::50], method="tabular", **settings)
    again = explain.lime(model, X[50:51], method="tabular", **settings)
    np.testing.assert_array_equal(theirs.values[1:2], again.values)
    assert theirs.method == "up to 5000 rows around each"
    ours = explain.lime(model, X[::50], **settings)
    # the distributions within quarters differ
    assert np.corrcoef(ours.values.ravel(), theirs.values.ravel())[0, 1] > 0.98
    np.testing.assert_allclose(ours.score, theirs.score, atol=0.1)
    assert (theirs.std_errors > ours.std_errors).mean() > 0.9


def test_explainer_of_lime_takes_strings():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"word": rng.choice(list("abc"), 300), "x": rng.normal(size=300)})
    y = (X["word"] == "a") ^ (X["x"] > 1)
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["word"]), (StandardScaler(), ["x"])),
        LogisticRegression(),
    ).fit(X, y)
    settings = {"background": X, "random_state": 0}
    theirs = explain.lime(model, X[:4], method="tabular", **settings)
    ours = explain.lime(model, X[:4], **settings)
    np.testing.assert_allclose(theirs.values[:, 0], ours.values[:, 0], atol=0.05)
    with pytest.raises(ValueError, match="`method` must be one of"):
        explain.lime(model, X[:4], method="table")
    for options in ({"groups": [["word", "x"]]}, {"output": "log_odds"}):
        with pytest.raises(ValueError, match=r"lime knows nothing else\. Got one"):
            explain.lime(model, X[:4], method="tabular", **options)


def test_explainer_of_lime_refuses_missing_values(people, people_model):
    frame, _ = people
    with pytest.raises(ValueError, match=r"no missing .*use method='auto'"):
        explain.lime(people_model, frame[:1], background=frame, method="tabular")


def test_residual_is_the_error_of_the_surrogate(iris_model):
    model, X, _ = iris_model
    result = explain.lime(model, X[:5], background=X, random_state=0)
    assert result.base_values.shape == (5, 3)
    np.testing.assert_allclose(
        result.base_values + result.values.sum(axis=1) + result.residual,
        model.predict_proba(X[:5]),
    )
