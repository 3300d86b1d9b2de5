"""The compiled epoch and ``keras.Model.fit`` give the same values."""

import copy
import functools

import keras
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from skdnn._runtime.caches import clear_caches
from skdnn._training import execution
from skdnn._training.callbacks import need_batches
from skdnn._training.program import programs

layers = keras.layers
callbacks = keras.callbacks


def builder(*makers, activation="softmax"):
    def build(meta):
        return keras.Sequential(
            [
                keras.Input(meta["X_shape_"][1:]),
                *(make() for make in makers),
                layers.Dense(meta["n_classes_"], activation=activation),
            ]
        )

    return build


def dense():
    return layers.Dense(16, activation="relu")


class OwnParts(keras.Sequential):
    def compute_loss(self, x, y, y_pred, sample_weight, training=True):
        return 2 * super().compute_loss(x, y, y_pred, sample_weight, training)


def own_parts(meta):
    return OwnParts(
        [keras.Input(meta["X_shape_"][1:]), dense(), layers.Dense(10, "softmax")]
    )


def own_loss(y, p):
    return keras.losses.sparse_categorical_crossentropy(y, p) * 2


def schedule():
    return keras.optimizers.schedules.CosineDecay(0.1, 50)


CASES = {
    "dense": {"model": builder(dense)},
    "last batch of one row": {"model": builder(dense), "batch_size": 299},
    "rows in order": {"model": builder(dense), "shuffle": False},
    "dropout and validation": {
        "model": builder(dense, lambda: layers.Dropout(0.3)),
        "validation_split": 0.2,
        "validation_batch_size": 50,
    },
    "convolution": {
        "model": builder(
            lambda: layers.Reshape((8, 8, 1)),
            lambda: layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization,
            layers.MaxPooling2D,
            layers.Flatten,
        ),
        "optimizer": "sgd",
    },
    "recurrent": {
        "model": builder(lambda: layers.Reshape((8, 8)), lambda: layers.LSTM(4)),
        "optimizer": "rmsprop",
        "optimizer__learning_rate": 0.01,
    },
    "a function of the user's": {"model": builder(lambda: layers.Lambda(lambda x: -x))},
    "a loss of the user's": {"model": builder(dense), "loss": own_loss},
    "a method of the user's": {"model": own_parts},
    "schedule and momentum": {
        "model": builder(dense),
        "optimizer": keras.optimizers.SGD(schedule(), momentum=0.9),
        "optimizer__learning_rate": None,
    },
    "averaged weights": {
        "model": builder(dense),
        "optimizer": keras.optimizers.Adam(use_ema=True),
        "optimizer__learning_rate": None,
    },
    "callbacks": {
        "model": builder(dense),
        "validation_split": 0.2,
        "callbacks": [
            callbacks.EarlyStopping("val_loss", restore_best_weights=True, patience=1),
            callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5),
        ],
    },
    "penalty": {"model": builder(lambda: layers.Dense(8, kernel_regularizer="l2"))},
}


WEIGHTED = [("dense", True), ("dropout and validation", True)]


@pytest.mark.parametrize(
    ("case", "weighted"), [*((case, False) for case in CASES), *WEIGHTED]
)
def test_as_model_fit(case, weighted, network, digits, without_compiled_epochs):
    X, y = digits[0][:300], digits[1][:300]
    settings = {"metrics": ["accuracy"], "batch_size": 37} | CASES[case]
    weight = np.linspace(0.1, 2, len(y)) if weighted else None
    # callbacks of their own: Keras 3.14 keeps EarlyStopping's best between fits
    fast, slow = (network(**copy.deepcopy(settings)) for _ in range(2))
    fast.fit(X, y, sample_weight=weight)
    without_compiled_epochs()
    slow.fit(X, y, sample_weight=weight)
    for a, b in zip(fast.model_.weights, slow.model_.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
    assert list(fast.history_) == list(slow.history_)
    for name, values in slow.history_.items():
        np.testing.assert_allclose(fast.history_[name], values, rtol=1e-5)
    states = fast.model_.optimizer.variables, slow.model_.optimizer.variables
    for a, b in zip(*states, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)


class Batches(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.count = 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1


def test_which_training_is_compiled(network, digits, monkeypatch):
    X, y = digits
    fit = keras.Model.fit
    calls = []

    @functools.wraps(fit)
    def counted(*args, **kwargs):
        calls.append(1)
        return fit(*args, **kwargs)

    monkeypatch.setattr(keras.Model, "fit", counted)
    usual = {"epochs": 1}
    network(**usual).fit(X, y)
    checkpoint = callbacks.ModelCheckpoint("{epoch}.keras", save_freq="epoch")
    assert not need_batches([checkpoint])
    network(callbacks=callbacks.EarlyStopping("loss"), **usual).fit(X, y)
    network(validation_split=0.1, fit__validation_freq=1, **usual).fit(X, y)
    assert not calls
    counter = Batches()
    for change in (
        {"callbacks": counter},
        {"callbacks": callbacks.TerminateOnNaN()},
        {"run_eagerly": True},
        {"fit__validation_freq": 2, "validation_split": 0.1},
        {"fit__class_weight": dict.fromkeys(range(10), 1.0)},
    ):
        before = len(calls)
        network(batch_size=100, **usual | change).fit(X, y)
        assert len(calls) == before + 1, change
    assert counter.count == 6


def test_a_fit_of_the_users_own_is_called(digits):
    from skdnn import KerasClassifier

    received = {}

    class Own(keras.Sequential):
        def fit(self, *args, custom=None, **kwargs):
            received.update(kwargs, custom=custom)
            return super().fit(*args, **kwargs)

    def build(meta):
        return Own([keras.Input((64,)), layers.Dense(10, activation="softmax")])

    X, y = digits
    loss = "sparse_categorical_crossentropy"
    KerasClassifier(
        build, loss=loss, verbose=0, fit__custom="parameter", class_weight="balanced"
    ).fit(X, y, custom="argument", batch_size=50)
    assert received["custom"] == "argument"
    assert received["batch_size"] == 50
    assert received["sample_weight"].shape == y.shape


def test_a_step_of_the_users_own_adds_its_figures(network, digits):
    class Own(keras.Sequential):
        def train_step(self, data):
            return super().train_step(data) | {"extra": keras.ops.ones(())}

    def build(meta):
        return Own([keras.Input((64,)), layers.Dense(10, activation="softmax")])

    assert network(model=build).fit(*digits).history_["extra"] == [1.0] * 3


def test_sparse_rows_are_made_dense_in_blocks(network, digits, monkeypatch):
    X, y = digits
    dense = network().fit(X, y)
    sparse = network().fit(csr_matrix(X), y)
    monkeypatch.setattr(execution, "BLOCK_ROWS", 1)  # four batches, at least
    in_blocks = network().fit(csr_matrix(X), y)
    for other in (sparse, in_blocks):
        np.testing.assert_allclose(
            other.predict_proba(csr_matrix(X)), dense.predict_proba(X), atol=1e-6
        )


def test_equal_networks_share_a_program(network, digits):
    X, y = digits
    clear_caches()
    network().fit(X, y)
    before = len(programs)
    assert before == 1
    for rate in (0.1, 0.01):
        for seed in (1, 2):
            network(optimizer__learning_rate=rate, random_state=seed).fit(X, y)
    assert len(programs) == before
    network(model__units=17).fit(X, y)
    assert len(programs) == before + 1
    network(optimizer__beta_1=0.8).fit(X, y)
    assert len(programs) == before + 2


def test_functions_of_one_name_share_nothing(network, digits):
    X, y = digits

    def with_activation(function):
        return lambda meta: keras.Sequential(
            [
                keras.Input((64,)),
                layers.Dense(8, activation=function),
                layers.Dense(10, activation="softmax"),
            ]
        )

    def first():
        def relu(x):
            return keras.ops.relu(x)

        return relu

    def second():
        def relu(x):
            return -keras.ops.relu(x)

        return relu

    probabilities = {
        name: network(model=with_activation(function)).fit(X, y).predict_proba(X)
        for name, function in (("keras", "relu"), ("a", first()), ("b", second()))
    }
    np.testing.assert_allclose(probabilities["a"], probabilities["keras"], atol=1e-6)
    assert np.abs(probabilities["a"] - probabilities["b"]).max() > 0.01


def test_a_rate_that_a_callback_sets_takes_effect(network, digits):
    X, y = digits
    still = callbacks.LearningRateScheduler(lambda epoch, rate: 0.0 if epoch else rate)
    one = network(epochs=1).fit(X, y)
    more = network(epochs=3, callbacks=[still]).fit(X, y)
    for a, b in zip(one.model_.weights, more.model_.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-7)


def test_a_model_compiled_again_trains_by_the_new_settings(network, digits):
    X, y = digits
    net = network(model=own_parts).fit(X, y)
    net.model_.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    before = net.model_.get_weights()
    net.partial_fit(X, y)
    for a, b in zip(before, net.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_validation_rows_are_as_x_and_y(network, digits):
    X, y = digits
    words = np.array([f"digit {label}" for label in y])
    net = network(metrics=["accuracy"], epochs=5).fit(
        X[:500], words[:500], validation_data=(X[500:], words[500:])
    )
    expected = net.score(X[500:], words[500:])
    assert net.history_["val_accuracy"][-1] == pytest.approx(expected)
    coded = network(metrics=["accuracy"], epochs=5).fit(
        X[:500], y[:500], validation_data=(X[500:], y[500:], np.ones(100))
    )
    assert coded.history_ == net.history_
    with pytest.raises(ValueError, match="unknown categories"):
        net.fit(X, words, validation_data=(X, y.astype(str)))


def test_validation_split_leaves_rows(network, digits):
    with pytest.raises(ValueError, match=r"`validation_split` must leave.*Got 1\.0"):
        network(validation_split=1.0).fit(*digits)


def test_variables_excluded_from_weight_decay_stay_so(network, digits):
    def build(meta):
        model = builder(dense)(meta)
        optimizer = keras.optimizers.AdamW(1e-9, weight_decay=1e6)
        optimizer.exclude_from_weight_decay(var_list=model.trainable_variables)
        model.compile(optimizer, "sparse_categorical_crossentropy")
        return model

    start = network(model=build, loss=None).initialize(*digits).model_.get_weights()
    trained = network(model=build, loss=None).fit(*digits).model_.get_weights()
    for a, b in zip(start, trained, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_embeddings_of_the_users_own_train_as_by_model_fit(
    network, without_compiled_epochs
):
    X = np.random.default_rng(0).integers(0, 20, size=(200, 6))
    y = (X == 3).any(axis=1).astype(int)

    class Own(keras.layers.Embedding):
        pass

    def build(meta):
        return keras.Sequential(
            [
                keras.Input(meta["X_shape_"][1:], dtype="int32"),
                Own(20, 4, embeddings_regularizer="l2"),
                layers.Flatten(),
                layers.Dense(2, activation="softmax"),
            ]
        )

    fast = network(model=build).fit(X, y)
    without_compiled_epochs()
    slow = network(model=build).fit(X, y)
    for a, b in zip(fast.model_.weights, slow.model_.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
    np.testing.assert_allclose(fast.history_["loss"], slow.history_["loss"], rtol=1e-5)


def test_metrics_that_are_vectors_are_kept(network, digits):
    recall = keras.metrics.F1Score(average=None, name="f1")
    X, y = digits
    net = network(loss="categorical_crossentropy", metrics=[recall]).fit(X, y)
    assert np.shape(net.history_["f1"]) == (3, 10)
    assert np.isfinite(net.history_["f1"]).all()
