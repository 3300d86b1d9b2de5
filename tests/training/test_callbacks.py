import keras
import numpy as np
import pytest

from skdnn import DNNClassifier
from skdnn._training.callbacks import need_batches


def network(**parameters):
    settings = {
        "learning_rate_init": 2.0**-6,
        "max_iter": 12,
        "n_iter_no_change": np.inf,
        "batch_size": 32,
        "random_state": 0,
    }
    return DNNClassifier((16,), **settings | parameters)


class Diary(keras.callbacks.Callback):
    """Keeps what it is told, outside of itself: callbacks are copied."""

    told: list = []  # noqa: RUF012

    def on_train_begin(self, logs=None):
        type(self).told = ["begin"]

    def on_epoch_begin(self, epoch, logs=None):
        type(self).told.append(epoch)

    def on_epoch_end(self, epoch, logs=None):
        type(self).told.append(dict(logs))

    def on_train_end(self, logs=None):
        type(self).told.append("end")


def test_are_told_of_every_epoch(iris):
    fitted = network(callbacks=Diary(), validation_fraction=0.2, max_iter=3).fit(*iris)
    begin, *epochs, end = Diary.told
    assert (begin, end) == ("begin", "end")
    assert epochs[::2] == [0, 1, 2]
    for logs, row in zip(epochs[1::2], fitted.history_.to_dict("records"), strict=True):
        row.pop("seconds")
        assert logs == row


def test_a_callback_that_does_nothing_changes_nothing(iris):
    plain = network().fit(*iris)
    watched = network(callbacks=[Diary()]).fit(*iris)
    np.testing.assert_array_equal(plain.coefs_[0], watched.coefs_[0])
    assert plain.loss_curve_ == watched.loss_curve_


def test_are_copied(iris):
    callback = keras.callbacks.EarlyStopping(monitor="loss", patience=1)
    estimator = network(callbacks=[callback]).fit(*iris)
    assert estimator.callbacks == [callback]
    assert not hasattr(callback, "best_weights") or callback.best_weights is None
    first = estimator.n_iter_
    assert estimator.fit(*iris).n_iter_ == first


def test_can_end_training_and_restore_weights(iris):
    X, y = iris
    stop = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=0, min_delta=10, restore_best_weights=True
    )
    fitted = network(callbacks=[stop]).fit(X, y, X_val=X, y_val=y)
    assert fitted.n_iter_ == 2  # the second epoch is not 10 better than the first
    proba = fitted.predict_proba(X)[np.arange(150), y]
    assert -np.log(proba).mean() == pytest.approx(fitted.history_["val_loss"][0])


def test_can_set_the_rate(iris):
    schedule = keras.callbacks.LearningRateScheduler(
        lambda epoch, rate: 2.0 ** -(epoch + 6)
    )
    rates = (
        network(callbacks=[schedule], max_iter=4).fit(*iris).history_["learning_rate"]
    )
    assert rates.tolist() == [2.0**-6, 2.0**-7, 2.0**-8, 2.0**-9]
    plateau = keras.callbacks.ReduceLROnPlateau(
        monitor="loss", factor=0.5, patience=1, min_delta=10
    )
    rates = (
        network(callbacks=[plateau], max_iter=4).fit(*iris).history_["learning_rate"]
    )
    assert rates.is_monotonic_decreasing
    assert rates.iloc[-1] < rates.iloc[0]


def test_can_keep_the_model(iris, tmp_path):
    X, y = iris
    file = tmp_path / "best.keras"
    keep = keras.callbacks.ModelCheckpoint(file, monitor="loss", save_best_only=True)
    fitted = network(callbacks=[keep], max_iter=4).fit(X, y)
    model = keras.saving.load_model(file)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(model(X)), fitted.predict_proba(X), atol=1e-6
    )


class Batches(keras.callbacks.Callback):
    count = 0

    def on_train_batch_end(self, batch, logs=None):
        type(self).count += 1


def test_that_ask_for_batches_take_the_slow_twin(iris):
    assert need_batches([Batches()])
    assert need_batches([keras.callbacks.TerminateOnNaN()])
    assert not need_batches([Diary(), keras.callbacks.EarlyStopping()])
    Batches.count = 0
    slow = network(callbacks=[Batches()], max_iter=3).fit(*iris)
    assert Batches.count == 3 * 5
    fast = network(max_iter=3).fit(*iris)
    np.testing.assert_allclose(slow.coefs_[0], fast.coefs_[0], atol=1e-9)


def test_can_end_training_within_an_epoch(iris):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    assert network(callbacks=[Stop()]).fit(*iris).n_iter_ == 1


def test_what_is_no_callback(iris):
    with pytest.raises(ValueError, match=r"must hold instances of keras.*Got 3"):
        network(callbacks=[3]).fit(*iris)
