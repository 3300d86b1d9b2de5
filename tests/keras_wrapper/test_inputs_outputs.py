"""Shapes and kinds of X and y, several inputs and several outputs."""

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import FunctionTransformer

from skdnn import KerasClassifier

layers = keras.layers


@pytest.mark.parametrize("kind", ["float32", "int64", "uint8", "<U1", "bool"])
def test_classes_keep_their_kind(kind, network, binary):
    X, y = binary
    y = y.astype(kind)
    net = network(epochs=20).fit(X, y)
    expected = MLPClassifier(max_iter=1)
    with pytest.warns(UserWarning, match="iterations"):
        expected.fit(X, y)
    assert net.predict(X).dtype == expected.predict(X).dtype
    assert net.predict(X).shape == expected.predict(X).shape
    assert net.predict_proba(X).shape == (100, 2)
    assert net.score(X, y) > 0.95


def test_one_sigmoid_for_two_classes(binary_network, binary):
    X, y = binary
    words = np.where(y, "yes", "no")
    net = binary_network(epochs=60).fit(X, words)
    assert net.classes_.tolist() == ["no", "yes"]
    assert net.score(X, words) == 1.0
    assert net.target_type_ == "binary"


def test_a_column_of_classes(network, iris):
    X, y = iris
    with pytest.warns(DataConversionWarning, match="column-vector"):
        net = network().fit(X, y[:, None])
    np.testing.assert_array_equal(net.predict(X), network().fit(X, y).predict(X))


def test_classes_as_zeros_and_ones(network, iris):
    X, y = iris
    one_hot = np.eye(3, dtype=int)[y]
    net = network(
        model=_softmax_of_any, loss="categorical_crossentropy", epochs=20
    ).fit(X, one_hot)
    assert net.predict(X).shape == (150, 3)
    assert (net.predict(X).sum(axis=1) == 1).all()
    assert (net.predict(X).argmax(axis=1) == y).mean() > 0.8


def _softmax_of_any(meta):
    return keras.Sequential(
        [
            keras.Input(meta["X_shape_"][1:]),
            layers.Dense(16, activation="relu"),
            layers.Dense(meta["n_classes_"], activation="softmax"),
        ]
    )


def test_several_labels_per_row(network):
    X = np.repeat(np.eye(4), 30, axis=0)
    y = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]).repeat(30, axis=0)
    net = network(loss="binary_crossentropy", epochs=60).fit(X, y)
    assert net.target_type_ == "multilabel-indicator"
    assert net.predict_proba(X).shape == (120, 2)
    assert net.score(X, y) == 1.0


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (2, 4, 8)])
def test_images_and_sequences(shape, network, digits):
    X, y = digits
    X = X.reshape(-1, *shape)
    net = network(epochs=10).fit(X, y)
    assert net.X_shape_ == X.shape
    assert net.score(X, y) > 0.7
    with pytest.raises(ValueError, match=r"X has shape .*expecting X of shape"):
        net.predict(X[:, :, :2])
    with pytest.raises(ValueError, match=r"dimensions in X"):
        net.predict(X[:, 0])


def test_integers_stay_integers_for_an_embedding(network, rng_words):
    X, y = rng_words

    def build(meta):
        return keras.Sequential(
            [
                keras.Input(meta["X_shape_"][1:], dtype="int32"),
                layers.Embedding(20, 4),
                layers.GlobalAveragePooling1D(),
                layers.Dense(2, activation="softmax"),
            ]
        )

    net = network(model=build, epochs=40, optimizer__learning_rate=0.05).fit(X, y)
    assert net.score(X, y) > 0.9


@pytest.fixture
def rng_words():
    X = np.random.default_rng(0).integers(0, 20, size=(200, 6))
    return X, (X == 3).any(axis=1).astype(int)


class TwoInputs(KerasClassifier):
    """Takes the first column through one input, the others through another."""

    @property
    def feature_encoder(self):
        return FunctionTransformer(lambda X: {"a": X[:, :1], "b": X[:, 1:]})

    def _keras_build_fn(self, meta):
        a, b = keras.Input((1,), name="a"), keras.Input((3,), name="b")
        hidden = layers.Concatenate()([layers.Dense(8, "relu")(a), layers.Dense(8)(b)])
        out = layers.Dense(meta["n_classes_"], activation="softmax")(hidden)
        return keras.Model({"a": a, "b": b}, out)


def test_several_inputs(iris):
    X, y = iris
    net = TwoInputs(
        loss="sparse_categorical_crossentropy", epochs=20, verbose=0, random_state=0,
        optimizer="adam", optimizer__learning_rate=0.05, validation_split=0.1,
    )  # fmt: skip
    assert net.fit(X, y, sample_weight=np.ones(150)).score(X, y) > 0.8
    assert len(net.history_["val_loss"]) == 20
    expected = net.model_.predict({"a": X[:, :1], "b": X[:, 1:]}, verbose=0)
    np.testing.assert_allclose(net.predict_proba(X), expected, rtol=1e-5)
    with pytest.raises(
        ValueError, match=r"`batch_size=-1` requires that `X` implement"
    ):
        net.set_params(batch_size=-1).fit(X, y)
    with pytest.raises(ValueError, match=r"`batch_size=-1` requires"):
        net.predict(X, batch_size=-1)


class TwoTargets(BaseEstimator, TransformerMixin):
    """Classes of two columns, each for an output of its own."""

    def fit(self, y):
        self.classes_ = [np.unique(column) for column in y.T]
        return self

    def transform(self, y):
        return [
            np.searchsorted(classes, column).astype("float32")
            for classes, column in zip(self.classes_, y.T, strict=True)
        ]

    def inverse_transform(self, y, return_proba=False):
        if return_proba:
            return y
        columns = zip(self.classes_, y, strict=True)
        return np.column_stack([c[p.argmax(axis=1)] for c, p in columns])

    def get_metadata(self):
        return {
            "classes_": self.classes_,
            "n_classes_": [len(c) for c in self.classes_],
            "n_outputs_": 2,
            "n_outputs_expected_": 2,
        }


class TwoOutputs(KerasClassifier):
    @property
    def target_encoder(self):
        return TwoTargets()

    def _keras_build_fn(self, meta):
        x = keras.Input((meta["n_features_in_"],))
        hidden = layers.Dense(16, activation="relu")(x)
        outputs = [layers.Dense(n, "softmax")(hidden) for n in meta["n_classes_"]]
        return keras.Model(x, outputs)

    @staticmethod
    def scorer(y_true, y_pred, **kwargs):
        return (y_true == y_pred).all(axis=1).mean()


def test_several_outputs(iris):
    X, y = iris
    both = np.column_stack([y, y == 1])
    net = TwoOutputs(
        loss="sparse_categorical_crossentropy", epochs=40, verbose=0, random_state=0,
        optimizer="adam", optimizer__learning_rate=0.05,
    ).fit(X, both)  # fmt: skip
    assert net.predict(X).shape == (150, 2)
    assert [p.shape for p in net.predict_proba(X)] == [(150, 3), (150, 2)]
    assert net.score(X, both) > 0.8


def test_outputs_that_the_targets_do_not_have(network, iris):
    def build(meta):
        x = keras.Input((4,))
        return keras.Model(x, [layers.Dense(1)(x), layers.Dense(3)(x)])

    with pytest.raises(ValueError, match="outputs"):
        network(model=build).fit(*iris)


def test_a_model_of_a_class_of_the_users(network, iris):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(16, activation="relu")
            self.out = layers.Dense(3, activation="softmax")

        def call(self, x):
            return self.out(self.hidden(x))

    net = network(model=lambda: Own(), epochs=20).fit(*iris)
    assert net.score(*iris) > 0.8


def test_frames_of_several_kinds(network):
    X = pd.DataFrame({"a": [1, 2, 3, 4] * 5, "b": [0.5, 1.5, 0.5, 1.5] * 5})
    y = np.array(["u", "v"] * 10)
    net = network(epochs=40).fit(X, y)
    assert net.score(X, y) == 1.0
    as_words = network(epochs=1).fit(X.to_numpy().astype(str), y)
    assert as_words.predict(X.to_numpy().astype(str)).shape == (20,)


def test_invalid_targets(network, iris):
    X, _ = iris
    with pytest.raises(ValueError, match="Unknown label type"):
        network().fit(X, np.linspace(0, 1, 150))
    net = network().fit(X, np.arange(150) % 3)
    with pytest.raises(ValueError, match="Got y with dtype float64"):
        net.partial_fit(X, np.arange(150) % 3 + 0.0)
    with pytest.raises(ValueError, match="y has 2 dimensions"):
        net.partial_fit(X, np.zeros((150, 2), dtype=int))
    with pytest.raises(ValueError, match="unknown categories"):
        net.partial_fit(X, np.arange(150) % 3 + 5)


def test_not_fitted(network, iris):
    for method in ("predict", "predict_proba"):
        with pytest.raises(NotFittedError, match="not fitted"):
            getattr(network(), method)(iris[0])
