"""Networks of any dtype policy train as by ``Model.fit`` and predict probabilities."""

import keras
import numpy as np
import pytest

from skdnn._runtime.caches import clear_caches
from skdnn._training.program import programs

layers, losses = keras.layers, keras.losses
POLICIES = (
    "mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float32", "float64",
)  # fmt: skip


@pytest.fixture(params=POLICIES)
def policy(request):
    """Set a dtype policy for the process, and restore the one before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


def dense(meta, activation="softmax"):
    return keras.Sequential(
        [
            keras.Input(meta["X_shape_"][1:]),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(meta["n_classes_"], activation=activation),
        ]
    )


def logits(meta):
    return dense(meta, activation=None)


def own_activation(meta):
    return dense(meta, activation=lambda x: keras.ops.softmax(x))


def mixed_layers(meta):
    return keras.Sequential(
        [
            keras.Input(meta["X_shape_"][1:]),
            layers.Dense(8, activation="relu", dtype="mixed_float16"),
            layers.Dense(8, activation="relu", dtype="float64"),
            layers.Dense(meta["n_classes_"], activation="softmax", dtype="bfloat16"),
        ]
    )


def assert_probabilities(proba, policy):
    assert proba.dtype == ("float64" if policy == "float64" else "float32")
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    assert 0 <= proba.min() < proba.max() <= 1


@pytest.mark.parametrize("model", [dense, own_activation])
def test_trains_as_model_fit(model, policy, network, iris, without_compiled_epochs):
    # every pair of a policy, a model and an optimizer, not every three
    is_mixed = policy.startswith("mixed")
    settings = {
        "model": model,
        "optimizer": "sgd" if is_mixed == (model is dense) else "rmsprop",
        "metrics": ["accuracy"],
        "validation_split": 0.2,
    }
    fast = network(**settings).fit(*iris)
    without_compiled_epochs()
    slow = network(**settings).fit(*iris)
    # one unit in the last place of the dtype of computation is 2^-11 or 2^-8
    atol = {"float16": 2e-3, "bfloat16": 2e-2}.get(policy.removeprefix("mixed_"), 1e-5)
    for a, b in zip(fast.model_.weights, slow.model_.weights, strict=True):
        assert a.dtype == b.dtype
        a, b = (keras.ops.convert_to_numpy(v).astype(float) for v in (a, b))
        np.testing.assert_allclose(a, b, atol=atol)
    assert fast.history_.keys() == slow.history_.keys()
    np.testing.assert_allclose(
        fast.history_["loss"], slow.history_["loss"], rtol=100 * atol
    )
    assert fast.model_.optimizer.iterations == slow.model_.optimizer.iterations
    assert_probabilities(fast.predict_proba(iris[0]), policy)


def test_logits_become_probabilities(policy, network, iris):
    net = network(model=logits, loss=losses.SparseCategoricalCrossentropy(True))
    assert_probabilities(net.fit(*iris).predict_proba(iris[0]), policy)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_layers_of_several_policies(optimizer, network, iris):
    net = network(model=mixed_layers, optimizer=optimizer, epochs=20).fit(*iris)
    assert_probabilities(net.predict_proba(iris[0]), "bfloat16")
    assert net.history_["loss"][-1] < net.history_["loss"][0]


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_learns_to_tell_classes(name, network, iris):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        net = network(epochs=30, optimizer__learning_rate=0.05).fit(*iris)
    finally:
        keras.config.set_dtype_policy(before)
    assert net.score(*iris) > 0.9


def test_loss_scale_skips_a_step_that_overflows(network, iris):
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1), initial_scale=2.0**127
    )
    net = network(
        model=dense, optimizer=optimizer, optimizer__learning_rate=None, epochs=1
    ).fit(*iris)
    scaled = net.model_.optimizer
    assert float(scaled.dynamic_scale) < 2.0**127
    assert int(scaled.iterations) < 5  # of five steps, some were skipped
    assert all(np.isfinite(w).all() for w in net.model_.get_weights())


def test_labels_of_half_precision_are_not_normalised(network):
    X = np.repeat(np.eye(4), 30, axis=0)
    y = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]).repeat(30, axis=0)
    net = network(
        model=lambda meta: keras.Sequential(
            [keras.Input((4,)), layers.Dense(2, "sigmoid", dtype="mixed_float16")]
        ),
        loss="binary_crossentropy",
        epochs=60,
    ).fit(X, y)
    proba = net.predict_proba(X)
    assert proba.dtype == "float32"
    assert proba[-1].sum() > 1.2  # both labels
    assert proba[0].sum() < 0.8  # none


def test_nadam_with_a_scaled_loss_goes_through_model_fit(network, iris, monkeypatch):
    calls = []
    fit = keras.Model.fit

    def counted(self, *args, **kwargs):
        calls.append(self)
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "fit", counted)
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Nadam(0.01))
    net = network(model=dense, optimizer=scaled, optimizer__learning_rate=None)
    assert net.fit(*iris).model_ in calls


def test_a_network_compiled_under_another_policy(network, iris):
    def build(meta):
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_float16")
        try:
            model = dense(meta)
            model.compile("sgd", "sparse_categorical_crossentropy")
        finally:
            keras.config.set_dtype_policy(before)
        return model

    net = network(model=build, loss=None).fit(*iris)
    assert isinstance(net.model_.optimizer, keras.optimizers.LossScaleOptimizer)
    assert_probabilities(net.predict_proba(iris[0]), "mixed_float16")


def test_rates_of_a_scaled_loss_share_a_program(network, iris):
    def scaled(rate):
        return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(rate))

    clear_caches()
    losses = [
        network(optimizer=scaled(rate), optimizer__learning_rate=None)
        .fit(*iris)
        .history_["loss"][-1]
        for rate in (0.1, 0.001)
    ]
    assert len(programs) == 1
    assert losses[0] < losses[1]
