"""Images and sequences: their cells are columns, patches of them players."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skdnn import explain


class Corner:
    """Predicts the brightness of the upper left quarter."""

    classes_ = np.array(["dark", "bright"])

    def __init__(self, shape=(4, 4)):
        self.shape = shape

    def predict_proba(self, X):
        assert X.shape[1:] == self.shape
        p = X[:, :2, :2].reshape(len(X), -1).mean(axis=1)
        return np.column_stack([1 - p, p])


QUARTERS = np.repeat(np.repeat([[0, 1], [2, 3]], 2, axis=0), 2, axis=1)


def images(n, *shape, seed=0):
    return np.random.default_rng(seed).uniform(size=(n, *shape))


def test_every_cell_is_a_column():
    X = images(3, 4, 4)
    background = images(30, 4, 4, seed=1)
    result = explain.shap(Corner(), X, background=background, random_state=0)
    assert result.values.shape == (3, 16, 2)
    assert result.feature_names[:5] == ["x[0, 0]", "x[0, 1]", "x[0, 2]", "x[0, 3]",
                                        "x[1, 0]"]  # fmt: skip
    expected = (X - background.mean(axis=0)) / 4
    expected[:, 2:] = expected[:, :, 2:] = 0
    np.testing.assert_allclose(
        result.values[:, :, 1], expected.reshape(3, 16), atol=1e-6
    )
    np.testing.assert_array_equal(result.images, X)
    np.testing.assert_array_equal(result.layout, np.arange(16).reshape(4, 4))
    assert result[1].images.shape == (1, 4, 4)


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_patches_are_players(channels):
    shape = (4, 4, *channels)
    X, background = images(2, *shape), images(30, *shape, seed=1)
    result = explain.shap(
        Corner(shape), X, background=background, groups=QUARTERS, random_state=0
    )
    assert result.feature_names == ["patch 0", "patch 1", "patch 2", "patch 3"]
    assert result.method == "exact"
    moved = X[:, :2, :2].reshape(2, -1).mean(axis=1)
    moved -= background[:, :2, :2].mean()
    np.testing.assert_allclose(result.values[:, 0, 1], moved, atol=1e-12)
    np.testing.assert_allclose(result.values[:, 1:], 0, atol=1e-12)
    assert result.layout.shape == shape
    ax = result.plot("image", sample=1, target_class="bright")
    overlay = np.asarray(ax.images[1].get_array())
    np.testing.assert_allclose(overlay[:2, :2], moved[1])
    np.testing.assert_allclose(overlay[2:], 0, atol=1e-12)
    assert "bright" in ax.get_title()


def test_single_cells_of_channels_add_up_in_the_picture():
    X, background = images(1, 4, 4, 2), images(10, 4, 4, 2, seed=1)
    result = explain.shap(Corner((4, 4, 2)), X, background=background, random_state=0)
    ax = result.plot("image", ax=plt.figure().add_subplot())
    k = result.predictions[0].argmax()
    expected = result.values[0, :, k].reshape(4, 4, 2).sum(axis=-1)
    np.testing.assert_allclose(np.asarray(ax.images[1].get_array()), expected)


def test_lime_of_patches():
    X, background = images(1, 4, 4), images(50, 4, 4, seed=1)
    result = explain.lime(
        Corner(), X, background=background, groups=QUARTERS, random_state=0
    )
    assert np.abs(result.values[0, :, 1]).argmax() == 0
    assert result.layout.shape == (4, 4)


def test_sequences_as_lists():
    X = images(5, 3, 2)
    result = explain.shap(Corner((3, 2)), X.tolist(), random_state=0)
    assert result.images.shape == (5, 3, 2)


def test_invalid_shapes_and_groups():
    X = images(3, 4, 4)
    with pytest.raises(ValueError, match=r"`background` must have rows of the shape"):
        explain.shap(Corner(), X, background=images(3, 4, 5))
    with pytest.raises(ValueError, match=r"`groups`, as an array, must have a whole"):
        explain.shap(Corner(), X, groups=np.zeros((3, 3), dtype=int))
    with pytest.raises(ValueError, match=r"`groups`, as an array.*Got float64"):
        explain.shap(Corner(), X, groups=np.zeros((4, 4)))
    table = explain.shap(Flat(), X.reshape(3, -1), random_state=0)
    with pytest.raises(
        ValueError, match=r"kind='image' must have rows that are images"
    ):
        table.plot("image")


class Flat:
    classes_ = np.array([0, 1])

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)
