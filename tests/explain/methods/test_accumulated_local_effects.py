import itertools

import numpy as np
import pandas as pd
import pytest
from oracles import (
    Additive,
    Formula,
    Interaction,
    Linear,
    Step,
    accumulated_by_loops,
    correlated,
)
from scipy.stats import ks_2samp

from skdnn import explain
from skdnn.explain._methods.accumulated_local_effects import category_distances

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")


def of_second(result, feature=None):
    table = result.frame()
    table = table[table["class"] == True]  # noqa: E712
    if feature is not None:
        table = table[table["feature"] == feature]
    return table["x"].to_numpy(float), table["value"].to_numpy()


def test_of_a_linear_output_is_the_coefficient():
    model, X = Linear([0.3, -0.2]), correlated(200)
    result = explain.accumulated_local_effects(model, X)
    for j in range(2):
        x, value = of_second(result, f"x{j}")
        np.testing.assert_allclose(value, model.accumulated(X, j, x), atol=1e-12)


def test_of_log_odds_of_logistic_regression(iris_model):
    model, X, _ = iris_model
    table = explain.accumulated_local_effects(
        model, X, features=3, output="log_odds"
    ).frame()
    # softmax: log odds of three classes are not linear, probabilities add up to 1
    shares = explain.accumulated_local_effects(model, X, features=3).frame()
    total = shares.groupby("x")["value"].sum()
    np.testing.assert_allclose(total, 0, atol=1e-12)
    assert (table["x"].to_numpy() == shares["x"].to_numpy()).all()
    assert table["value"].max() > 1 > shares["value"].max()


def test_additive_terms_are_separated_in_correlated_columns():
    model, X = Additive(), correlated(4000, rho=0.9)
    result = explain.accumulated_local_effects(model, X, grid_resolution=100)
    for j in range(2):
        x, value = of_second(result, f"x{j}")
        # only the centre is approximate: the curve is straight between its ends
        np.testing.assert_allclose(value, model.accumulated(X, j, x), atol=2e-3)


def test_interaction_shows_in_it_and_not_in_partial_dependence():
    model, X = Interaction(rho=0.8), correlated(20_000, rho=0.8)
    x, value = of_second(explain.accumulated_local_effects(model, X, features=0))
    middle = np.abs(x) < 2
    np.testing.assert_allclose(
        value[middle], model.accumulated(x[middle]), atol=0.05, rtol=0
    )
    x, value = of_second(explain.partial_dependence(model, X[:4000], features=0))
    assert np.abs(value - model.dependence(x)).max() < 0.1
    assert np.abs(model.accumulated(x)).max() > 1


def test_column_without_a_part_has_none_however_correlated():
    X = correlated(500, rho=0.95)
    result = explain.accumulated_local_effects(Step(), X)
    assert (of_second(result, "x1")[1] == 0).all()
    x, value = of_second(result, "x0")
    # the interval that holds the step holds all of the rise
    steps = np.diff(value)
    assert (steps[(x[1:] <= 0) | (x[:-1] > 0)] == 0).all()
    assert steps.sum() == pytest.approx(1)


def test_is_equation_15_by_loops():
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(90, 3)), 1)  # with ties
    model = Formula(lambda X: np.sin(X[:, 0] * X[:, 1]) + X[:, 2] * X[:, 0])
    result = explain.accumulated_local_effects(model, X, grid_resolution=12)
    for j in range(3):
        x, value = of_second(result, f"x{j}")
        by_loops = accumulated_by_loops(model, X, j, x)[:, 1]
        np.testing.assert_allclose(value - value[0], by_loops, atol=1e-12)
        at_rows = np.interp(X[:, j], x, value)
        assert at_rows.mean() == pytest.approx(0, abs=1e-12)
        assert len(x) <= 12


@pytest.fixture(scope="module")
def regions():
    """Regions whose rows differ in height, so that they have an order."""
    rng = np.random.default_rng(0)
    place = rng.integers(0, 4, 400)
    height = place + rng.normal(scale=0.6, size=400)
    # the alphabetical order is not that of the height
    names = np.array(["m", "a", "z", "k"], dtype=object)[place]
    return pd.DataFrame({"region": names, "height": height}), place


class Regions:
    """A formula of the height and of a number for each region."""

    classes_ = np.array([False, True])

    def __init__(self, formula):
        self.formula = formula

    def predict_proba(self, X):
        bonus = X["region"].map({"m": 0.0, "a": 0.1, "z": 0.5, "k": -0.3})
        p = self.formula(bonus.to_numpy(float), X["height"].to_numpy())
        return np.column_stack([1 - p, p])


def test_categories_have_the_effect_of_their_term(regions):
    X, _ = regions
    model = Regions(lambda bonus, height: bonus + height**2)
    table = explain.accumulated_local_effects(model, X, features="region").frame()
    table = table[table["class"] == True].set_index("x")["value"]  # noqa: E712
    bonus = X["region"].map({"m": 0.0, "a": 0.1, "z": 0.5, "k": -0.3})
    assert table["z"] == pytest.approx(0.5 - bonus.mean())
    assert table["k"] == pytest.approx(-0.3 - bonus.mean())


def test_categories_are_ordered_by_the_similarity_of_their_rows(regions):
    X, _ = regions
    model = Regions(lambda bonus, height: bonus)
    x = explain.accumulated_local_effects(model, X, features="region").frame()["x"]
    assert x.tolist()[:4] in (["m", "a", "z", "k"], ["k", "z", "a", "m"])


def test_distances_of_distributions():
    rng = np.random.default_rng(0)
    cells, place = rng.normal(size=90), np.arange(90) % 3
    cells[place == 2] += 1
    result = category_distances(cells, True, place, 3)
    for a, b in itertools.combinations(range(3), 2):
        ks = ks_2samp(cells[place == a], cells[place == b]).statistic
        assert result[a, b] == result[b, a] == pytest.approx(ks)
    words = np.array([0, 0, 1, 1, 2, 2, 0, 1])
    place = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    # shares 1/2 1/2 0 beside 1/4 1/4 1/2
    assert category_distances(words, False, place, 2)[0, 1] == pytest.approx(0.5)


def test_rows_move_between_neighbouring_categories_only(regions):
    X, _ = regions
    calls = []
    model = Regions(lambda bonus, height: bonus * height)

    class Watched(Regions):
        def predict_proba(self, X):
            calls.append(X)
            return model.predict_proba(X)

    result = explain.accumulated_local_effects(Watched(None), X, features="region")
    order = result.frame()["x"].tolist()[:4]
    # an independent computation: rows of both levels, moved to the other
    bonus = {"m": 0.0, "a": 0.1, "z": 0.5, "k": -0.3}
    values = [0.0]
    for before, after in itertools.pairwise(order):
        rows = X["region"].isin([before, after])
        change = (bonus[after] - bonus[before]) * X.loc[rows, "height"]
        values.append(values[-1] + change.mean())
    values = pd.Series(values, index=order)
    values -= values[X["region"]].mean()
    got = result.frame().query("`class` == True").set_index("x")["value"]
    np.testing.assert_allclose(got[order], values)
    assert sum(len(rows) for rows in calls) <= 3 * len(X) + 1


def test_levels_with_an_order_keep_it():
    rng = np.random.default_rng(0)
    size = pd.Categorical(
        rng.choice(["small", "large", "middle"], 60),
        categories=["small", "middle", "large"], ordered=True,
    )  # fmt: skip
    X = pd.DataFrame({"size": size, "truth": rng.random(60) < 0.5})

    class Sizes:
        classes_ = np.array(["no", "yes"])

        def predict_proba(self, X):
            p = 0.1 * X["size"].cat.codes.to_numpy() + 0.2 * X["truth"].to_numpy()
            return np.column_stack([1 - p, p])

    table = explain.accumulated_local_effects(Sizes(), X).frame()
    assert table["x"].tolist()[:3] == ["small", "middle", "large"]
    of_yes = table[table["class"] == "yes"]["value"].to_numpy()
    np.testing.assert_allclose(np.diff(of_yes[:3]), 0.1)
    assert table["x"].tolist()[6:8] == [False, True]
    assert of_yes[4] - of_yes[3] == pytest.approx(0.2)


def test_people(people, people_model):
    frame, _ = people
    table = explain.accumulated_local_effects(people_model, frame).frame()
    assert list(table.columns) == ["feature", "class", "x", "value"]
    ages = table[table["feature"] == "age"]
    # ends of intervals are cells that occur, whole numbers too
    assert set(ages["x"]) <= set(frame["age"])
    cities = table[(table["feature"] == "city") & (table["class"] == "yes")]
    assert set(cities["x"].dropna()) == {"Oslo", "Bergen", "Tromsø"}
    assert cities["x"].isna().sum() == 1
    incomes = table[(table["feature"] == "income") & (table["class"] == "yes")]
    assert np.isfinite(incomes["value"]).all()
    known = frame["income"].dropna()
    at_rows = np.interp(known, incomes["x"].astype(float), incomes["value"])
    assert at_rows.mean() == pytest.approx(0, abs=1e-12)


def test_columns_that_say_nothing():
    X = pd.DataFrame(
        {
            "constant": np.ones(20, dtype=np.int8),
            "unknown": np.full(20, np.nan),
            "word": ["same"] * 20,
            "x": np.linspace(0, 1, 20),
        }
    )
    model = Formula(lambda X: X[:, 0] / 2)
    model.predict_proba = lambda X: np.column_stack([1 - X["x"], X["x"]])
    table = explain.accumulated_local_effects(model, X).frame()
    rest = table[table["feature"] != "x"]
    assert len(rest) == 6
    assert (rest["value"] == 0).all()


def test_background(iris_model):
    model, X, _ = iris_model
    alone = explain.accumulated_local_effects(model, X)
    drawn = explain.accumulated_local_effects(
        model, X[:1], background=X, random_state=0
    )
    assert (alone.n_background, drawn.n_background) == (150, 100)
    assert alone.unit == "change of the probability"
    with pytest.raises(ValueError, match="`grid_resolution` must be a whole number"):
        explain.accumulated_local_effects(model, X, grid_resolution=True)


def test_many_levels_and_numbers_take_no_longer_than_they_must():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"id": [f"id{i:03}" for i in range(90)] * 2, "x": rng.normal(size=180)}
    )
    calls = []

    class Counted:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            calls.append(len(X))
            p = X["x"].to_numpy() / 9 + 0.5
            return np.column_stack([1 - p, p])

    result = explain.accumulated_local_effects(Counted(), X)
    assert len(result.frame()) == 2 * (50 + 50)
    assert len(calls) < 10
    assert sum(calls) < 6 * len(X) + 10
