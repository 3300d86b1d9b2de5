"""Callbacks are notified of training and prediction, however they are passed."""

import pickle

import keras
import numpy as np
import pytest

callbacks = keras.callbacks


class Counter(callbacks.Callback):
    def __init__(self, start=0):
        super().__init__()
        self.trained, self.predicted, self.tested = start, 0, 0
        self.blocks = 0

    def on_train_begin(self, logs=None):
        self.trained += 1

    def on_predict_begin(self, logs=None):
        self.predicted += 1

    def on_predict_batch_end(self, batch, logs=None):
        self.blocks += 1

    def on_test_begin(self, logs=None):
        self.tested += 1


class Schedule:
    def __init__(self, factor=0.1):
        self.factor = factor

    def __call__(self, epoch, rate):
        return rate * self.factor


WAYS = {
    "a list": lambda c: [c],
    "a tuple": lambda c: (c,),
    "nested": lambda c: [[c]],
    "by name": lambda c: {"counter": c},
    "alone": lambda c: c,
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_pass_one(way, network, iris):
    counter = Counter()
    net = network(callbacks=WAYS[way](counter), validation_split=0.2).fit(*iris)
    assert counter.trained == 1
    assert counter.tested == 3
    assert counter.model is net.model_
    net.fit(*iris)
    assert counter.trained == 2


def test_of_fit_and_of_predict(network, iris):
    both, fitting, predicting = Counter(), Counter(), Counter()
    net = network(
        callbacks=both, fit__callbacks=[fitting], predict__callbacks=[predicting]
    ).fit(*iris)
    net.predict(iris[0], batch_size=100)
    assert [c.trained for c in (both, fitting, predicting)] == [1, 1, 0]
    assert [c.predicted for c in (both, fitting, predicting)] == [1, 0, 1]
    assert predicting.blocks == 2
    one_call = Counter()
    net.fit(*iris, callbacks=[one_call])
    net.predict(iris[0], callbacks=one_call)
    assert (one_call.trained, one_call.predicted) == (1, 1)


def test_classes_take_routed_parameters(network, iris):
    net = network(
        callbacks=callbacks.EarlyStopping, callbacks__monitor="loss",
        callbacks__min_delta=10.0, callbacks__patience=1, epochs=20,
    ).fit(*iris)  # fmt: skip
    assert len(net.history_["loss"]) == 2
    net = network(
        callbacks={"stop": callbacks.EarlyStopping},
        callbacks__stop__monitor="loss", callbacks__stop__min_delta=10.0, epochs=20,
    ).fit(*iris)  # fmt: skip
    assert len(net.history_["loss"]) == 2
    # an argument without a name, itself made of a class
    net = network(
        fit__callbacks=[callbacks.LearningRateScheduler],
        fit__callbacks__0__0=Schedule, fit__callbacks__0__0__factor=0.5,
    ).fit(*iris)  # fmt: skip
    rate = net.model_.optimizer.get_config()["learning_rate"]
    assert rate == pytest.approx(0.02 * 0.5**3)


def test_early_stopping_restores_the_best_weights(network, iris):
    X, y = iris
    stop = callbacks.EarlyStopping("val_loss", patience=0, restore_best_weights=True)
    net = network(
        callbacks=[stop], validation_split=0.3, epochs=50, optimizer__learning_rate=0.3
    ).fit(X, y)
    losses = net.history_["val_loss"]
    assert len(losses) < 50
    p = net.predict_proba(X[105:])[np.arange(45), y[105:]]
    assert -np.log(p).mean() == pytest.approx(min(losses), rel=1e-4)


def test_a_checkpoint_can_be_loaded(network, iris, tmp_path):
    path = str(tmp_path / "{epoch}.keras")
    net = network(callbacks=[callbacks.ModelCheckpoint(path)]).fit(*iris)
    last = keras.models.load_model(tmp_path / "3.keras")
    np.testing.assert_allclose(
        last.predict(iris[0], verbose=0), net.predict_proba(iris[0]), rtol=1e-5
    )
    assert last.optimizer.iterations == net.model_.optimizer.iterations


def test_what_is_no_callback_is_refused(network, iris):
    with pytest.raises(TypeError, match=r"``callbacks`` must be one of"):
        network(callbacks=["early"]).fit(*iris)


def test_they_are_pickled_with_the_estimator(network, iris):
    net = network(callbacks=(Counter(),)).fit(*iris)
    other = pickle.loads(pickle.dumps(net))
    assert other.callbacks[0].trained == 1
    other.fit(*iris)
    assert other.callbacks[0].trained == 2
    assert net.callbacks[0].trained == 1


def test_a_callback_may_train_a_network_of_the_same_kind(network, iris):
    class Trains(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            network(random_state=7).fit(*iris)

    plain = network(callbacks=[Counter()]).fit(*iris)
    disturbed = network(callbacks=[Trains()]).fit(*iris)
    for a, b in zip(
        plain.model_.get_weights(), disturbed.model_.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(a, b)


METRICS = ["accuracy", "sparse_categorical_accuracy"]
MONITORS = [
    "loss",
    "val_loss",
    "accuracy",
    "val_accuracy",
    "val_sparse_categorical_accuracy",
]


@pytest.mark.parametrize("monitor", MONITORS)
def test_early_stopping_finds_the_direction_of_a_metric(monitor, network, iris):
    stop = callbacks.EarlyStopping(monitor, patience=1, min_delta=10.0)
    net = network(
        callbacks=[stop], metrics=METRICS, validation_split=0.2, epochs=20
    ).fit(*iris)
    assert len(net.history_["loss"]) == 2  # no epoch is 10 better than the first
    assert (stop.monitor_op(1, 2)) == ("loss" in monitor)


@pytest.mark.parametrize("monitor", ["auc", "val_auc", "mine"])
def test_metrics_of_other_names_can_be_monitored(monitor, binary_network, binary):
    mine = keras.metrics.BinaryAccuracy(name="mine")
    plateau = callbacks.ReduceLROnPlateau(
        monitor, factor=0.5, patience=1, min_delta=10.0
    )
    order = np.random.default_rng(0).permutation(100)
    net = binary_network(
        callbacks=[plateau], metrics=["AUC", mine], validation_split=0.2, epochs=3
    ).fit(binary[0][order], binary[1][order])
    rates = net.history_["learning_rate"]
    assert rates == pytest.approx([0.02, 0.02, 0.01])


def test_the_best_epoch_by_accuracy_is_saved_and_restored(network, iris, tmp_path):
    path = str(tmp_path / "best.weights.h5")
    best = callbacks.ModelCheckpoint(
        path, "val_accuracy", save_best_only=True, save_weights_only=True
    )
    stop = callbacks.EarlyStopping(
        "val_accuracy", patience=8, restore_best_weights=True
    )
    order = np.random.default_rng(0).permutation(150)
    net = network(
        callbacks=[best, stop], metrics=["accuracy"], validation_split=0.3, epochs=25
    ).fit(iris[0][order], iris[1][order])
    top = max(net.history_["val_accuracy"])
    held = iris[0][order][105:], iris[1][order][105:]
    net.model_.load_weights(path)
    assert net.score(*held) == pytest.approx(top)


def test_a_backup_continues_where_training_was_interrupted(network, iris, tmp_path):
    class Interrupt(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise RuntimeError("interrupted")

    backup = callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(RuntimeError, match="interrupted"):
        network(epochs=5, callbacks=[backup, Interrupt()]).fit(*iris)
    net = network(epochs=5, callbacks=[backup]).fit(*iris)
    assert len(net.history_["loss"]) == 3


@pytest.mark.parametrize("fitted", [False, True])
def test_an_interrupt_is_raised_and_leaves_the_estimator(fitted, network, iris):
    class Interrupt(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    net = network()
    if fitted:
        net.fit(*iris)
    net.set_params(callbacks=[Interrupt()])
    before = vars(net).copy()
    with pytest.raises(KeyboardInterrupt):
        net.fit(*iris)
    assert vars(net).keys() == before.keys()
    assert all(vars(net)[name] is before[name] for name in before)
