import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawn import labels
from matplotlib.collections import QuadMesh

from skdnn import explain
from skdnn.explain._plots.maps import edges_of


def test_pairs_are_maps(people, people_model):
    frame, _ = people
    pairs = [("age", "city"), ("income", "age")]
    result = explain.partial_dependence(people_model, frame, features=pairs)
    axes = result.plot()
    assert axes.shape == (2, 3)
    table = result.frame()
    part = table[(table["feature"] == "age") & (table["class"] == "yes")]
    mesh = next(c for c in axes[0, 2].collections if isinstance(c, QuadMesh))
    by_city = part["value"].to_numpy().reshape(20, 4)
    np.testing.assert_allclose(mesh.get_array(), by_city.T)
    cities = [text.get_text() for text in axes[0, 2].get_yticklabels()]
    assert cities == ["Bergen", "Oslo", "Tromsø", "(missing)"]
    ax = plt.subplots()[1]
    drawn = result.plot(("age", "city"), target_class="yes", ax=ax)
    assert drawn is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("age", "city")
    with pytest.raises(ValueError, match=r"`target_class`\. Got 1 and 3"):
        result.plot(["age", "city"], ax=ax)
    with pytest.raises(ValueError, match="`feature` must be one of"):
        result.plot(("city", "age"))


def test_maps_of_constant_and_missing_columns():
    X = pd.DataFrame({"one": [1.0] * 4, "none": [np.nan] * 4, "x": range(4)})

    class Model:
        classes_ = np.array(["no", "yes"])

        def predict_proba(self, X):
            p = X["x"].to_numpy() / 4
            return np.column_stack([1 - p, p])

    pairs = [("one", "none"), ("x", "one")]
    axes = explain.partial_dependence(Model(), X, features=pairs).plot()
    axes[0, 0].figure.canvas.draw()
    meshes = [[ax.collections[0].get_array() for ax in row] for row in axes]
    # of two classes, the second
    assert [len(row) for row in meshes] == [1, 1]
    assert meshes[0][0].tolist() == [[0.375]]
    np.testing.assert_allclose(meshes[1][0], [[0, 0.25, 0.5, 0.75]])
    assert labels(axes[0, 0]) == ["(missing)"]


def test_fields_surround_grid_points():
    np.testing.assert_allclose(edges_of(np.array([0.0, 1, 3])), [-0.5, 0.5, 2, 4])
    np.testing.assert_allclose(edges_of(np.array([7.0])), [6.5, 7.5])
