import re

import matplotlib.pyplot as plt
import pytest
from drawn import labels
from matplotlib.text import Text

from skdnn import explain


@pytest.fixture(scope="module")
def result(iris_model):
    model, X, _ = iris_model
    return explain.shap(model, X[::10], background=X, random_state=0)


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


def test_draws_on_the_axes_given_and_leaves_no_figure(result):
    plt.close("all")
    figure, ax = plt.subplots()
    assert result.plot("waterfall", ax=ax) is ax
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("kind", ["bar", "beeswarm", "waterfall"])
def test_hostile_names_are_drawn_as_they_are(kind, hostile):
    model, X, _ = hostile
    ax = explain.shap(model, X[:10], background=X, random_state=0).plot(kind)
    ax.figure.canvas.draw()  # mathtext would fail here, or change the name
    assert any(re.fullmatch(r"\$a_b\$( = .+)?", label) for label in labels(ax))
    assert all(len(label) <= 60 for label in labels(ax))


@pytest.mark.parametrize("kind", ["bar", "beeswarm", "waterfall"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_class_names_are_drawn_as_they_are(kind, place, hostile):
    model, X, _ = hostile
    result = explain.shap(model, X[:10], background=X, random_state=0)
    label = model.classes_[place]
    ax = result.plot(kind, target_class=label)
    ax.figure.canvas.draw()
    drawn_texts = [
        text for text in ax.figure.findobj(Text) if str(label)[:10] in text.get_text()
    ]
    assert drawn_texts
    assert not any(text.get_parse_math() for text in drawn_texts)
    # nothing is written outside the figure
    width, height = ax.figure.canvas.get_width_height()
    for text in drawn_texts:
        box = text.get_window_extent()
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= width + 1
        assert box.y1 <= height + 1
