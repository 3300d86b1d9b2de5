import warnings

import keras
import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification

layers, losses = keras.layers, keras.losses


def ending(*last):
    """Return a builder of a network that ends with some layers."""

    def build(meta):
        return keras.Sequential([keras.Input(meta["X_shape_"][1:]), *last])

    return build


def dense(units, activation=None):
    return ending(layers.Dense(units, activation=activation))


def functional(output):
    def build(meta):
        x = keras.Input(meta["X_shape_"][1:])
        return keras.Model(x, output(x))

    return build


def own_class(meta):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = layers.Dense(3)

        def call(self, x):
            return self.last(x)

    return Own()


SPARSE, BINARY = "sparse_categorical_crossentropy", "binary_crossentropy"
CATEGORICAL = "categorical_crossentropy"


def own_loss_of_logits(y, p):
    return losses.sparse_categorical_crossentropy(y, p, from_logits=True)


UNFIT = {
    "one sigmoid": (dense(1, "sigmoid"), BINARY, "1 unit for 3 classes.*softmax"),
    "five units": (dense(5, "softmax"), SPARSE, "5 units for 3 classes.*Dense\\(3"),
    "two units": (dense(2, "softmax"), CATEGORICAL, "2 units for 3 classes"),
    "logits": (dense(3), SPARSE, "'linear'.*softmax.*from_logits=True"),
    "categorical logits": (dense(3), CATEGORICAL, "'linear'.*softmax.*from_logits"),
    "relu": (dense(3, "relu"), SPARSE, "'relu'.*softmax"),
    "sigmoids": (dense(3, "sigmoid"), SPARSE, "'sigmoid'.*softmax"),
    "binary loss": (dense(3, "softmax"), BINARY, "BinaryCrossentropy.*" + SPARSE),
    "squared error": (dense(3, "softmax"), "mse", "MeanSquaredError.*" + SPARSE),
    "logits by a function": (
        functional(lambda x: keras.ops.square(layers.Dense(3)(x)) + 2),
        SPARSE,
        "must be probabilities.*softmax.*from_logits",
    ),
    "logits of a class": (own_class, SPARSE, "must be probabilities.*softmax"),
    "logits in the user's loss": (dense(3), own_loss_of_logits, "'linear'.*softmax"),
    "a nested network": (
        ending(keras.Sequential([layers.Dense(4), layers.Dense(3)])),
        SPARSE,
        "'linear'.*softmax",
    ),
    "a softmax before from_logits": (
        dense(3, "softmax"),
        losses.SparseCategoricalCrossentropy(from_logits=True),
        "applied twice",
    ),
    "a vector per step": (
        ending(layers.Reshape((4, 1)), layers.Dense(3, "softmax")),
        SPARSE,
        "one vector per row.*Flatten",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_three_classes(case, network, iris):
    model, loss, words = UNFIT[case]
    net = network(model=model, loss=loss)
    with pytest.raises(ValueError, match=words):
        net.fit(*iris)
    assert not hasattr(net, "history_")


@pytest.mark.parametrize(
    ("model", "loss", "words"),
    [
        (dense(1), BINARY, "'linear'.*sigmoid"),
        (dense(1), "mse", "'linear'.*sigmoid"),
        (dense(1, "softmax"), BINARY, "'softmax'.*Dense\\(1, activation='sigmoid'"),
        (dense(1, "sigmoid"), SPARSE, "needs a unit per class, for 1 unit"),
        (dense(1, "sigmoid"), CATEGORICAL, "1 unit"),
        (dense(2, "sigmoid"), SPARSE, "'sigmoid'.*softmax"),
        (dense(2, "sigmoid"), BINARY, "BinaryCrossentropy for 2 units"),
        (dense(2, "softmax"), BINARY, "BinaryCrossentropy for 2 units"),
        (dense(3, "softmax"), SPARSE, "3 units for 2 classes"),
    ],
)
@pytest.mark.filterwarnings("ignore:You are using a softmax:UserWarning")
def test_two_classes(model, loss, words, network, binary):
    with pytest.raises(ValueError, match=words):
        network(model=model, loss=loss).fit(*binary)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (dense(2, "sigmoid"), "2 units for 4 labels.*Dense\\(4, activation='sigmoid'"),
        (dense(4), "'linear'.*sigmoid"),
    ],
)
def test_several_labels(model, words, network):
    X, y = make_multilabel_classification(60, n_classes=4, random_state=0)
    with pytest.raises(ValueError, match=words):
        network(model=model, loss=BINARY).fit(X, y)


def test_a_model_compiled_for_columns_names_both_remedies(network, iris):
    def build(meta):
        model = dense(3, "softmax")(meta)
        model.compile("adam", CATEGORICAL)
        return model

    with pytest.raises(ValueError, match="Or set loss='categorical_crossentropy'"):
        network(model=build, loss=None).fit(*iris)


def test_several_outputs_of_a_class(network, iris):
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = layers.Dense(3, "softmax")

        def call(self, x):
            return {"a": self.last(x), "b": self.last(x)}

    with pytest.raises(ValueError, match=r"Got 2 outputs.*target_encoder"):
        network(model=lambda: Two()).fit(*iris)


FIT = {
    "softmax layer": (ending(layers.Dense(3), layers.Softmax()), SPARSE),
    "softmax function": (
        functional(lambda x: keras.ops.softmax(layers.Dense(3)(x))),
        SPARSE,
    ),
    "columns": (dense(3, "softmax"), CATEGORICAL),
    "logits": (dense(3), losses.SparseCategoricalCrossentropy(from_logits=True)),
    "a loss of the user's": (dense(3, "softmax"), own_loss_of_logits),
}


@pytest.mark.parametrize("case", FIT)
def test_what_fits_is_trained(case, network, iris):
    model, loss = FIT[case]
    with warnings.catch_warnings():
        # Keras's own, for a loss of logits after a softmax
        warnings.simplefilter("ignore", UserWarning)
        proba = network(model=model, loss=loss).fit(*iris).predict_proba(iris[0])
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)


def test_binary_focal_logits_are_made_probabilities(network, binary):
    loss = losses.BinaryFocalCrossentropy(from_logits=True)
    net = network(model=dense(1), loss=loss).fit(*binary)
    raw = net.model_(binary[0].astype("float32")).numpy()[:, 0]
    expected = 1 / (1 + np.exp(-raw))
    np.testing.assert_allclose(net.predict_proba(binary[0])[:, 1], expected, rtol=1e-5)


def test_a_fixed_number_of_rows_per_batch(network, iris):
    def build(meta):
        x = keras.Input(batch_shape=(25, 4))
        return keras.Model(x, layers.Dense(3, "softmax")(x))

    net = network(model=build, batch_size=25).fit(*iris)
    assert net.predict_proba(iris[0], batch_size=25).shape == (150, 3)


def test_a_prediction_of_the_users_own_is_not_compared(network, iris):
    class Own(keras.Sequential):
        def predict(self, x, **kwargs):
            logits = super().predict(x, verbose=0, **kwargs)
            return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    net = network(
        model=lambda: Own([keras.Input((4,)), layers.Dense(3)]), loss=own_loss_of_logits
    )
    net.fit(*iris)
    np.testing.assert_allclose(net.predict_proba(iris[0]).sum(axis=1), 1, rtol=1e-5)


def test_logits_of_a_network_that_is_not_trained_here_are_refused(network, iris):
    net = network(model=dense(3)).initialize(*iris)
    with pytest.raises(ValueError, match=r"must be probabilities.*softmax"):
        net.predict_proba(iris[0])


def test_rows_that_overflow_are_refused(network, iris):
    net = network().fit(*iris)
    net.model_.set_weights([1e3 * array for array in net.model_.get_weights()])
    with pytest.raises(ValueError, match="NaN or infinity for 1 of 2 rows"):
        net.predict_proba([[1, 2, 3, 4], [3e38, 3e38, 3e38, -3e38]])


def test_weights_that_are_not_finite_are_refused(network, iris):
    net = network(optimizer="sgd", optimizer__learning_rate=1e30)
    with pytest.raises(ValueError, match=r"weights finite.*learning_rate"):
        net.fit(*iris)
    assert not hasattr(net, "history_")
