"""The plain network is MLPClassifier's: same seed, same network."""

from inspect import signature

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from skdnn import DNNClassifier

pytestmark = [
    pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

SETTINGS = [
    {},
    {"batch_size": 32},
    {"batch_size": 40, "alpha": 1.0, "max_iter": 30},
    {"activation": "tanh", "batch_size": 10, "max_iter": 40},
    {"activation": "logistic", "max_iter": 60},
    {"activation": "identity", "max_iter": 60},
    {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4},
    {"shuffle": False, "batch_size": 16, "max_iter": 20},
    {"solver": "sgd", "batch_size": 20},
    {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5, "max_iter": 50},
    {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.2},
    {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.2,
        "n_iter_no_change": 3,
        "tol": 1e-3,
        "max_iter": 300,
    },
    {"tol": 1e-2, "n_iter_no_change": 2},
]


@pytest.mark.parametrize("data", ["iris", "cancer"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_same_network_as_mlp_classifier(settings, data, request):
    X, y = request.getfixturevalue(data)
    ours = DNNClassifier((12, 8), random_state=3, **settings).fit(X, y)
    theirs = MLPClassifier((12, 8), random_state=3, **settings).fit(X, y)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    for ours_, theirs_ in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        np.testing.assert_allclose(ours_, theirs_, atol=1e-9)
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9
    )
    for name in ("best_loss_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name)), name


WEIGHED = pytest.mark.skipif(
    "sample_weight" not in signature(MLPClassifier.fit).parameters,
    reason="this scikit-learn's MLPClassifier takes no sample_weight",
)


@WEIGHED
@pytest.mark.parametrize("data", ["iris", "cancer"])
def test_same_network_with_sample_weight(data, request):
    X, y = request.getfixturevalue(data)
    weight = np.random.default_rng(0).uniform(0.1, 3, len(y))
    settings = {"batch_size": 32, "max_iter": 30, "random_state": 0}
    ours = DNNClassifier((9,), **settings).fit(X, y, sample_weight=weight)
    theirs = MLPClassifier((9,), **settings).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)


def test_same_network_without_hidden_layers(iris):
    X, y = iris
    ours = DNNClassifier((), random_state=0, max_iter=50).fit(X, y)
    theirs = MLPClassifier((), random_state=0, max_iter=50).fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-9)


def test_same_network_from_partial_fit(iris):
    X, y = iris
    ours = DNNClassifier((12,), random_state=0)
    theirs = MLPClassifier((12,), random_state=0)
    for part in np.array_split(np.random.default_rng(0).permutation(len(y)), 5):
        ours.partial_fit(X[part], y[part], classes=[0, 1, 2])
        theirs.partial_fit(X[part], y[part], classes=[0, 1, 2])
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-9)
    assert ours.t_ == theirs.t_ == len(y)


def test_same_network_from_warm_start(iris):
    X, y = iris
    settings = {"max_iter": 10, "random_state": 0, "warm_start": True}
    ours = DNNClassifier((12,), **settings).fit(X, y).fit(X, y)
    theirs = MLPClassifier((12,), **settings).fit(X, y).fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-9)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    assert ours.n_iter_ == theirs.n_iter_ == 10
    assert len(ours.history_) == 20


@pytest.mark.parametrize("data", ["iris", "cancer"])
@pytest.mark.parametrize("weighted", [False, pytest.param(True, marks=WEIGHED)])
def test_same_network_by_lbfgs(data, weighted, request):
    X, y = request.getfixturevalue(data)
    weight = np.random.default_rng(0).uniform(0.1, 3, len(y))
    weight = {"sample_weight": weight} if weighted else {}
    settings = {"solver": "lbfgs", "random_state": 0, "max_iter": 15, "alpha": 0.01}
    ours = DNNClassifier((6, 4), **settings).fit(X, y, **weight)
    theirs = MLPClassifier((6, 4), **settings).fit(X, y, **weight)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-6)
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5
    )
    with pytest.raises(AttributeError, match="partial_fit"):
        ours.partial_fit(X, y)


def test_lbfgs_until_the_gradient_vanishes(iris):
    X, y = iris
    settings = {"solver": "lbfgs", "random_state": 0, "alpha": 0.1, "max_iter": 1000}
    ours = DNNClassifier((), **settings).fit(X, y)
    theirs = MLPClassifier((), **settings).fit(X, y)
    # private: the reason why training ended is shown by summary() only
    assert ours._training_summary.ending == "ended as the gradient had vanished"
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-3
    )
    assert ours.loss_curve_ == sorted(ours.loss_curve_, reverse=True)


@pytest.mark.parametrize("settings", [{}, {"solver": "lbfgs", "max_iter": 10}])
def test_same_network_for_several_labels(settings, iris):
    X, _ = iris
    labels = (X[:, [0, 2, 3]] > 0.5).astype(int)
    settings = {"max_iter": 30, "batch_size": 32, "random_state": 0} | settings
    ours = DNNClassifier((8,), **settings).fit(X, labels)
    theirs = MLPClassifier((8,), **settings).fit(X, labels)
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-7
    )
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.score(X, labels) == theirs.score(X, labels)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-9)
    assert ours.out_activation_ == theirs.out_activation_
    assert ours.n_outputs_ == theirs.n_outputs_ == 3


def test_same_network_in_float32_but_for_rounding(cancer):
    X, y = cancer
    X = X.astype(np.float32)
    settings = {"batch_size": 64, "max_iter": 5, "random_state": 0}
    ours = DNNClassifier((16,), **settings).fit(X, y)
    theirs = MLPClassifier((16,), **settings).fit(X, y)
    assert ours.coefs_[0].dtype == np.float32
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-5)
