import collections

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color

from skdnn import explain
from skdnn.explain._plots.canvas import GREY


@pytest.fixture(scope="module")
def result(iris_model):
    model, X, _ = iris_model
    return explain.shap(model, X[::10], background=X, random_state=0)


def test_beeswarm_shows_every_row(result):
    ax = result.plot("beeswarm", target_class="setosa")
    points = np.concatenate(
        [c.get_offsets() for c in ax.collections if len(c.get_offsets()) > 1]
    )
    assert len(points) == 15 * 4
    np.testing.assert_allclose(
        np.sort(points[:, 0]), np.sort(result.values[:, :, 0].ravel())
    )


def test_categories_have_colours_and_names(people, people_model):
    frame, _ = people
    result = explain.shap(people_model, frame[:60], background=frame, random_state=0)
    ax = result.plot("beeswarm", target_class="yes")
    ax.figure.canvas.draw()
    colors = {text.get_text(): text.get_color() for text in ax.texts}
    city = result.data[:, result.feature_names.index("city")]
    known = ["(missing)" if pd.isna(cell) else cell for cell in city]
    counts = collections.Counter(known)
    assert set(counts) <= set(colors)
    values = result.values[:, result.feature_names.index("city"), 2]
    for level in counts:  # the points of its rows
        of_level = [x for x, cell in zip(values, known, strict=True) if cell == level]
        (points,) = (
            c for c in ax.collections
            if len(c.get_offsets()) == len(of_level)
            and np.allclose(np.sort(c.get_offsets()[:, 0]), np.sort(of_level))
        )  # fmt: skip
        assert same_color(points.get_facecolor()[0][:3], colors[level])
    assert len({colors[level] for level in counts}) == len(counts)


def test_rare_categories_share_grey():
    X = pd.DataFrame({"a": list("uuuuvvvwwxyz"), "b": np.arange(12.0)})

    class Model:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            p = (X["a"] == "u").to_numpy() * 0.5 + X["b"].to_numpy() / 40
            return np.column_stack([1 - p, p])

    ax = explain.shap(Model(), X, background=X).plot("beeswarm")
    assert [text.get_text() for text in ax.texts] == ["u", "v", "w", "3 others"]
    assert ax.texts[3].get_color() == GREY


def test_missing_numbers_are_drawn_in_grey(people, people_model):
    frame, _ = people
    result = explain.shap(people_model, frame[:40], background=frame, random_state=0)
    ax = result.plot("beeswarm", target_class="yes")
    assert "missing" in [text.get_text() for text in ax.texts]
    n_points = sum(len(c.get_offsets()) for c in ax.collections if c.axes is ax)
    assert n_points == 40 * 5
