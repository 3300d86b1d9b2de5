import numpy as np
import pandas as pd
import pytest
from oracles import Formula, Interaction, Linear, correlated
from sklearn.linear_model import LogisticRegression

from skdnn import explain

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")


def effects_of(result, label=True):
    table = result.frame()
    return table[table["class"] == label].set_index("feature")["effect"]


def test_of_a_linear_output_is_the_coefficient():
    model, X = Linear([0.3, -0.2]), correlated(100)
    result = explain.average_conditional_effects(model, X)
    np.testing.assert_allclose(effects_of(result), model.effects())
    np.testing.assert_allclose(effects_of(result, False), -model.effects())


def test_of_log_odds_is_the_coefficient_per_unit_of_the_users_column(wine):
    X, y = wine
    is_first = y == "class_0"
    model = LogisticRegression(max_iter=10_000).fit(X, is_first)
    result = explain.average_conditional_effects(model, X, output="log_odds")
    np.testing.assert_allclose(effects_of(result), model.coef_[0], rtol=1e-5)


def test_frame(iris_model):
    model, X, _ = iris_model
    result = explain.average_conditional_effects(model, X)
    table = result.frame()
    assert list(table.columns) == [
        "feature", "class", "effect", "std_error", "ci_low", "ci_high",
    ]  # fmt: skip
    assert table["feature"].tolist() == np.repeat(X.columns, 3).tolist()
    assert table["class"].tolist() == ["setosa", "versicolor", "virginica"] * 4
    # what is won by a class is lost by others
    np.testing.assert_allclose(table.groupby("feature")["effect"].sum(), 0, atol=1e-12)
    # errors are those of refits, which there are none of
    assert table[["std_error", "ci_low", "ci_high"]].isna().all(axis=None)
    assert result.refit_errors is None


def test_is_the_mean_slope_with_correlated_columns():
    model, X = Interaction(rho=0.8), correlated(500)
    X += [1.0, 3.0]
    effects = effects_of(explain.average_conditional_effects(model, X))
    np.testing.assert_allclose(effects, X[:, ::-1].mean(axis=0))


def test_of_a_curve_is_its_mean_slope():
    X = np.linspace(0, 3, 400)[:, None]
    model = Formula(lambda X: np.sin(X[:, 0]))
    effect = effects_of(explain.average_conditional_effects(model, X)).iloc[0]
    assert effect == pytest.approx(np.cos(X).mean(), rel=2e-3)


def test_no_row_is_moved_beyond_the_cells_that_occur():
    X = correlated(50)
    calls = []

    def record(rows):
        calls.append(rows.copy())
        return rows[:, 0]

    explain.average_conditional_effects(Formula(record), X)
    rows = np.vstack(calls)
    assert (rows.min(axis=0) >= X.min(axis=0)).all()
    assert (rows.max(axis=0) <= X.max(axis=0)).all()


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, "Int64"])
def test_whole_numbers_move_by_whole_steps(dtype):
    counts = np.random.default_rng(0).integers(0, 200, 60)
    X = pd.DataFrame(
        {
            "count": pd.array(counts, dtype=dtype),
            "flag": pd.array(counts % 2, dtype=dtype),
        }
    )

    class Counts:
        classes_ = np.array(["no", "yes"])

        def predict_proba(self, X):
            assert set(X.dtypes) == {pd.api.types.pandas_dtype(dtype)}
            assert X["flag"].isin([0, 1]).all()
            p = 0.002 * X["count"].astype(float) + 0.1 * X["flag"].astype(float)
            return np.column_stack([1 - p, p])

    result = explain.average_conditional_effects(Counts(), X)
    np.testing.assert_allclose(effects_of(result, "yes"), [0.002, 0.1])


def test_large_numbers_with_little_precision():
    X = pd.DataFrame({"year": np.linspace(1e6, 1e6 + 1, 40).astype(np.float32)})
    model = Formula(lambda X: X[:, 0] - 1e6)
    effect = effects_of(explain.average_conditional_effects(model, X)).iloc[0]
    assert effect == pytest.approx(1)


def test_categories_are_contrasts(people, people_model):
    frame, _ = people
    result = explain.average_conditional_effects(people_model, frame)
    table = result.frame()
    assert list(table.columns)[:4] == ["feature", "level", "reference", "class"]
    cities = table[table["feature"] == "city"]
    reference = frame["city"].value_counts().index[0]
    assert set(cities["reference"]) == {reference}
    assert set(cities["level"].dropna()) == {"Oslo", "Bergen", "Tromsø"} - {reference}
    assert cities["level"].isna().sum() == 3  # missing is a level
    means = {
        level: people_model.predict_proba(frame.assign(city=level)).mean(axis=0)
        for level in ("Oslo", reference)
    }
    oslo = cities[cities["level"] == "Oslo"]
    np.testing.assert_allclose(oslo["effect"], means["Oslo"] - means[reference])
    member = table[table["feature"] == "member"]
    assert member["level"].tolist() == [True] * 3
    assert member["reference"].tolist() == [False] * 3
    assert (
        table[table["feature"] == "age"][["level", "reference"]].isna().all(axis=None)
    )


def test_reference_of_an_order_is_its_first_level():
    size = pd.Categorical(
        ["large"] * 8 + ["small"] * 2, categories=["small", "large"], ordered=True
    )
    X = pd.DataFrame({"size": size})

    class Sizes:
        classes_ = np.array(["no", "yes"])

        def predict_proba(self, X):
            p = 0.25 * X["size"].cat.codes.to_numpy()
            return np.column_stack([1 - p, p])

    row = explain.average_conditional_effects(Sizes(), X).frame().iloc[1]
    assert (row["level"], row["reference"], row["effect"]) == ("large", "small", 0.25)


def test_columns_that_say_nothing():
    X = pd.DataFrame(
        {"one": [1.0] * 6, "none": [np.nan] * 6, "word": ["a"] * 6, "x": range(6)}
    )

    class Model:
        classes_ = np.array(["no", "yes"])

        def predict_proba(self, X):
            p = X["x"].to_numpy() / 10
            return np.column_stack([1 - p, p])

    table = explain.average_conditional_effects(Model(), X).frame()
    rest = table[table["feature"] != "x"]
    assert len(rest) == 6
    assert (rest["effect"] == 0).all()


def test_background_takes_the_place_of_x(iris_model):
    model, X, _ = iris_model
    alone = explain.average_conditional_effects(model, X[100:])
    with_it = explain.average_conditional_effects(model, X[:2], background=X[100:])
    pd.testing.assert_frame_equal(alone.frame(), with_it.frame())
