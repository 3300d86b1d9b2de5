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
    """Records its calls on the class: callbacks are copied."""

    calls: list = []  # noqa: RUF012

    def on_train_begin(self, logs=None):
        type(self).calls = ["begin"]

    def on_epoch_begin(self, epoch, logs=None):
        type(self).calls.append(epoch)

    def on_epoch_end(self, epoch, logs=None):
        type(self).calls.append(dict(logs))

    def on_train_end(self, logs=None):
        type(self).calls.append("end")


def test_are_notified_of_every_epoch(iris):
    fitted = network(callbacks=Diary(), validation_fraction=0.2, max_iter=3).fit(*iris)
    begin, *epochs, end = Diary.calls
    assert (begin, end) == ("begin", "end")
    assert epochs[::2] == [0, 1, 2]
    for logs, row in zip(epochs[1::2], fitted.history_.to_dict("records"), strict=True):
        row.pop("seconds")
        assert logs == row


def test_a_callback_that_does_nothing_changes_nothing(iris):
    plain = network().fit(*iris)
    observed = network(callbacks=[Diary()]).fit(*iris)
    np.testing.assert_array_equal(plain.coefs_[0], observed.coefs_[0])
    assert plain.loss_curve_ == observed.loss_curve_


def test_are_copied(iris):
    callback = keras.callbacks.EarlyStopping(monitor="loss", patience=1)
    before = dict(vars(callback))
    estimator = network(callbacks=[callback]).fit(*iris)
    assert estimator.callbacks == [callback]
    assert vars(callback) == before
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


def test_that_need_batches_train_by_model_fit(iris):
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


@pytest.mark.parametrize("monitor", ["loss", "val_loss", "accuracy", "val_accuracy"])
@pytest.mark.parametrize("labels", ["classes", "two classes", "indicators"])
def test_early_stopping_finds_the_direction_of_a_metric(labels, monitor, iris):
    X, y = iris
    if labels == "two classes":
        X, y = X[y < 2], y[y < 2]
    elif labels == "indicators":
        y = (X[:, [0, 2, 3]] > 0.5).astype(int)
    stop = keras.callbacks.EarlyStopping(monitor, patience=1, min_delta=10.0)
    fitted = network(callbacks=[stop], validation_fraction=0.2).fit(X, y)
    assert fitted.n_iter_ == 2  # no epoch is 10 better than the first


def test_the_rate_falls_once_accuracy_stalls(iris):
    plateau = keras.callbacks.ReduceLROnPlateau(
        "val_accuracy", factor=0.5, patience=1, min_delta=10.0
    )
    fitted = network(callbacks=[plateau], validation_fraction=0.2, max_iter=3).fit(
        *iris
    )
    rates = fitted.history_["learning_rate"].tolist()
    assert rates == [2.0**-6, 2.0**-6, 2.0**-7]


def test_checkpoints_of_epochs_are_compiled(iris, tmp_path):
    path = str(tmp_path / "{epoch}.keras")
    checkpoint = keras.callbacks.ModelCheckpoint(path, "val_accuracy")
    assert not need_batches([checkpoint])
    assert need_batches([keras.callbacks.ModelCheckpoint(path, save_freq=10)])
    plain = network(max_iter=3, validation_fraction=0.2).fit(*iris)
    saved = network(max_iter=3, validation_fraction=0.2, callbacks=[checkpoint]).fit(
        *iris
    )
    np.testing.assert_array_equal(plain.coefs_[0], saved.coefs_[0])
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "1.keras",
        "2.keras",
        "3.keras",
    ]


def test_the_best_weights_are_kept_beside_callbacks(iris):
    settings = {
        "early_stopping": True,
        "learning_rate_init": 0.5,
        "n_iter_no_change": 3,
        "max_iter": 40,
    }
    plain = network(**settings).fit(*iris)
    observed = network(callbacks=[Diary()], **settings).fit(*iris)
    assert plain.history_["val_loss"].idxmin() < plain.n_iter_ - 1
    for a, b in zip(plain.coefs_, observed.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16"])
def test_a_global_dtype_policy_changes_nothing(policy, dtype, iris):
    X, y = iris[0].astype(dtype), iris[1]
    stop = keras.callbacks.EarlyStopping("accuracy", patience=20)
    settings = {"batch_norm": True, "dropout": 0.1}
    expected = [
        network(callbacks=callbacks, **settings).fit(X, y).predict_proba(X)
        for callbacks in (None, [stop], [Batches()])
    ]
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        for callbacks, proba in zip((None, [stop], [Batches()]), expected, strict=True):
            fitted_net = network(callbacks=callbacks, **settings).fit(X, y)
            assert fitted_net.predict_proba(X).dtype == dtype
            np.testing.assert_array_equal(fitted_net.predict_proba(X), proba)
    finally:
        keras.config.set_dtype_policy(before)
