"""Training, prediction and explanation with the Keras backend of this process.

Select it with ``KERAS_BACKEND=torch python -m pytest tests/test_backends.py``. The last
test runs the others in a process per backend.
"""

import os
import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from optional import require

from skdnn import DNNClassifier, KerasClassifier, explain

SETTINGS = {
    "batch_size": 16,
    "learning_rate_init": 0.02,
    "n_iter_no_change": np.inf,
    "random_state": 0,
}
BACKENDS = ["jax", "tensorflow", "torch"]


@pytest.fixture(scope="module")
def network(iris):
    return DNNClassifier((16,), max_iter=30, **SETTINGS).fit(*iris)


def test_the_selected_backend_is_used(network):
    assert keras.backend.backend() == os.environ.get("KERAS_BACKEND", "tensorflow")


def test_the_network_learns(network, iris):
    X, y = iris
    assert network.score(X, y) > 0.9
    assert network.loss_curve_[-1] < 0.5 * network.loss_curve_[0]


def test_the_same_seed_gives_the_same_bits(network, iris):
    X, y = iris
    again = DNNClassifier((16,), max_iter=30, **SETTINGS).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), network.predict_proba(X))


def test_the_keras_model_agrees_with_numpy(network, iris):
    X, _ = iris
    proba = keras.ops.convert_to_numpy(network.model_(X))
    assert_allclose(proba, network.predict_proba(X), atol=1e-5)


def test_a_copy_predicts_the_same_bits(network, iris):
    X, _ = iris
    copy = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(copy.predict_proba(X), network.predict_proba(X))


def test_partial_fit_continues_training(iris):
    X, y = iris
    network = DNNClassifier((16,), **SETTINGS)
    losses = [network.partial_fit(X, y, np.unique(y)).loss_ for _ in range(5)]
    assert losses[-1] < losses[0]


def test_early_stopping_keeps_the_best_epoch(iris):
    settings = SETTINGS | {"n_iter_no_change": 5, "learning_rate_init": 0.1}
    network = DNNClassifier((16,), early_stopping=True, max_iter=100, **settings)
    history = network.fit(*iris).history_
    assert len(history) == network.n_iter_
    assert network.n_iter_ < 100
    assert history["val_loss"].idxmin() < len(history) - 1


def test_keras_classifier(iris):
    X, y = iris

    def build(meta):
        return keras.Sequential(
            [
                keras.Input((meta["n_features_in_"],)),
                keras.layers.Dense(16, activation="relu"),
                keras.layers.Dense(meta["n_classes_"], activation="softmax"),
            ]
        )

    network = KerasClassifier(
        build,
        loss="sparse_categorical_crossentropy",
        optimizer="adam",
        optimizer__learning_rate=0.02,
        epochs=30,
        verbose=0,
        random_state=0,
    ).fit(X, y)
    assert network.score(X, y) > 0.9
    assert_allclose(network.predict_proba(X).sum(axis=1), 1, atol=1e-5)


def test_explanations_add_up(network, iris):
    X, _ = iris
    shap = explain.shap(network, X[:3], background=X[:20], random_state=0)
    total = shap.base_values + shap.values.sum(axis=1)
    assert_allclose(total, network.predict_proba(X[:3]), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend(backend):
    if backend == os.environ.get("KERAS_BACKEND", "tensorflow"):
        return  # by the tests above
    require(backend)
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
            "-k", "not every_backend", __file__,
        ],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
