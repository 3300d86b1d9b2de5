import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from drawn import labels
from matplotlib.colors import same_color, to_hex
from sklearn.linear_model import LogisticRegression

from skdnn import explain
from skdnn.explain._plots.canvas import DOWN, UP


def test_characters_that_the_font_does_not_have():
    names = ["größe", "年齢", "a\nb", "x"]
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 4)), columns=names)
    model = LogisticRegression().fit(X, np.arange(30) % 2)
    ax = explain.shap(model, X[:3], background=X).plot()
    ax.figure.canvas.draw()
    assert set(labels(ax)) == {"größe", r"\u5e74\u9f62", r"a\nb", "x"}


def test_legend_names_every_colour_and_hides_nothing():
    class Many:
        classes_ = np.arange(20)

        def predict_proba(self, X):
            p = np.exp(np.outer(X[:, 0], np.arange(20)) / 10)
            return p / p.sum(axis=1, keepdims=True)

    X = np.random.default_rng(0).normal(size=(20, 2))
    for ax in (
        explain.shap(Many(), X).plot(),
        explain.partial_dependence(Many(), X).plot("x0"),
    ):
        ax.figure.canvas.draw()
        legend = ax.get_legend()
        names = [text.get_text() for text in legend.get_texts()]
        assert len(names) == 6
        assert set(names[:5]) <= {str(label) for label in range(20)}
        assert names[5] == "15 other classes"
        assert legend.get_window_extent().x0 >= ax.get_window_extent().x1


def test_no_figure_is_taller_than_a_page():
    X = np.random.default_rng(0).normal(size=(40, 80))
    y = X[:, 0] > 0
    model = LogisticRegression().fit(X, y)
    shap = explain.shap(model, X[:4], background=X[:10], random_state=0)
    steps = explain.break_down(model, X[:1], background=X, random_state=0)
    importance = explain.permutation_importance(model, X, y, random_state=0)
    for result, options in (
        (shap, {}),
        (shap, {"sample": 0}),
        (shap, {"kind": "waterfall"}),
        (shap, {"kind": "beeswarm"}),
        (steps, {}),
        (importance, {}),
        (explain.average_conditional_effects(model, X), {}),
    ):
        ax = result.plot(max_display=80, **options)
        assert ax.figure.get_size_inches()[1] <= 13.01
        # what is left out is counted
        is_summed = any("other columns" in label for label in labels(ax))
        assert is_summed or f"{len(labels(ax))} of 80 columns" in ax.get_title()
    # the user's own Axes have the size that they want
    own = plt.subplots()[1]
    assert len(labels(shap.plot(max_display=80, ax=own))) == 80


def test_lines_are_visible_on_a_dark_background(iris_model):
    model, X, y = iris_model
    importance = explain.permutation_importance(model, X, y, random_state=0)
    effects = explain.average_conditional_effects(model, X)
    curves = explain.accumulated_local_effects(model, X)
    with plt.style.context("dark_background"):
        for ax in (importance.plot(), effects.plot(), curves.plot(X.columns[0])):
            colors = [line.get_color() for line in ax.lines]
            for lines in ax.collections:
                colors += list(lines.get_edgecolor())
            assert colors
            assert not any(same_color(color, "black") for color in colors)


def test_colours_of_one_row_are_named(iris_model):
    model, X, _ = iris_model
    result = explain.shap(model, X[:3], background=X, random_state=0)
    for kind in ("bar", "waterfall"):
        ax = result.plot(kind, sample=0)
        colors = {to_hex(bar.get_facecolor()).upper() for bar in ax.patches}
        named = {
            to_hex(handle.get_facecolor()).upper(): text.get_text()
            for handle, text in zip(
                ax.get_legend().legend_handles, ax.get_legend().get_texts(), strict=True
            )
        }
        meanings = {UP.upper(): "raises it", DOWN.upper(): "lowers it"}
        assert named == {color: meanings[color] for color in colors}
