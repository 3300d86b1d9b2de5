import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from skdnn import explain
from skdnn.explain._methods.lime import compute_lime
from skdnn.explain._model.opening import open_problem

SETTINGS = {"random_state": 0}


class LogOdds:
    """A classifier whose log odds of "yes" are a function of the rows."""

    classes_ = np.array(["no", "yes"])

    def __init__(self, function):
        self.function, self.n_rows = function, []

    def predict_proba(self, X):
        self.n_rows.append(len(X))
        p = expit(self.function(X))
        return np.column_stack([1 - p, p])


@pytest.fixture(scope="module")
def table():
    """Numbers of several kinds, and words; without a correlation."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": rng.normal(10, 2, 400),
            "count": rng.integers(0, 100, 400),
            "flag": rng.integers(0, 2, 400),
            "word": rng.choice(["a", "b", "c"], 400, p=[0.5, 0.3, 0.2]),
        }
    )


def sum_of_columns(X):
    word = X["word"].map({"a": 0.0, "b": 1.0, "c": 3.0}).to_numpy(float)
    numbers = 0.3 * X["size"] - 0.02 * X["count"] + 0.7 * X["flag"]
    return numbers.to_numpy(float) + word - 3


def test_effects_of_a_sum_of_columns_are_its_differences(table):
    X = table[:8]
    result = explain.lime(
        LogOdds(sum_of_columns), X, background=table, output="log_odds", **SETTINGS
    )
    np.testing.assert_allclose(result.score, 1)
    np.testing.assert_array_equal(result.scales, 1)
    yes = result.values[:, :, 1]
    cells, others = (
        X.iloc[:, :3].to_numpy(float),
        result.references[:, :3].astype(float),
    )
    slopes = np.array([0.3, -0.02, 0.7])
    np.testing.assert_allclose(yes[:, :3], slopes * (cells - others), atol=1e-6)
    # against the other two words, as frequent as they are
    share = table["word"].value_counts(normalize=True)
    mean = {
        "a": -(share["b"] * 1 + share["c"] * 3) / (share["b"] + share["c"]),
        "b": 1 - share["c"] * 3 / (share["a"] + share["c"]),
        "c": 3 - share["b"] * 1 / (share["a"] + share["b"]),
    }
    np.testing.assert_allclose(yes[:, 3], X["word"].map(mean), atol=0.02)
    np.testing.assert_allclose(result.values[:, :, 0], -yes, atol=1e-9)
    np.testing.assert_allclose(result.residual, 0, atol=1e-6)
    assert all(other is None for other in result.references[:, 3])


def test_references_are_a_step_nearer_to_the_mean(table):
    X = table[:20]
    result = explain.lime(LogOdds(sum_of_columns), X, background=table, **SETTINGS)
    assert (result.scales == 1).all()
    for j, name in enumerate(["size", "count"]):
        cells, others = X[name].to_numpy(float), result.references[:, j].astype(float)
        low, high = np.quantile(table[name], [0.025, 0.975])
        spread, mean = table[name].clip(low, high).std(ddof=0), table[name].mean()
        expected = np.clip(mean, cells - spread, cells + spread)
        if name == "count":  # another whole number
            expected = cells + np.round(expected - cells)
            is_near = np.abs(mean - cells) < 0.5
            expected[is_near] += np.sign(mean - cells)[is_near]
        np.testing.assert_allclose(others, expected)
    flag = X["flag"].to_numpy(float)
    np.testing.assert_array_equal(result.references[:, 2].astype(float), 1 - flag)


def test_probabilities_are_log_odds_times_the_slope(table):
    rows = {"X": table[:5], "background": table}
    model = LogOdds(sum_of_columns)
    odds = explain.lime(model, **rows, output="log_odds", **SETTINGS)
    shares = explain.lime(model, **rows, **SETTINGS)
    p = model.predict_proba(table[:5])
    np.testing.assert_allclose(shares.slopes, p * (1 - p))
    factor = (p * (1 - p))[:, None]
    np.testing.assert_allclose(shares.values, odds.values * factor)
    np.testing.assert_allclose(shares.std_errors, odds.std_errors * factor)
    np.testing.assert_array_equal(shares.score, odds.score)
    np.testing.assert_allclose(shares.predictions, p)
    np.testing.assert_allclose(odds.predictions, logit(p))
    np.testing.assert_allclose(shares.residual, odds.residual * factor[:, 0], atol=1e-9)
    assert (shares.output, odds.output) == ("probability", "log_odds")


def test_the_scale_is_as_wide_as_the_surrogate_fits():
    X = np.random.default_rng(0).uniform(-3, 3, (500, 2))
    rows = np.array([[0.05, 0.0], [0.5, 0.5]])
    line = explain.lime(LogOdds(lambda X: X @ [3, 1]), rows, background=X, **SETTINGS)
    np.testing.assert_array_equal(line.scales, 1)
    wave = LogOdds(lambda X: 2 * np.sin(2 * X[:, 0]))
    result = explain.lime(wave, rows, background=X, output="log_odds", **SETTINGS)
    low, high = np.quantile(X[:, 0], [0.025, 0.975])
    spread = np.clip(X[:, 0], low, high).std()

    def fit_of(x, scale):
        """Return slope and R² over normal steps, by Stein's lemma."""
        s = 2 * scale * spread
        slope = 4 * np.cos(2 * x) * np.exp(-(s**2) / 2)
        variance = 2 * (1 - np.exp(-2 * s**2) * np.cos(4 * x))
        variance -= 4 * np.exp(-(s**2)) * np.sin(2 * x) ** 2
        return slope, (slope * scale * spread) ** 2 / variance

    for i, x in enumerate(rows[:, 0]):
        scale = result.scales[i]
        slope, score = fit_of(x, scale)
        step = x - result.references[i, 0]
        assert result.values[i, 0, 1] / step == pytest.approx(slope, rel=0.05)
        assert result.score[i, 1] == pytest.approx(score, abs=0.03)
        assert result.score[i, 1] > 0.88
        assert fit_of(x, 2 * scale)[1] < 0.91


def test_another_seed_explains_the_same_neighbourhood(iris_model):
    model, X, _ = iris_model
    runs = [
        explain.lime(model, X[::10], background=X, random_state=seed) for seed in (0, 1)
    ]
    np.testing.assert_array_equal(runs[0].scales, runs[1].scales)
    np.testing.assert_array_equal(runs[0].references, runs[1].references)
    assert not np.array_equal(runs[0].values, runs[1].values)


def test_same_seed_same_numbers_alone_or_with_other_rows(iris_model):
    model, X, _ = iris_model
    settings = {"background": X, "random_state": 0}
    together = explain.lime(model, X[:3], **settings)
    np.testing.assert_array_equal(
        together.values, explain.lime(model, X[:3], **settings).values
    )
    alone = explain.lime(model, X[2:3], **settings)
    np.testing.assert_allclose(together.values[2:], alone.values, rtol=1e-9)


def test_many_rows_are_predicted_in_few_calls(table):
    model = LogOdds(sum_of_columns)
    result = explain.lime(model, table[:20], background=table, **SETTINGS)
    drawn = [n for n in model.n_rows if n > 100]
    assert sum(drawn) == 20 * (400 + 3000)
    assert len(drawn) < 20
    assert result.method == "up to 3400 rows around each"


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
    assert np.median(runs[0].score) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "wine", "words"])
def test_standard_errors_match_the_deviation(name, tables):
    model, X = tables[name]
    runs = [
        explain.lime(model, X[::90], background=X, random_state=seed, output="log_odds")
        for seed in range(60)
    ]
    spread = np.stack([run.values for run in runs]).std(axis=0, ddof=1).mean()
    errors = np.stack([run.std_errors for run in runs]).mean()
    assert 0.85 < errors / spread < 1.15


def test_rows_around_hold_what_occurs(people):
    frame, _ = people
    calls = []

    class Checking:
        classes_ = np.array(["a", "b"])

        def predict_proba(self, X):
            calls.append(X.copy())
            return np.full((len(X), 2), 0.5)

    result = explain.lime(Checking(), frame[:2], background=frame, random_state=0)
    np.testing.assert_array_equal(result.values, 0)
    np.testing.assert_array_equal(result.score, 0)
    rows = pd.concat(calls[1:])
    assert set(rows["city"].dropna()) == set(frame["city"].dropna())
    assert set(rows["grade"]) == set("abc")
    assert rows["income"].isna().any()  # the first row's
    assert rows["age"].dtype == frame["age"].dtype
    for name in ("age", "income"):
        assert rows[name].min() >= frame[name].min()
        assert rows[name].max() <= frame[name].max()


def test_a_missing_cell_is_compared_with_known_ones():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=300), "z": rng.normal(size=300)})
    X.loc[::4, "x"] = np.nan
    model = LogOdds(lambda X: np.where(X["x"].isna(), 2.0, X["x"]) + X["z"])
    result = explain.lime(model, X[:1], background=X, output="log_odds", **SETTINGS)
    expected = 2 - X["x"].mean()
    assert result.values[0, 0, 1] == pytest.approx(expected, abs=0.01)
    np.testing.assert_allclose(result.score, 1, atol=1e-6)
    assert result.references[0, 0] is None
    assert result.describe(0, target_class="yes").startswith(
        "For this row, missing x instead of another value raises the log odds of yes"
    )


def test_a_category_can_matter(people, people_model):
    frame, _ = people
    at = int(np.flatnonzero(frame["city"] == "Oslo")[0])
    result = explain.lime(
        people_model, frame[at : at + 1], background=frame, output="log_odds",
        random_state=0,
    )  # fmt: skip
    effects = result.frame().set_index(["feature", "class"])["value"]
    assert effects["city", "yes"] > 1
    assert effects["city", "no"] < -1
    assert abs(effects["member", "yes"]) < 0.3


def test_groups_are_replaced_together(people):
    frame, _ = people
    calls = []

    def rule(X):
        calls.append(X)
        return 4 * ((X["city"] == "Oslo") & (X["grade"] == "b")).to_numpy() - 2.0

    at = np.flatnonzero((frame["city"] == "Oslo") & (frame["grade"] == "b"))[:1]
    result = explain.lime(
        LogOdds(rule), frame.iloc[at], background=frame, output="log_odds",
        groups={"where": ["city", "grade"]}, **SETTINGS,
    )  # fmt: skip
    assert result.feature_names == ["age", "where", "income", "member"]
    assert result.data[0, 1] == "Oslo, b"
    # in a surrogate of one rule, being the row's is the only effect
    np.testing.assert_allclose(result.values[0, :, 1], [0, 4, 0, 0], atol=1e-6)
    assert result.score[0, 1] > 0.99
    pairs = pd.concat(calls[1:])[["city", "grade"]].drop_duplicates()
    known = frame[["city", "grade"]].drop_duplicates()
    assert len(pairs.merge(known)) == len(pairs) <= len(known)
    with pytest.raises(ValueError, match="Did you mean 'city'"):
        explain.lime(LogOdds(rule), frame[:2], groups=[["citi"]])


def test_classifier_without_probabilities_in_between():
    X = np.random.default_rng(0).normal(size=(200, 3))

    class Rule:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            is_high = np.asarray(X)[:, 0] > 0
            return np.column_stack([~is_high, is_high]).astype(float)

    rows = np.array([[0.1, 0, 0], [9.0, 0, 0]])
    result = explain.lime(Rule(), rows, background=X, output="log_odds", **SETTINGS)
    assert np.isfinite(result.values).all()
    assert np.abs(result.values[0, :, 1]).argmax() == 0
    assert result.values[0, 0, 1] > 0
    # nothing changes around the second row, so that nothing can be fitted
    np.testing.assert_array_equal(result.values[1], 0)
    assert result.poor_fit[1].all()


def test_poor_surrogates_are_flagged():
    X = np.random.default_rng(0).normal(size=(300, 4))
    wave = LogOdds(lambda X: 2 * np.sin(90 * X[:, 0]) * np.sin(90 * X[:, 1]))
    poor = explain.lime(wave, X[:2], background=X, **SETTINGS)
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
    line = LogOdds(lambda X: X[:, 0])
    good = explain.lime(line, X[:2], background=X, **SETTINGS)
    assert not good.poor_fit.any()
    assert "poor" not in repr(good) + good._repr_html_()
    ax = good.plot("waterfall", sample=0)
    assert "poor" not in ax.get_title()
    assert "row 0\nsteps of 1 SD; class" in ax.get_title()
    assert not any(bar.get_hatch() for bar in ax.patches)
    assert explain.shap(line, X[:2], background=X).poor_fit is None


@pytest.mark.slow
def test_boosted_trees_are_fitted_worse_than_a_line(wine, wine_model):
    X, y = wine
    trees = HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(X, y)
    rows = {"X": X[::12], "background": X}
    medians = [
        np.median(explain.lime(model, **rows, **SETTINGS).score)
        for model in (trees, wine_model)
    ]
    assert medians[0] < 0.8 < 0.9 < medians[1]


def test_results_have_scale_references_and_slopes(table):
    result = explain.lime(
        LogOdds(sum_of_columns), table[:3], background=table, **SETTINGS
    )
    data = result.to_dict()
    assert data["scales"] == [1.0, 1.0, 1.0]
    assert data["references"][1][0] == result.references[1, 0]
    assert data["references"][1][3] is None
    np.testing.assert_allclose(data["slopes"], result.slopes)
    part = result[[2]]
    np.testing.assert_array_equal(part.references, result.references[[2]])
    np.testing.assert_array_equal(part.slopes, result.slopes[[2]])
    assert part.scales.tolist() == [1.0]


def test_a_description_is_in_log_odds_with_what_is_compared(table):
    X = table[:1]
    model = LogOdds(sum_of_columns)
    result = explain.lime(model, X, background=table, **SETTINGS)
    text = result.describe(0, target_class="yes")
    size, other = X["size"].iloc[0], result.references[0, 0]
    moved = 0.3 * (size - other)
    verb = "raises" if moved > 0 else "lowers"
    assert f"size = {size:.4g} instead of {other:.4g}" in text
    assert f"{abs(moved):.2f}" in text.partition(f"instead of {other:.4g}")[2]
    assert verb in text
    p = model.predict_proba(X)[0, 1]
    slope = f"1 in log odds is {p * (1 - p):.3g} in the probability of yes."
    assert (
        "in a linear surrogate around the row (R² = 1.00), with steps of 1 standard "
        f"deviation. Here, {slope}"
    ) in text
    odds = explain.lime(model, X, background=table, output="log_odds", **SETTINGS)
    assert odds.describe(0, target_class="yes") == text


def test_refit_errors_are_those_of_members_alone():
    X = np.random.default_rng(0).normal(size=(60, 2))

    class Committee(LogOdds):
        def predict_members(self, X):
            return np.stack([one.predict_proba(X) for one in self.function])

        def predict_proba(self, X):
            return self.predict_members(X).mean(axis=0)

    ones = [LogOdds(lambda X, a=a: X @ [a, 0.2]) for a in (0.4, 0.5, 0.7)]
    for output in ("probability", "log_odds"):
        rows = {"X": X[:3], "background": X, "output": output}
        each = [explain.lime(one, **rows, **SETTINGS).values for one in ones]
        result = explain.lime(Committee(ones), **rows, **SETTINGS)
        assert result.n_refits == 3
        np.testing.assert_allclose(
            result.refit_errors, np.std(each, axis=0, ddof=1), atol=1e-9
        )


def test_residual_is_the_error_of_the_surrogate(iris_model):
    model, X, _ = iris_model
    result = explain.lime(model, X[:5], background=X, random_state=0)
    assert result.base_values.shape == (5, 3)
    np.testing.assert_allclose(
        result.base_values + result.values.sum(axis=1) + result.residual,
        model.predict_proba(X[:5]),
    )


def test_many_columns_have_rows_enough():
    X = np.random.default_rng(0).normal(size=(40, 500))
    model = LogOdds(lambda X: X[:, 0] - X[:, 499])
    result = explain.lime(model, X[:1], background=X, **SETTINGS)
    assert result.method == "up to 4000 rows around each"
    np.testing.assert_allclose(result.score, 1)
    assert set(np.abs(result.values[0, :, 1]).argsort()[-2:]) == {0, 499}


def test_logistic_regression_has_its_coefficients():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)) * [1, 10, 100]
    model = LogisticRegression().fit(X / [1, 10, 100], X[:, 0] + X[:, 1] / 10 > 0)

    class Scaled:
        classes_ = model.classes_

        def predict_proba(self, X):
            return model.predict_proba(X / [1, 10, 100])

    result = explain.lime(Scaled(), X[:4], background=X, output="log_odds", **SETTINGS)
    steps = X[:4] - result.references.astype(float)
    slopes = model.coef_[0] / [1, 10, 100]
    np.testing.assert_allclose(result.values[:, :, 1], slopes * steps, rtol=1e-5)


def test_known_scales_give_the_same_without_a_search(table):
    def whole_numbers(X):
        return X["size"] + np.sin(X["count"]) + X["flag"]

    model = LogOdds(whole_numbers)
    problem = open_problem(model, table[:3], background=table)
    slow = compute_lime(problem, random_state=1)
    searched, model.n_rows = sum(model.n_rows), []
    fast = compute_lime(problem, random_state=1, scales=slow.scales)
    np.testing.assert_array_equal(fast.values, slow.values)
    assert sum(model.n_rows) < searched - 3 * 400
