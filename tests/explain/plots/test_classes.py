"""Which classes have a colour: five of many, one of two, or those chosen."""

import numpy as np
import pytest
from matplotlib.colors import same_color, to_hex
from sklearn.linear_model import LogisticRegression

from skdnn import explain
from skdnn.explain._plots.canvas import COLORS, GREY
from skdnn.explain._plots.classes import Chosen, choose

N_CLASSES = 26


class Letters:
    """26 classes; only `MOVING` depend on the first column."""

    classes_ = np.array([chr(97 + k) for k in range(N_CLASSES)])
    MOVING = (3, 7, 11, 19, 25)

    def predict_proba(self, X):
        slopes = np.full(N_CLASSES, 0.01)
        slopes[list(self.MOVING)] = [2, -2, 1.5, -1.5, 2.5]
        p = np.exp(np.outer(np.asarray(X)[:, 0], slopes))
        return p / p.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(30, 3))


def largest(values):
    """Return the five classes with the largest sums, by sorting all of them."""
    ranked = sorted(range(N_CLASSES), key=lambda k: -values[k])[:5]
    return [Letters.classes_[k] for k in sorted(ranked)]


def names(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_classes_that_move_most_are_chosen():
    moves = np.random.default_rng(1).random(N_CLASSES)
    chosen = choose(list(Letters.classes_), moves)
    wanted = largest(moves)
    assert [Letters.classes_[k] for k in chosen.colored] == wanted
    assert sorted(chosen.colored + chosen.others) == list(range(N_CLASSES))
    assert chosen.note == "21 other classes"
    assert choose(list("abcdef"), [0, 1, 2, 3, 4, 5]) == Chosen([1, 2, 3, 4, 5], [0])
    assert choose(list("abcde"), [5, 4, 3, 2, 1]) == Chosen([0, 1, 2, 3, 4], [])
    assert choose(["no", "yes"], [9, 1]) == Chosen([1], [])
    assert choose(["no", "yes"], [9, 1], ["no"]) == Chosen([0], [])
    assert choose(list("abc"), [1, 2, 3], ["c", "a"]) == Chosen([2, 0], [1])
    assert Chosen([0], [1]).note == "1 other class"


@pytest.mark.parametrize(
    ("classes", "match"),
    [
        ("a", r"`classes` must be a list of classes. Got 'a'. Use \['a'\]"),
        ([], "1 to 7 different classes"),
        (["a", "a"], "1 to 7 different classes"),
        (list("abcdefgh"), "1 to 7 different classes"),
        (["A"], "Did you mean 'a'"),
    ],
)
def test_bad_classes(classes, match, X):
    for result in (
        explain.shap(Letters(), X[:3], background=X),
        explain.partial_dependence(Letters(), X, grid_resolution=3),
        explain.average_conditional_effects(Letters(), X),
    ):
        with pytest.raises(ValueError, match=match):
            result.plot(classes=classes)


def test_one_class_alone_or_several_in_colour(X):
    shap = explain.shap(Letters(), X[:3], background=X)
    for result in (shap, explain.partial_dependence(Letters(), X)):
        with pytest.raises(ValueError, match="Only one of `target_class` and"):
            result.plot(target_class="a", classes=["b"])
    for options in ({"kind": "beeswarm"}, {"kind": "waterfall"}, {"sample": 0}):
        assert "class d" in shap.plot(classes=["d"], **options).get_title()
        with pytest.raises(ValueError, match="must have one class"):
            shap.plot(classes=["a", "b"], **options)
    table = explain.agreement(Letters(), X[:3], background=X, random_state=0)
    with pytest.raises(ValueError, match="a table without classes"):
        table.plot(classes=["a"])


def test_curves_of_26_classes_are_five_and_grey(X):
    result = explain.partial_dependence(Letters(), X, grid_resolution=15)
    table = result.frame()
    table = table[table["feature"] == "x0"]
    spans = [np.ptp(table["value"][table["class"] == c]) for c in Letters.classes_]
    ax = result.plot("x0")
    lines = [line for line in ax.lines if len(line.get_xdata()) == 15]
    assert len(lines) == N_CLASSES
    grey = [line for line in lines if same_color(line.get_color(), GREY)]
    assert len(grey) == N_CLASSES - 5
    wanted = largest(spans)
    assert names(ax) == [*wanted, "21 other classes"]
    for place, label in enumerate(wanted):
        (line,) = (x for x in lines if same_color(x.get_color(), COLORS[place]))
        np.testing.assert_allclose(
            line.get_ydata(), table["value"][table["class"] == label]
        )
    assert names(result.plot("x0", classes=["z", "b"])) == [
        "z", "b", "24 other classes",
    ]  # fmt: skip


def test_bars_of_26_classes_add_up_to_all(X):
    result = explain.shap(Letters(), X[:10], background=X, random_state=0)
    sizes = np.abs(result.values).mean(axis=0)
    ax = result.plot()
    assert names(ax) == [*largest(sizes.sum(axis=0)), "21 other classes"]
    total = sum(bar.get_width() for bar in ax.patches)
    assert total == pytest.approx(sizes.sum())
    colors = {to_hex(bar.get_facecolor()).upper() for bar in ax.patches}
    assert colors == {*COLORS[:5], GREY.upper()}


def test_effects_of_26_classes_are_five_bars_and_marks(X):
    result = explain.average_conditional_effects(Letters(), X)
    ax = result.plot()
    assert len(ax.patches) == 3 * 5
    assert len(names(ax)) == 6
    marks = [line for line in ax.lines if len(line.get_xdata()) == 21]
    assert len(marks) == 3
    table = result.frame()
    table = table[table["feature"] == "x0"].set_index("class")["effect"]
    others = table.drop(names(ax)[:5])
    np.testing.assert_allclose(marks[0].get_xdata(), others / table.abs().max())
    assert ax.figure.get_size_inches()[1] < 13


def test_maps_of_26_classes_are_five(X):
    result = explain.partial_dependence(
        Letters(), X, features=[("x0", "x1")], grid_resolution=4
    )
    axes = result.plot()
    assert axes.shape == (1, 5)
    table = result.frame()
    spans = [np.ptp(table["value"][table["class"] == c]) for c in Letters.classes_]
    assert [ax.get_title() for ax in axes[0]] == largest(spans)
    assert axes[0, 0].figure.get_supxlabel() == (
        "5 of 26 classes, those that vary most"
    )
    assert result.plot(classes=["c", "a"]).shape == (1, 2)


def test_two_classes_are_drawn_once(X, formula):
    model = formula(lambda X: 1 / (1 + np.exp(-X[:, 0] + X[:, 1])), ("no", "yes"))
    shap = explain.shap(model, X[:8], background=X)
    sizes = np.sort(np.abs(shap.values[:, :, 1]).mean(axis=0))[::-1]
    ax = shap.plot()
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(sizes)
    assert "probability of yes" in ax.get_xlabel()
    assert "class yes" in shap.plot("beeswarm").get_title()
    curves = explain.partial_dependence(model, X, grid_resolution=15)
    lines = [x for x in curves.plot("x0").lines if len(x.get_xdata()) == 15]
    assert len(lines) == 1
    assert names(curves.plot("x0")) == ["yes"]
    assert names(curves.plot("x0", classes=["no", "yes"])) == ["no", "yes"]
    effects = explain.average_conditional_effects(model, X)
    assert len(effects.plot().patches) == 3
    fitted = LogisticRegression().fit(X, np.where(X[:, 0] > 0, "yes", "no"))
    summary = explain.summary(fitted, X, fitted.predict(X), random_state=0)
    assert names(summary.plot()[1]) == ["yes"]
    assert names(summary.plot(classes=["no"])[1]) == ["no"]
