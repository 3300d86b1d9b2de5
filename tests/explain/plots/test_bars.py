import numpy as np
import pytest
from drawn import labels
from oracles import Bagged
from sklearn.linear_model import LogisticRegression

from skdnn import explain


@pytest.fixture(scope="module")
def result(iris_model):
    model, X, _ = iris_model
    return explain.shap(model, X[::10], background=X, random_state=0)


def test_bars_show_all_classes(result):
    ax = result.plot()
    assert labels(ax)[0].startswith("petal")
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["setosa", "versicolor", "virginica"]
    total = sum(patch.get_width() for patch in ax.patches)
    assert total == pytest.approx(np.abs(result.values).mean(axis=0).sum())
    one = result.plot(target_class="setosa")
    sizes = np.abs(result.values[:, :, 0]).mean(axis=0)
    order = np.argsort(-sizes)
    assert labels(one) == [result.feature_names[j] for j in order]
    assert [bar.get_width() for bar in one.patches] == pytest.approx(sizes[order])


def test_bars_of_a_row_are_its_attributions(result):
    ax = result.plot(sample=5, target_class="virginica", max_display=3)
    values = result.values[5, :, 2]
    order = np.argsort(-np.abs(values))[:3]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(values[order])
    assert labels(ax) == [
        f"{result.feature_names[j]} = {result.data[5, j]:.4g}" for j in order
    ]
    assert ax.get_title() == "SHAP: row 5\nclass virginica\n3 of 4 columns"
    assert ax.get_xlabel() == "probability of virginica"


def wavy_model():
    class Waves:
        classes_ = np.array(["a", "b"])

        def predict_proba(self, X):
            p = 0.5 + 0.5 * np.sin(40 * np.asarray(X).sum(axis=1))
            return np.column_stack([p, 1 - p])

    return Waves()


def test_row_bars_of_lime_show_a_poor_fit(iris_model):
    model, X, _ = iris_model
    lime = explain.lime(model, X[:1], background=X, random_state=0)
    ax = lime.plot(sample=0)
    score = lime.score[0, lime.predictions[0].argmax()]
    assert ax.get_title().endswith(f"class setosa, local R² {score:.2f}")
    assert {bar.get_hatch() for bar in ax.patches} == {None}
    poor = explain.lime(wavy_model(), X[:1], background=X, random_state=0)
    ax = poor.plot(sample=0)
    assert ax.get_title().endswith(", a poor fit")
    assert {bar.get_hatch() for bar in ax.patches} == {"///"}
    assert (
        poor.plot().get_title().endswith("1 of 1 surrogates fit poorly (R² below 0.5)")
    )


def test_bars_of_a_row_show_the_interval_of_another_fit():
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
