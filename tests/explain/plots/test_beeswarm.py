import numpy as np
import pytest

from skdnn import explain


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
