import numpy as np
import pandas as pd
import pytest
from drawn import texts
from oracles import Bagged
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skdnn import explain

pytestmark = pytest.mark.usefixtures("outputs_of_any_size")


def test_profiles(people, people_model):
    frame, _ = people
    profiles = explain.partial_dependence(people_model, frame)
    axes = profiles.plot()
    assert axes.size == 6
    ax = profiles.plot("city")
    assert "(missing)" in [text.get_text() for text in ax.get_xticklabels()]
    with pytest.raises(ValueError, match="`feature` must be one of"):
        profiles.plot("country")
    with pytest.raises(ValueError, match="name it with `feature`"):
        profiles.plot(ax=ax)


def test_of_many_columns_those_that_vary_most():
    X = np.random.default_rng(0).normal(size=(40, 15))
    model = LogisticRegression().fit(X, X[:, 14] > 0)
    profiles = explain.partial_dependence(model, X)
    axes = profiles.plot()
    assert axes.size == 12
    assert axes.flat[0].get_xlabel() == "x14"
    assert any("12 of 15 columns" in text for text in texts(axes.flat[0]))
    # as many as fit on a page
    assert profiles.plot(max_display=20).size == 12


def test_curves_are_those_of_the_frame(iris_model):
    model, X, _ = iris_model
    profiles = explain.partial_dependence(model, X)
    ax = profiles.plot("petal width (cm)", target_class="virginica")
    table = profiles.frame()
    part = table[(table["feature"] == "petal width (cm)")]
    part = part[part["class"] == "virginica"]
    curve = ax.lines[0]
    np.testing.assert_allclose(curve.get_xdata(), part["x"].astype(float))
    np.testing.assert_allclose(curve.get_ydata(), part["value"])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["virginica"]
    assert ax.get_ylabel() == "probability"


def test_each_row_has_its_curve(iris_model):
    model, X, _ = iris_model
    curves = explain.partial_dependence(model, X[:9], ice=True)
    ax = curves.plot("petal width (cm)")
    assert len(ax.lines) == 3 * 9 + 3 + 1  # rows, means, deciles
    ax = curves.plot("petal width (cm)", sample=-1, target_class="setosa")
    assert len(ax.lines) == 3
    with pytest.raises(ValueError, match=r"one of the 9 explained rows\. Got 9"):
        curves.plot(sample=9)
    mean = explain.partial_dependence(model, X[:9])
    with pytest.raises(ValueError, match="`sample` must be None where all rows"):
        mean.plot(sample=0)
    with pytest.raises(ValueError, match="Did you mean 'setosa'"):
        mean.plot(target_class="setos")


def test_own_cells_are_marked(people, people_model):
    frame, _ = people
    result = explain.ceteris_paribus(people_model, frame[1:3], background=frame)
    proba = people_model.predict_proba(frame[1:3])
    ax = result.plot("age")
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    marked = {(*line.get_xdata(), *np.round(line.get_ydata(), 9)) for line in dots}
    assert marked == {
        (float(frame["age"].iloc[1 + i]), round(p, 9))
        for i in range(2)
        for p in proba[i]
    }
    ax = result.plot("city", sample=0)
    levels = [text.get_text() for text in ax.get_xticklabels()]
    assert [level for level in levels if "this row" in level] == [
        f"{frame['city'].iloc[1]}\n(this row)"
    ]
    assert not any("this row" in text for text in texts(result.plot("city")))


def test_changes_have_a_line_at_zero(iris_model):
    model, X, _ = iris_model
    ax = explain.accumulated_local_effects(model, X).plot("petal width (cm)")
    assert ax.get_ylabel() == "change of the probability"
    assert any(set(line.get_ydata()) == {0} for line in ax.lines[:-1])


def test_hostile_names(hostile):
    model, X, _ = hostile
    for result in (
        explain.partial_dependence(model, X),
        explain.partial_dependence(model, X, features=[(0, 1), (2, 3)]),
        explain.accumulated_local_effects(model, X),
        explain.ceteris_paribus(model, X[:1], background=X),
    ):
        axes = np.ravel(result.plot())
        axes[0].figure.canvas.draw()
        assert any("$a_b$" in text for text in texts(axes[0]))


def test_curves_of_many_rows_are_thinned(formula):
    X = np.random.default_rng(0).random((900, 1))
    curves = explain.partial_dependence(
        formula(lambda X: X[:, 0]), X, ice=True, grid_resolution=3
    )
    assert len(curves.plot("x0", target_class=True).lines) == 180 + 2


def test_bands_show_the_interval_of_another_fit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    model = Bagged(LogisticRegression(), 4).fit(X, X[:, 0] > 0)
    result = explain.accumulated_local_effects(model, X)
    ax = result.plot("x1", target_class=True)
    band = ax.collections[0].get_paths()[0].vertices
    of_column = (result.frame()["feature"] == "x1") & result.frame()["class"]
    low, high = (end[of_column] for end in result.refit_interval())
    assert band[:, 1].min() == pytest.approx(low.min())
    assert band[:, 1].max() == pytest.approx(high.max())
    assert (
        not explain.partial_dependence(model.estimators_[0], X).plot("x1").collections
    )


def test_columns_with_flat_curves_are_left_out_and_counted(formula):
    X = np.random.default_rng(0).random((60, 20))
    weights = np.array([0.5, 0.2, 0.1, 0.0101, 0.002, *np.zeros(15)])
    model = formula(lambda X: X @ weights)
    result = explain.partial_dependence(model, X)
    table = result.frame()
    table = table[table["class"] == True]  # noqa: E712
    spans = table.groupby("feature")["value"].agg(np.ptp)
    least = 0.01 * np.ptp(table["value"])
    axes = result.plot()
    drawn = [ax.get_xlabel() for ax in axes.flat if ax.get_xlabel()]
    assert set(drawn) == set(spans.index[spans > least]) == {"x0", "x1", "x2", "x3"}
    n_flat = (spans <= least).sum()
    note = f"4 of 20 columns; left out: {n_flat} with flat curves"
    assert axes.flat[0].figure.get_supxlabel() == note
    some = result.plot(max_display=2)
    assert some.flat[0].figure.get_supxlabel() == (
        f"2 of 20 columns; left out: {n_flat} with flat curves and 2 that vary less"
    )
    # each can be drawn by name
    assert result.plot("x9").get_xlabel() == "x9"


def test_of_flat_curves_alone_one_is_drawn(formula):
    X = np.random.default_rng(0).random((20, 3))
    axes = explain.partial_dependence(formula(lambda X: 0 * X[:, 0] + 0.3), X).plot()
    assert axes.size == 1
    assert axes.flat[0].figure.get_supxlabel() == (
        "1 of 3 columns; left out: 2 with flat curves"
    )


@pytest.mark.parametrize("intercept", [0.0, 7.0])
def test_probabilities_near_one_are_on_an_axis_of_log_odds(intercept):
    """Otherwise curves from 99.7% to 99.98% would be one flat line."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=200), "town": rng.choice(["U", "B"], 200)})
    y = np.arange(200) % 2
    columns = make_column_transformer(
        (OneHotEncoder(), ["town"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression()).fit(X, y)
    model[-1].coef_[:], model[-1].intercept_[:] = [[0, 0.2, 0.5]], intercept
    result = explain.partial_dependence(model, X)
    first, second = result.plot()[0]
    scale = "logit" if intercept else "linear"
    assert first.get_yscale() == second.get_yscale() == scale
    assert ("log-odds scale" in first.get_ylabel()) == bool(intercept)
    low, high = first.get_ylim()
    table = result.frame()
    values = table.loc[(table["class"] == 1) & (table["feature"] == "a"), "value"]
    assert first.lines[0].get_ydata() == pytest.approx(values.to_numpy())
    assert low < values.min() < values.max() < high
    if intercept:
        towns = second.lines[0].get_ydata()  # dots, as bars would start at 0
        of_towns = table.loc[(table["class"] == 1) & (table["feature"] == "town")]
        assert towns == pytest.approx(of_towns["value"].to_numpy())
        assert low > 0.98
