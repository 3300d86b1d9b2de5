import pytest
from drawn import labels

from skdnn import explain


@pytest.fixture(scope="module")
def result(iris_model):
    model, X, _ = iris_model
    return explain.shap(model, X[::10], background=X, random_state=0)


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


def test_waterfall_of_a_surrogate_names_its_ends(iris_model):
    model, X, _ = iris_model
    lime = explain.lime(model, X[:1], background=X, random_state=0)
    start = lime.base_values[0, 0]
    end = start + lime.values[0, :, 0].sum()
    assert lime.plot("waterfall", target_class="setosa").get_xlabel() == (
        f"probability of setosa\nsurrogate from {start:.3f} to {end:.3f}; prediction "
        f"{lime.predictions[0, 0]:.3f}"
    )


def test_break_down_leads_from_the_mean_to_the_prediction(iris_model):
    model, X, _ = iris_model
    result = explain.break_down(model, X[::50], background=X, random_state=0)
    ax = result.plot(sample=2, target_class="versicolor")
    bars = ax.patches
    base, final = result.base_values[1], result.predictions[2, 1]
    assert (bars[0].get_x(), bars[0].get_width()) == (0, pytest.approx(base))
    assert (bars[-1].get_x(), bars[-1].get_width()) == (0, pytest.approx(final))
    at = base
    for bar, j in zip(bars[1:-1], result.orders[2], strict=True):
        assert bar.get_x() == pytest.approx(at)
        assert bar.get_width() == pytest.approx(result.values[2, j, 1])
        at += bar.get_width()
    assert at == pytest.approx(final)
    names = labels(ax)
    assert (names[0], names[-1]) == ("on average", "prediction")
    assert names[1].startswith(X.columns[result.orders[2, 0]])
    # without a class, that of the prediction
    assert "class virginica" in result.plot(sample=2).get_title()


def test_break_down_adds_up_what_it_does_not_show(iris_model):
    model, X, _ = iris_model
    result = explain.break_down(model, X[:2], background=X, random_state=0)
    ax = result.plot(max_display=3)
    assert labels(ax)[3] == "2 other columns"
    moves = [bar.get_width() for bar in ax.patches[1:-1]]
    k = result.predictions[0].argmax()
    assert sum(moves) == pytest.approx(result.values[0, :, k].sum())
    # the other pictures of attributions hold for it as well
    assert len(result.plot("bar").patches) == 4 * 3
    with pytest.raises(ValueError, match="one of the 2 explained rows"):
        result.plot(sample=2)
