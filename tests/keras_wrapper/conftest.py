import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

layers = keras.layers


def build(meta, units=16, compile_kwargs=None):
    """Return a network for whatever y is: the builder that users write."""
    outputs, activation = meta["n_classes_"], "softmax"
    if meta["target_type_"] == "multilabel-indicator":
        activation = "sigmoid"
    network = keras.Sequential(
        [
            keras.Input(meta["X_shape_"][1:]),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dense(outputs, activation=activation),
        ]
    )
    if compile_kwargs is not None and compile_kwargs["loss"] is not None:
        network.compile(**compile_kwargs)
    return network


def build_binary(meta):
    return keras.Sequential(
        [keras.Input(meta["X_shape_"][1:]), layers.Dense(1, activation="sigmoid")]
    )


SETTINGS = {
    "model": build,
    "loss": "sparse_categorical_crossentropy",
    "optimizer": "adam",
    "optimizer__learning_rate": 0.02,
    "epochs": 3,
    "verbose": 0,
    "random_state": 0,
}


@pytest.fixture
def network():
    """Return what makes a classifier of the usual settings; None leaves one out."""
    from skdnn import KerasClassifier

    def make(**changes):
        settings = SETTINGS | changes
        return KerasClassifier(**{k: v for k, v in settings.items() if v is not None})

    return make


@pytest.fixture
def binary(iris):
    X, y = iris
    return X[y < 2], y[y < 2]


@pytest.fixture(scope="session")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X[:600] / 16).astype(np.float32), y[:600]


@pytest.fixture
def binary_network(network):
    return lambda **changes: network(
        model=build_binary, loss="binary_crossentropy", **changes
    )


@pytest.fixture
def without_compiled_epochs(monkeypatch):
    """Return what sends training through ``Model.fit`` from then on."""
    from skdnn._training import loop

    return lambda: monkeypatch.setattr(loop, "can_compile", lambda *_: False)
