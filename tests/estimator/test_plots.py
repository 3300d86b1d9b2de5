import matplotlib.pyplot as plt
import numpy as np
import pytest

from skdnn import DNNClassifier


def network(hidden=(50, 50), **parameters):
    settings = {
        "max_iter": 8,
        "n_iter_no_change": np.inf,
        "learning_rate_init": 0.02,
        "random_state": 0,
    }
    return DNNClassifier(hidden, **settings | parameters)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_network_names_layers_columns_and_classes(iris_frame):
    X, y = iris_frame
    fitted = network(dropout=0.2, batch_norm=True, batch_size=32).fit(X / 8, y)
    words = texts(fitted.plot_network())
    assert set(X.columns) <= set(words)
    assert {"setosa", "versicolor", "virginica"} <= set(words)
    assert words.count("50 units\nrelu\nbatch norm\ndropout 0.2") == 2
    assert "3 classes\nsoftmax" in words


@pytest.mark.parametrize("hidden", [(50, 50), (), (3,), (200,)])
def test_nothing_overlaps_at_any_size(hidden, iris_frame):
    X, y = iris_frame
    ax = network(hidden, max_iter=40, batch_size=16).fit(X / 8, y).plot_network()
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])
        assert ax.figure.bbox.contains(box.x0, box.y0)
        assert ax.figure.bbox.contains(box.x1, box.y1)


def test_two_classes_are_two_nodes(cancer):
    ax = network((4,)).fit(*cancer).plot_network()
    assert {"0", "1"} <= set(texts(ax))
    assert {"x0", "x1", "x29"} <= set(texts(ax))
    assert "⋮" in texts(ax)


def test_names_given_and_hostile(iris):
    fitted = network((4,), max_iter=40).fit(*iris)
    names = ["$a_b$", "<b>", "x" * 100, "d"]
    ax = fitted.plot_network(feature_names=names)
    ax.figure.canvas.draw()
    assert "$a_b$" in texts(ax)
    assert "x" * 100 not in texts(ax)
    with pytest.raises(ValueError, match=r"must name the 4 columns.*Got 1"):
        fitted.plot_network(feature_names=["a"])


def test_history_shows_both_losses_and_the_baseline(iris):
    fitted = network(early_stopping=True, validation_fraction=0.2).fit(*iris)
    ax = fitted.plot_history()
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(
        lines["training"].get_ydata(), fitted.history_["loss"]
    )
    np.testing.assert_array_equal(
        lines["validation"].get_ydata(), fitted.history_["val_loss"]
    )
    assert lines["baseline: class shares"].get_ydata()[0] == fitted.baseline_loss_
    best = fitted.history_["val_loss"].argmin() + 1
    assert lines["best epoch"].get_xdata()[0] == best
    plain = network().fit(*iris).plot_history()
    assert "validation" not in [line.get_label() for line in plain.lines]


def test_draws_on_given_axes(iris):
    fitted = network((4,), max_iter=40).fit(*iris)
    figure, (left, right) = plt.subplots(1, 2)
    assert fitted.plot_history(left) is left
    assert fitted.plot_network(right) is right
    assert plt.get_fignums() == [figure.number]
