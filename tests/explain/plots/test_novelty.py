import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawn import labels, texts

from skdnn import explain


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def result(iris_model):
    model, X, _ = iris_model
    new = X[1::2].copy()
    new.iloc[0, 3] = 7.1
    new.iloc[:, 1] += 1
    return explain.novelty(model, new, background=X[::2], random_state=0)


def test_table_as_a_whole(result):
    first, second = result.plot()
    heights = [bar.get_height() for bar in first.patches]
    expected = np.histogram(result.p_values, np.linspace(0, 1, 21))[0]
    assert heights == expected.tolist()
    assert first.get_title() == f"{result.n_unusual} of 75 rows are unusual"
    assert first.lines[0].get_ydata()[0] == 75 / 20
    drift = result.drift.sort_values("p_value", kind="stable")
    widths = [bar.get_width() for bar in second.patches]
    assert widths == pytest.approx(
        -np.log10(np.maximum(drift["p_holm"], 1e-12).to_numpy())
    )
    assert labels(second)[0] == "sepal width (cm): Kolmogorov-Smirnov"
    assert result.plot(max_display=2)[1].get_title().endswith("2 of 4 tests")


def test_one_row(result):
    (ax,) = result.plot(sample=0, max_display=3)
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == pytest.approx(np.sort(result.contributions[0])[::-1][:3].tolist())
    assert labels(ax)[0] == "petal width (cm) = 7.1"
    assert f"Novelty: row 0 (p = {result.p_values[0]:.2g})" in ax.get_title()
    assert "3 of 4 columns" in ax.get_title()
    with pytest.raises(ValueError, match="one of the 75 explained rows"):
        result.plot(sample=75)
    with pytest.raises(ValueError, match="`max_display` must be"):
        result.plot(max_display=0)


def test_hostile_names_are_drawn(hostile):
    model, X, _ = hostile
    result = explain.novelty(model, X[:9], background=X[9:], random_state=0)
    (ax,) = result.plot(sample=0)
    assert any(text.startswith("$a_b$ = ") for text in texts(ax))
    ax.figure.canvas.draw()
