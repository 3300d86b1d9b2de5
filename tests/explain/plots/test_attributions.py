import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from oracles import Bagged
from sklearn.linear_model import LogisticRegression

from skdnn import explain


@pytest.fixture(scope="module")
def result(iris_model):
    model, X, _ = iris_model
    return explain.shap(model, X[::10], background=X, random_state=0)


def labels(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def test_bars_show_all_classes(result):
    ax = result.plot()
    assert labels(ax)[0].startswith("petal")
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["setosa", "versicolor", "virginica"]
    total = sum(patch.get_width() for patch in ax.patches)
    assert total == pytest.approx(np.abs(result.values).mean(axis=0).sum())
    one = result.plot(target_class="setosa")
    assert len(one.patches) == 4


def test_waterfall_leads_from_base_to_prediction(result):
    ax = result.plot("waterfall", sample=3, target_class="virginica")
    bars = ax.patches
    assert sum(bar.get_width() for bar in bars) == pytest.approx(
        result.predictions[3, 2] - result.base_values[2]
    )
    assert bars[-1].get_x() == pytest.approx(result.base_values[2])
    assert "class virginica" in ax.get_title()
    assert any("petal width (cm) = " in label for label in labels(ax))


def test_waterfall_adds_up_what_it_does_not_show(result):
    ax = result.plot("waterfall", sample=3, max_display=3)
    assert labels(ax)[-1] == "2 other columns"
    widths = [bar.get_width() for bar in ax.patches]
    assert sum(widths) == pytest.approx(
        result.predictions[3].max() - result.base_values[result.predictions[3].argmax()]
    )


def test_row_bars_of_lime_tell_of_a_poor_fit(iris_model):
    model, X, _ = iris_model
    lime = explain.lime(model, X[:1], background=X, random_state=0)
    assert "local R²" in lime.plot(sample=0).get_title()
    poor = explain.lime(lambda_model(), X[:1], background=X, random_state=0)
    assert "a poor fit" in poor.plot(sample=0).get_title()


def lambda_model():
    class Waves:
        classes_ = np.array(["a", "b"])

        def predict_proba(self, X):
            p = 0.5 + 0.5 * np.sin(40 * np.asarray(X).sum(axis=1))
            return np.column_stack([p, 1 - p])

    return Waves()


def test_beeswarm_shows_every_row(result):
    ax = result.plot("beeswarm", target_class="setosa")
    points = np.concatenate(
        [c.get_offsets() for c in ax.collections if len(c.get_offsets()) > 1]
    )
    assert len(points) == 15 * 4
    np.testing.assert_allclose(
        np.sort(points[:, 0]), np.sort(result.values[:, :, 0].ravel())
    )


@pytest.mark.parametrize("kind", ["bar", "beeswarm", "waterfall"])
def test_hostile_names_are_drawn_as_they_are(kind, hostile):
    model, X, _ = hostile
    ax = explain.shap(model, X[:10], background=X, random_state=0).plot(kind)
    ax.figure.canvas.draw()  # mathtext would fail here, or change the name
    if kind != "waterfall":
        assert "$a_b$" in labels(ax)
    assert all(len(label) <= 60 for label in labels(ax))


def test_draws_where_it_is_told_and_leaves_no_figure(result):
    plt.close("all")
    figure, ax = plt.subplots()
    assert result.plot("waterfall", ax=ax) is ax
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"kind": "swarm"}, "Did you mean 'beeswarm'"),
        ({"target_class": "rose"}, r"one of the classes \['setosa'.*Got 'rose'"),
        ({"target_class": "Setosa"}, "Did you mean 'setosa'"),
        ({"sample": 99}, "one of the 15 explained rows. Got 99"),
        ({"sample": "first"}, "Got 'first'"),
        ({"max_display": 0}, "at least 1. Got 0"),
    ],
)
def test_bad_arguments(arguments, match, result):
    with pytest.raises(ValueError, match=match):
        result.plot(**arguments)


def texts(ax):
    """All that is written on the figure, as the reader sees it."""
    return {text.get_text(): text for text in ax.figure.findobj(Text)}


@pytest.mark.parametrize("kind", ["bar", "beeswarm", "waterfall"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_class_names_are_drawn_as_they_are(kind, place, hostile):
    model, X, _ = hostile
    result = explain.shap(model, X[:10], background=X, random_state=0)
    label = model.classes_[place]
    ax = result.plot(kind, target_class=label)
    ax.figure.canvas.draw()
    said = [text for text in texts(ax).values() if str(label)[:10] in text.get_text()]
    assert said
    assert not any(text.get_parse_math() for text in said)
    # nothing is written outside the figure
    width, height = ax.figure.canvas.get_width_height()
    for text in said:
        box = text.get_window_extent()
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= width + 1
        assert box.y1 <= height + 1


def test_names_that_the_font_does_not_hold():
    names = ["größe", "年齢", "a\nb", "x"]
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 4)), columns=names)
    model = LogisticRegression().fit(X, np.arange(30) % 2)
    ax = explain.shap(model, X[:3], background=X).plot()
    ax.figure.canvas.draw()
    assert set(labels(ax)) == {"größe", r"\u5e74\u9f62", r"a\nb", "x"}


def test_legend_names_every_class_and_hides_nothing():
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
        assert [text.get_text() for text in legend.get_texts()] == [
            str(label) for label in range(20)
        ]
        assert legend.get_window_extent().x0 >= ax.get_window_extent().x1


def test_bars_of_a_row_show_where_another_fit_would_lie():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    model = Bagged(LogisticRegression(), 4).fit(X, X[:, 0] > 0)
    result = explain.shap(model, X[:2], background=X, random_state=0)
    ax = result.plot("bar", sample=1, target_class=True)
    assert "another fit" in ax.get_xlabel()
    ends = np.sort(
        [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2]
    )
    low, high = (end[1, :, 1] for end in result.refit_interval())
    assert any(np.allclose(np.sort(end), np.sort(low)) for end in ends)
    assert any(np.allclose(np.sort(end), np.sort(high)) for end in ends)
