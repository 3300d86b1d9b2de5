"""Optimizers, losses and metrics: as names, classes and instances, with parameters."""

import keras
import numpy as np
import pytest

losses, metrics, optimizers = keras.losses, keras.metrics, keras.optimizers


def logits(meta):
    return keras.Sequential(
        [keras.Input((meta["n_features_in_"],)), keras.layers.Dense(meta["n_classes_"])]
    )


def one_logit(meta):
    return keras.Sequential(
        [keras.Input((meta["n_features_in_"],)), keras.layers.Dense(1)]
    )


def compiled(meta):
    network = logits(meta)
    network.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    return network


@pytest.mark.parametrize("optimizer", ["sgd", "SGD", optimizers.SGD])
def test_optimizers(optimizer, network, iris):
    net = network(optimizer=optimizer, optimizer__momentum=0.5).fit(*iris)
    made = net.model_.optimizer
    assert isinstance(made, optimizers.SGD)
    assert made.momentum == 0.5
    assert made.get_config()["learning_rate"] == pytest.approx(0.02)


def test_a_schedule_is_kept(network, iris):
    schedule = optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)
    net = network(optimizer="sgd", optimizer__learning_rate=schedule).fit(*iris)
    rate = float(net.model_.optimizer.learning_rate)
    assert rate == pytest.approx(0.5 * 0.5 ** (15 / 10))


@pytest.mark.parametrize(
    "loss",
    [
        "binary_crossentropy",
        "BinaryCrossentropy",
        losses.BinaryCrossentropy,
        losses.BinaryCrossentropy(from_logits=True),
    ],
)
def test_losses_and_their_parameters(loss, network, binary):
    changes = {} if isinstance(loss, losses.Loss) else {"loss__from_logits": True}
    net = network(model=one_logit, loss=loss, epochs=30, **changes).fit(*binary)
    assert net.model_.loss.from_logits
    # logits are made probabilities
    proba = net.predict_proba(binary[0])
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    assert 0 < proba.min() < proba.max() < 1
    assert net.score(*binary) == 1.0
    raw = net.model_(binary[0].astype("float32")).numpy()[:, 0]
    np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-raw)), rtol=1e-5)


def test_softmax_of_logits(network, iris):
    X, y = iris
    net = network(model=compiled, loss=None).fit(X, y)
    proba = net.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    raw = np.exp(net.model_(X.astype("float32")).numpy())
    np.testing.assert_allclose(proba, raw / raw.sum(axis=1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize(
    "loss", ["categorical_crossentropy", losses.CategoricalCrossentropy]
)
@pytest.mark.parametrize("data", ["iris", "binary"])
def test_one_column_per_class(loss, data, network, request):
    X, y = request.getfixturevalue(data)
    a = network(loss=loss, loss__label_smoothing=0.0, epochs=10).fit(X, y)
    b = network(epochs=10).fit(X, y)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(a.predict(X), b.predict(X))
    smoothed = network(loss=loss, loss__label_smoothing=0.5, epochs=10).fit(X, y)
    assert np.abs(smoothed.predict_proba(X) - a.predict_proba(X)).max() > 0.01


def test_a_loss_of_the_users_own(network, iris):
    class Scaled:
        def __init__(self, factor, parts):
            self.factor, self.parts, self.__name__ = factor, parts, "scaled"

        def __call__(self, y, p):
            return losses.sparse_categorical_crossentropy(y, p) * self.factor

    class Part:
        def __init__(self, size):
            self.size = size

    net = network(
        loss=Scaled, loss__factor=2.0, loss__parts=[Part, Part],
        loss__parts__size=1, loss__parts__0__size=5,
    ).fit(*iris)  # fmt: skip
    assert [part.size for part in net.model_.loss.parts] == [5, 1]
    plain = network().fit(*iris)
    assert net.history_["loss"][0] > 1.8 * plain.history_["loss"][0]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (["accuracy"], "accuracy"),
        (["sparse_categorical_accuracy"], "sparse_categorical_accuracy"),
        ("sparse_categorical_accuracy", "sparse_categorical_accuracy"),
        ([metrics.SparseCategoricalAccuracy(name="mine")], "mine"),
        ([lambda y, p: keras.ops.mean(p[:, 0])], None),
    ],
)
def test_metrics(given, name, network, iris):
    net = network(metrics=given, validation_split=0.2).fit(*iris)
    assert net.history_.keys() >= {"loss", "val_loss"}
    assert len(net.history_) == 4
    if name is not None:
        assert len(net.history_[name]) == len(net.history_[f"val_{name}"]) == 3


def test_metrics_take_parameters(network, iris):
    for given in (
        "SparseTopKCategoricalAccuracy",
        metrics.SparseTopKCategoricalAccuracy,
    ):
        net = network(
            metrics=[given], metrics__k=3, metrics__0__name="first_three"
        ).fit(*iris)
        assert net.history_["first_three"] == [1.0] * 3


def test_names_of_metrics_do_not_count_fits(network, binary_network, binary):
    net = binary_network(metrics=["AUC"], validation_split=0.2)
    X, y = binary[0][::-1], binary[1][::-1]
    first = set(net.fit(X, y).history_)
    assert set(net.fit(X, y).history_) == first  # val_auc, not val_auc_1


def test_what_is_missing_is_named(network, iris):
    with pytest.raises(
        ValueError, match=r"must provide a loss function, or a compiled"
    ):
        network(loss=None).fit(*iris)
    with pytest.raises(ValueError, match="must provide a loss function"):
        network(loss=[None]).fit(*iris)
    net = network(optimizer__learning_rate=None).set_params(optimizer=None)
    with pytest.raises(ValueError, match="optimizer"):
        net.fit(*iris)


def test_a_loss_that_is_not_the_models_is_refused(network, iris):
    with pytest.raises(ValueError, match="model compiled with"):
        network(model=compiled, loss="binary_crossentropy").fit(*iris)


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (None, ValueError, "must implement ``_keras_build_fn``"),
        (3, TypeError, "``model`` must be"),
        (lambda: None, TypeError, "must be a function that returns a keras.Model"),
    ],
)
def test_what_is_no_builder_is_refused(model, error, words, network, iris):
    net = network().set_params(model=model)
    with pytest.raises(error, match=words):
        net.fit(*iris)
