import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawn import labels

from skdnn import explain


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
