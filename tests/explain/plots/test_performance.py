from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawn import labels, texts
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.linear_model import LogisticRegression

from skdnn import explain


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def two():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X, y = X.iloc[:, :3], np.array(["malignant", "benign"])[y]
    model = LogisticRegression(max_iter=1000).fit(X[::2], y[::2])
    return model, X[1::2], y[1::2]


def _titles(axes):
    return [ax.get_title().split("\n")[0] for ax in axes]


def test_panels_of_two_classes(two):
    model, X, y = two
    costs = {("malignant", "benign"): 10, ("benign", "malignant"): 1}
    result = explain.performance(
        model, X, y, by="mean texture", costs=costs, random_state=0
    )
    axes = result.plot()
    assert _titles(axes) == [
        "Confusion matrix (rows)", "ROC", "Precision and recall",
        "Calibration of malignant", "Cost by threshold", "Abstention",
        f"12 of {result.n_tested} differences between groups of mean texture",
    ]  # fmt: skip
    assert {str(n) for n in result.confusion.to_numpy().ravel()} <= texts(axes[0])
    curve = result.curves("roc")
    curve = curve[curve["class"] == "malignant"]
    drawn = axes[1].lines[0].get_xydata()
    np.testing.assert_allclose(drawn, curve.iloc[:, 2:])
    operating = result.decisions.iloc[0]
    n_out = operating["false_positives"] + operating["true_negatives"]
    expected = operating["false_positives"] / n_out, operating["recall"]
    assert axes[1].lines[-1].get_xydata()[0] == pytest.approx(expected)
    best = result.decisions["threshold"].iloc[-1]
    assert f"best: {best:.3g}" in texts(axes[4])
    clear = result.differences["p_holm"] < 0.05
    assert len(axes[6].lines[-3].get_xdata()) == clear.sum()


def test_panels_without_costs_and_groups(two):
    axes = explain.performance(*two, random_state=0).plot()
    assert _titles(axes)[-2:] == ["Thresholds", "Abstention"]
    assert {"precision", "recall", "predicted positive"} <= texts(axes[-2])


def test_panels_of_three_classes(iris_model):
    model, X, y = iris_model
    by = np.arange(150) % 2
    result = explain.performance(model, X, y, by=by, costs=1 - np.eye(3))
    axes = result.plot()
    assert _titles(axes)[3:5] == ["Calibration of the predicted class",
                                  "Cost of decisions"]  # fmt: skip
    assert [bar.get_width() for bar in axes[4].patches] == pytest.approx(
        result.decisions["cost"].tolist()
    )
    assert labels(axes[0]) == ["setosa", "versicolor", "virginica"]
    # of two groups, one less the other is drawn
    assert all(label.startswith("0: ") for label in labels(axes[-1]))


def test_many_classes_are_cut_to_those_with_the_lowest_area():
    X, codes = make_classification(
        780, 12, n_informative=10, n_redundant=0, n_classes=26,
        n_clusters_per_class=1, random_state=0,
    )  # fmt: skip
    y = np.array([f"c{k:02}" for k in codes])
    model = LogisticRegression(max_iter=500).fit(X, y)
    result = explain.performance(model, X, y, random_state=0)
    axes = result.plot(max_display=4)
    assert "4 of 26 classes, the lowest ROC AUC" in axes[1].get_title()
    areas = result.table[result.table["score"] == "roc_auc"].dropna(subset="class")
    lowest = set(areas.nsmallest(4, "value")["class"])
    named = {line.get_label().split(":")[0] for line in axes[1].lines[:4]}
    assert named == lowest
    assert len(labels(axes[0])) == 26


def test_hostile_names_are_drawn(hostile):
    model, X, y = hostile
    by = np.array(["$\\beta$", "x_$"])[np.arange(60) % 2]
    axes = explain.performance(model, X, y, by=by, random_state=0).plot()
    axes[0].figure.canvas.draw()


def test_bad_arguments(two):
    with pytest.raises(ValueError, match="`max_display` must be a whole number"):
        explain.performance(*two).plot(max_display=0)


def test_panels_are_of_the_positive_class(two):
    model, X, y = two
    result = explain.performance(model, X, y, random_state=0)
    axes = replace(result, positive_position=0).plot()
    assert "Calibration of benign" in _titles(axes)
    curve = result.curves("roc")
    drawn = axes[1].lines[0].get_xydata()
    expected = curve[curve["class"] == "benign"].iloc[:, 2:]
    np.testing.assert_allclose(drawn, expected)
    assert axes[4].get_xlabel() == "threshold of benign"
