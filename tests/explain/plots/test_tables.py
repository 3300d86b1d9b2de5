import numpy as np
import pytest
from drawn import labels
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
    assert ax.get_xlabel() == "drop of the score when shuffled (95% interval)"


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
