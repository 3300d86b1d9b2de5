"""Training, prediction and explanation with the Keras backend of this process.

Select it with ``KERAS_BACKEND=torch python -m pytest tests/test_backends.py``. The last
test runs the others in a process per backend, with tests of modules that need it: to
start a process takes longer than most of them.
"""

import os
import pickle
import subprocess
import sys
from pathlib import Path

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
TRAINING = Path(__file__).parent / "training"
# Those whose epochs are compared with `keras.Model.fit`.
COMPARED = ["plain-float32-False", "everything-float64-False", "schedule"]
# Files of each process; JAX computes in float64 for a whole process or not at all.
PROCESSES = {
    "tensorflow": [Path(__file__)],
    "jax": [Path(__file__), TRAINING / "test_backend_functions.py"],
    "jax, float64": [TRAINING / "test_keras_fallback.py"],
    "torch": [
        Path(__file__),
        TRAINING / "test_keras_fallback.py",
        TRAINING / "test_recording.py",
        TRAINING / "test_spec_functions.py",
    ],
}


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


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(16, activation="relu")
        self.out = keras.layers.Dense(3, activation="softmax")

    def call(self, x):
        return self.out(self.hidden(x))


def of_layers():
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


@pytest.mark.parametrize("build", [of_layers, Own])
def test_keras_classifier(build, iris):
    X, y = iris
    network = KerasClassifier(
        lambda: build(),
        loss="sparse_categorical_crossentropy",
        optimizer="adam",
        optimizer__learning_rate=0.02,
        epochs=30,
        validation_split=0.1,
        verbose=0,
        random_state=0,
    ).fit(X, y)
    assert network.score(X, y) > 0.9
    proba = network.predict_proba(X)
    assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert_allclose(proba, network.model_.predict(X, verbose=0), atol=1e-6)
    np.testing.assert_array_equal(network.fit(X, y).predict_proba(X), proba)


def test_explanations_add_up(network, iris):
    X, _ = iris
    shap = explain.shap(network, X[:3], background=X[:20], random_state=0)
    total = shap.base_values + shap.values.sum(axis=1)
    assert_allclose(total, network.predict_proba(X[:3]), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROCESSES)
def test_every_backend(name):
    backend, _, float64 = name.partition(", ")
    if name == os.environ.get("KERAS_BACKEND", "tensorflow"):
        return  # by the tests above
    require(backend)
    environment = {"KERAS_BACKEND": backend, "JAX_ENABLE_X64": str(bool(float64))}
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider",
            "-k", "not every_backend and not same_weights_as and not logits_of_every "
            f"and (not keras_fallback or {' or '.join(COMPARED)})",
            *PROCESSES[name],
        ],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    passed = [line for line in done.stdout.splitlines() if " PASSED" in line]
    for file in PROCESSES[name]:
        n_passed = sum(file.name in line for line in passed)
        n_least = len(COMPARED) if file.name == "test_keras_fallback.py" else 1
        assert n_passed >= n_least, file
