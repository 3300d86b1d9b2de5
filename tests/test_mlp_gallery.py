"""What scikit-learn shows of MLPClassifier works with the import swapped.

After its user guide and its gallery: the same settings on the same or smaller data.
"""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import (
    load_digits,
    load_iris,
    make_circles,
    make_classification,
    make_moons,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skdnn import DNNClassifier

IGNORED = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # two rows, or a rate of which the example shows that it is too low
    pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning"),
]
POINTS = [[0.0, 0.0], [1.0, 1.0]]


def ignoring(function):
    for mark in IGNORED:
        function = mark(function)
    return function


def scores_of_both(settings, X, y, wrap=lambda net: net, at=None):
    """Return the accuracies of skdnn and of scikit-learn, and the fitted one of us."""
    X_test, y_test = at or (X, y)
    ours, theirs = (
        wrap(cls(**settings)).fit(X, y) for cls in (DNNClassifier, MLPClassifier)
    )
    return ours.score(X_test, y_test), theirs.score(X_test, y_test), ours


def test_two_points():
    clf = DNNClassifier(
        solver="lbfgs", alpha=1e-5, hidden_layer_sizes=(5, 2), random_state=1
    ).fit(POINTS, [0, 1])
    assert clf.predict([[2.0, 2.0], [-1.0, -2.0]]).tolist() == [1, 0]
    assert [coef.shape for coef in clf.coefs_] == [(2, 5), (5, 2), (2, 1)]
    proba = clf.predict_proba([[2.0, 2.0], [1.0, 2.0]])
    assert proba[:, 0].max() < 1e-3
    np.testing.assert_allclose(proba.sum(axis=1), 1)


def test_two_points_of_two_labels():
    clf = DNNClassifier(
        solver="lbfgs", alpha=1e-5, hidden_layer_sizes=(15,), random_state=1
    ).fit(POINTS, [[0, 1], [1, 1]])
    assert clf.predict([[1.0, 2.0]]).tolist() == [[1, 1]]
    assert clf.predict([[0.0, 0.0]]).tolist() == [[0, 1]]


@ignoring
def test_control_over_every_iteration():
    clf = DNNClassifier(
        hidden_layer_sizes=(15,), random_state=1, max_iter=1, warm_start=True
    )
    for i in range(10):
        clf.fit(POINTS, [0, 1])
        assert clf.n_iter_ == 1
        assert len(clf.history_) == i + 1
    assert clf.loss_curve_[-1] < clf.loss_curve_[0]


def test_first_steps():
    X, y = make_classification(n_samples=100, random_state=1)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, stratify=y, random_state=1
    )
    ours, theirs, clf = scores_of_both(
        {"random_state": 1, "max_iter": 300}, X_train, y_train, at=(X_test, y_test)
    )
    assert clf.predict_proba(X_test[:1]).shape == (1, 2)
    assert ours >= theirs - 0.05


def test_weights_of_a_network_for_digits(capsys):
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X / 16, y, random_state=0, test_size=0.3
    )
    settings = {
        "hidden_layer_sizes": (40,),
        "max_iter": 8,
        "alpha": 1e-4,
        "solver": "sgd",
        "verbose": 10,
        "random_state": 1,
        "learning_rate_init": 0.2,
    }
    # no warning of ours: 8 epochs cannot use up the patience of 10
    clf = DNNClassifier(**settings).fit(X_train, y_train)
    assert clf.n_iter_ == 8
    with pytest.warns(ConvergenceWarning):
        theirs = MLPClassifier(**settings | {"verbose": False}).fit(X_train, y_train)
    assert "loss" in capsys.readouterr().err
    assert clf.score(X_test, y_test) >= theirs.score(X_test, y_test) - 0.05
    assert clf.score(X_test, y_test) > 0.9
    _, axes = plt.subplots(4, 4)
    bounds = {"vmin": clf.coefs_[0].min(), "vmax": clf.coefs_[0].max()}
    for coef, ax in zip(clf.coefs_[0].T, axes.ravel(), strict=False):
        assert ax.matshow(coef.reshape(8, 8), **bounds).get_array().shape == (8, 8)


STRATEGIES = [
    {"solver": "sgd", "learning_rate": "constant", "momentum": 0},
    {"solver": "sgd", "learning_rate": "constant", "nesterovs_momentum": False},
    {"solver": "sgd", "learning_rate": "constant", "nesterovs_momentum": True},
    {"solver": "sgd", "learning_rate": "invscaling", "momentum": 0},
    {"solver": "sgd", "learning_rate": "invscaling", "nesterovs_momentum": False},
    {"solver": "sgd", "learning_rate": "invscaling", "nesterovs_momentum": True},
    {"solver": "adam", "learning_rate_init": 0.01},
]
TABLES = {
    "iris": lambda: load_iris(return_X_y=True),
    "digits": lambda: load_digits(return_X_y=True),
    "circles": lambda: make_circles(noise=0.2, factor=0.5, random_state=1),
    "moons": lambda: make_moons(noise=0.3, random_state=0),
}


@ignoring
@pytest.mark.parametrize("settings", STRATEGIES, ids=str)
@pytest.mark.parametrize("table", TABLES)
def test_stochastic_learning_strategies(table, settings):
    X, y = TABLES[table]()
    settings = {
        "hidden_layer_sizes": (100,),
        "learning_rate_init": 0.2,
        "random_state": 0,
        "max_iter": 15 if table == "digits" else 400,
    } | settings
    ours, theirs, clf = scores_of_both(settings, MinMaxScaler().fit_transform(X), y)
    assert ours >= theirs - 0.05
    assert len(clf.loss_curve_) == clf.n_iter_
    assert clf.loss_ == clf.loss_curve_[-1]


@ignoring
@pytest.mark.parametrize("settings", STRATEGIES, ids=str)
def test_stochastic_learning_strategies_with_the_network_left_to_us(settings):
    X, y = TABLES["moons"]()
    common = {"learning_rate_init": 0.2, "random_state": 0, "max_iter": 400}
    ours, theirs, _ = scores_of_both(
        common | settings, MinMaxScaler().fit_transform(X), y
    )
    assert ours >= theirs - 0.05


@pytest.mark.parametrize("alpha", np.logspace(-1, 1, 5))
def test_varying_regularisation(alpha):
    def wrap(net):
        return make_pipeline(StandardScaler(), net)

    settings = {
        "solver": "lbfgs",
        "alpha": alpha,
        "random_state": 1,
        "max_iter": 2000,
        "early_stopping": True,
        "hidden_layer_sizes": [10, 10],
    }
    for X, y in [
        make_moons(noise=0.3, random_state=0),
        make_circles(noise=0.2, factor=0.5, random_state=1),
    ]:
        X_train, X_test, y_train, y_test = train_test_split(
            X, y, test_size=0.4, random_state=42
        )
        ours, theirs, pipe = scores_of_both(
            settings, X_train, y_train, wrap, at=(X_test, y_test)
        )
        assert ours >= theirs - 0.05
        grid = np.c_[np.linspace(-2, 2, 5), np.linspace(-1, 1, 5)]
        assert pipe.predict_proba(grid)[:, 1].shape == (5,)


@ignoring
@pytest.mark.parametrize("table", ["circles", "moons", "linear"])
def test_classifier_comparison(table):
    if table == "linear":
        X, y = make_classification(
            n_features=2, n_redundant=0, random_state=1, n_clusters_per_class=1
        )
        X += 2 * np.random.RandomState(2).uniform(size=X.shape)
    else:
        X, y = TABLES[table]()
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.4, random_state=42
    )
    ours, theirs, pipe = scores_of_both(
        {"alpha": 1, "max_iter": 1000, "random_state": 42},
        X_train,
        y_train,
        lambda net: make_pipeline(StandardScaler(), net),
        at=(X_test, y_test),
    )
    assert ours >= theirs - 0.05
    shown = DecisionBoundaryDisplay.from_estimator(pipe, X, grid_resolution=10, eps=0.5)
    assert shown.response.shape == (10, 10)


def test_learning_from_a_stream():
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    nets = [
        cls(hidden_layer_sizes=(50,), alpha=1e-4, learning_rate_init=0.01,
            random_state=0)
        for cls in (DNNClassifier, MLPClassifier)
    ]  # fmt: skip
    for net in nets:
        for _ in range(3):
            for part in np.array_split(np.arange(len(y_train)), 10):
                net.partial_fit(X_train[part], y_train[part], classes=np.arange(10))
    ours, theirs = (net.score(X_test, y_test) for net in nets)
    assert ours >= theirs - 0.05
    assert ours > 0.9
