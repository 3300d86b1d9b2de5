from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawn import labels, texts
from sklearn.linear_model import LogisticRegression

from skdnn import explain


def test_long_importance_is_cut():
    X = np.random.default_rng(0).normal(size=(50, 20))
    model = LogisticRegression().fit(X, np.arange(50) % 2)
    ax = explain.permutation_importance(model, X, np.arange(50) % 2).plot()
    assert len(labels(ax)) == 12
    assert "12 of 20 columns" in ax.get_title()


def test_importance_is_drawn_with_its_intervals(iris_model):
    model, X, y = iris_model
    result = explain.permutation_importance(model, X, y, random_state=0)
    ax = result.plot()
    table = result.frame().sort_values("importance", ascending=False)
    assert labels(ax) == table["feature"].tolist()
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(
        table["importance"].tolist()
    )
    ends = np.array([path[:, 0] for path in ax.collections[0].get_segments()])
    np.testing.assert_allclose(ends, table[["ci_low", "ci_high"]])
    assert ax.get_xlabel() == "drop of the score when shuffled\n(95% interval)"


def test_agreement_is_drawn_as_rank_correlations(iris_model):
    model, X, _ = iris_model
    result = explain.agreement(model, X[::50], background=X, random_state=0)
    ax = result.plot()
    assert labels(ax) == ["SHAP and LIME", "SHAP and break-down", "LIME and break-down"]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(
        result.frame()["rank"].tolist()
    )


def test_hostile_names(hostile):
    model, X, y = hostile
    for result in (
        explain.permutation_importance(model, X, y, random_state=0),
        explain.average_conditional_effects(model, X),
        explain.break_down(model, X[:2], background=X),
        explain.counterfactuals(model, X[:4], background=X),
        explain.lime(model, X[:2], background=X, random_state=0),
    ):
        ax = np.ravel(result.plot())[0]
        ax.figure.canvas.draw()  # mathtext would fail here, or change the name
        assert all(len(label) <= 62 for label in labels(ax))


@pytest.mark.parametrize("max_display", [0, 2.5])
def test_bad_arguments(max_display, iris_model):
    model, X, _ = iris_model
    for result in (
        explain.break_down(model, X[:2], background=X),
        explain.counterfactuals(model, X[:2], background=X),
        explain.average_conditional_effects(model, X),
    ):
        with pytest.raises(ValueError, match="`max_display` must be a whole number"):
            result.plot(max_display=max_display)


def test_effects_are_numbers_beside_bars(people, people_model):
    frame, _ = people
    result = explain.average_conditional_effects(people_model, frame)
    ax = result.plot()
    table = result.frame()
    drawn = texts(ax)
    assert {f"{effect:+.3g}" for effect in table["effect"]} <= drawn
    widths = np.array([bar.get_width() for bar in ax.patches])
    assert np.abs(widths).max() == pytest.approx(1)
    assert (np.sign(widths) == np.sign(table["effect"])).all()
    reference = table[table["feature"] == "city"]["reference"].iloc[0]
    assert f"city: Oslo vs {reference}" in labels(ax)
    assert labels(ax)[0] == "age"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "no", "perhaps", "yes",
    ]  # fmt: skip


def test_effects_have_intervals_where_they_are_known(iris_model):
    model, X, _ = iris_model
    result = explain.average_conditional_effects(model, X)
    table = result.frame()
    table["ci_low"], table["ci_high"] = table["effect"] - 1, table["effect"] + 2
    ax = replace(result, table=table).plot()
    reach = [line for line in ax.collections if len(line.get_segments())]
    assert sum(len(line.get_segments()) for line in reach) == len(table)
    assert not result.plot().collections


@pytest.fixture(scope="module")
def result(iris_model):
    model, X, y = iris_model
    return explain.summary(model, X, y, random_state=0)


def test_importances_have_ranks_and_intervals(result):
    first, _ = result.plot(max_display=3)
    table = result.frame().query("measure == 'importance'")
    table = table.sort_values("value", ascending=False).head(3)
    assert [bar.get_width() for bar in first.patches] == pytest.approx(
        table["value"].tolist()
    )
    ranks = zip(table["feature"], table["rank_low"], table["rank_high"], strict=True)
    assert labels(first) == [
        f"{name} (rank {low})" if low == high else f"{name} (rank {low}–{high})"
        for name, low, high in ranks
    ]
    ends = np.array([path[:, 0] for path in first.collections[0].get_segments()])
    np.testing.assert_allclose(ends, table[["ci_low", "ci_high"]])
    assert first.get_title() == "Importance\n3 of 4 columns"


def test_effects_stand_beside_them(result):
    axes = plt.subplots(1, 2)[1]
    drawn = result.plot(ax=axes)
    assert drawn.tolist() == axes.tolist()
    effects = result.frame().query("measure == 'effect'")
    assert len(axes[1].patches) == len(effects) == 12
    assert (
        np.sign([bar.get_width() for bar in axes[1].patches])
        == np.sign(effects["value"])
    ).all()
    assert axes[1].get_title() == "Average conditional effects on the probability"
