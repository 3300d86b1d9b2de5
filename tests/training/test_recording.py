"""Recorded steps of PyTorch, in a process of ``test_backends.py``."""

import keras
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from optional import with_backend

from skdnn import DNNClassifier, KerasClassifier
from skdnn._training import loop

with_torch = with_backend("torch")


@with_torch
def test_the_recipe_is_used_and_leaves_global_state_alone(iris):
    import torch

    X, y = iris
    state, n_threads = torch.get_rng_state(), torch.get_num_threads()
    nets = [DNNClassifier(random_state=0, max_iter=3).fit(X, y) for _ in range(2)]
    assert "networks whose probabilities are averaged" in nets[0].summary()
    assert_array_equal(nets[0].predict_proba(X), nets[1].predict_proba(X))
    assert_array_equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == n_threads


def keras_classifier(layers, **settings):
    def build(meta):
        return keras.Sequential(
            [
                keras.Input((meta["n_features_in_"],)),
                keras.layers.Dense(16, activation="relu"),
                *layers(),
                keras.layers.Dense(meta["n_classes_"], activation="softmax"),
            ]
        )

    return KerasClassifier(
        build,
        loss="sparse_categorical_crossentropy",
        # Adam would make steps of rounding: batch norm cancels the bias before it
        optimizer="sgd",
        optimizer__learning_rate=0.1,
        optimizer__momentum=0.9,
        metrics=["accuracy"],
        epochs=4,
        verbose=0,
        random_state=0,
        **settings,
    )


LAYERS = {
    "plain": lambda: [],
    "batch norm": lambda: [keras.layers.BatchNormalization()],
    "dropout": lambda: [keras.layers.Dropout(0.3)],
    "seeded dropout": lambda: [keras.layers.Dropout(0.3, seed=1)],
}


@with_torch
@pytest.mark.parametrize("layers", LAYERS)
def test_compiled_models_equal_model_fit(layers, iris, monkeypatch):
    import torch

    X, y = (part.astype("float32") for part in iris)
    by_fit = []
    monkeypatch.setattr(
        loop,
        "fit_by_keras",
        lambda task, fit=loop.fit_by_keras: by_fit.append(1) or fit(task),
    )
    state = torch.get_rng_state()
    fast = [keras_classifier(LAYERS[layers]).fit(X, y) for _ in range(2)]
    assert len(by_fit) == 2 * (layers == "seeded dropout")
    assert_array_equal(fast[0].predict_proba(X), fast[1].predict_proba(X))
    assert_array_equal(torch.get_rng_state(), state)
    monkeypatch.setattr(loop, "can_compile", lambda task: False)
    slow = keras_classifier(LAYERS[layers]).fit(X, y)
    if layers != "dropout":  # of which a step more was drawn
        assert_allclose(
            fast[0].predict_proba(X), slow.predict_proba(X), atol=1e-5, rtol=1e-4
        )
        assert_allclose(fast[0].history_["loss"], slow.history_["loss"], rtol=1e-4)
