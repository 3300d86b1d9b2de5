"""Epochs one after the other: rates, stopping, and how training ends."""

import subprocess
import sys
import time
import warnings
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier
from tasks import training_task

from skdnn import DNNClassifier
from skdnn._estimator import recipe_training
from skdnn._network.spec import Hidden
from skdnn._runtime import keras_backend
from skdnn._training import lbfgs, loop
from skdnn._training.nested_rows import NestedRows
from skdnn._training.recording import NotRecordableError
from skdnn._training.stacks import Rounds
from skdnn._training.task import ModelTask, Rate, Stopping
from skdnn.model_selection import GridSearchCV


def task(rate=0.05, n_epochs=8, *, validated=False, **stopping):
    """Return the task of one layer; `rate` may be a `Rate`."""
    made = training_task("float64", (Hidden(8, "relu"),))
    return replace(
        made,
        validation=made.validation if validated else None,
        rate=rate if isinstance(rate, Rate) else Rate(rate),
        stopping=Stopping(max_iter=n_epochs, **stopping),
    )


def rates_of(result):
    return [record["learning_rate"] for record in result.history]


def assert_equal_weights(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_a_rate_is_divided_whenever_training_stalls():
    adaptive = Rate(0.5, "adaptive")
    # no epoch but the first is 10 better than the best before
    result = loop.train(task(adaptive, 12, tol=10.0, patience=2))
    expected = [0.5] * 4 + [0.1] * 3 + [0.02] * 3 + [0.004] * 2
    np.testing.assert_allclose(rates_of(result), expected)
    assert not result.stopped
    least = loop.train(task(Rate(2e-6, "adaptive"), 12, tol=10.0, patience=2))
    np.testing.assert_allclose(rates_of(least), [2e-6] * 4 + [4e-7] * 3)
    assert least.stopped


@pytest.mark.parametrize("validated", [False, True])
def test_training_that_stalls_ends_if_the_rate_is_constant(validated):
    result = loop.train(task(0.5, 12, validated=validated, tol=10.0, patience=2))
    assert rates_of(result) == [0.5] * 4
    assert result.stopped
    assert result.rows_trained == 4 * 75


def test_a_rate_is_scaled_by_the_rows_of_all_fits():
    made = task(Rate(0.5, "invscaling", 0.3), 4)
    result = loop.train(replace(made, rows_trained=100))
    rows = 100 + 75 * np.arange(1, 4)
    np.testing.assert_allclose(rates_of(result), [0.5, *0.5 / (rows + 1) ** 0.3])
    assert result.rows_trained == 100 + 4 * 75


@pytest.mark.parametrize("early", [False, True])
def test_early_stopping_alone_restores_the_weights_of_the_best_epoch(early):
    settings = {"validated": True, "early": early}
    training, weights = loop.Training(task(1.0, **settings)), []
    for n_epochs in range(1, 9):
        training.run(n_epochs=1)
        assert training.n_epochs == n_epochs
        weights.append(training.weights())
    best, best_trained = (
        np.argmin([record[name] for record in training.history])
        for name in ("val_loss", "loss")
    )
    assert len({0, best, best_trained, 7}) == 4
    expected = weights[best if early else 7]
    assert_equal_weights(training.result().weights, expected)
    assert_equal_weights(loop.train(task(1.0, **settings)).weights, expected)


@pytest.mark.parametrize(("validated", "n_calls"), [(False, 1), (True, 8)])
def test_epochs_without_anything_between_them_are_one_call(validated, n_calls):
    calls = []
    result = loop.train(task(validated=validated), 1, lambda: calls.append(0))
    assert (len(calls), len(result.history)) == (n_calls, 8)
    assert not result.interrupted
    assert not result.stopped


def test_who_wants_to_stop_interrupts_between_epochs():
    epochs = []
    made = replace(task(validated=True), on_epoch=epochs.append)
    result = loop.train(made, 1, lambda: len(epochs) == 3)
    assert result.interrupted
    assert result.history == epochs
    whole = loop.train(task(n_epochs=3, validated=True))
    assert_equal_weights(result.weights, whole.weights)
    with pytest.raises(KeyboardInterrupt):  # no epoch has a network to return
        loop.train(task(), 1, lambda: True)


@pytest.mark.parametrize("rate", [Rate(2.0), Rate(2.0, "invscaling", 0.1)])
@pytest.mark.parametrize("early", [False, True])
def test_training_that_is_restored_ends_as_the_whole(rate, early):
    settings = {"validated": early, "early": early, "tol": 0.05, "patience": 3}
    whole = loop.train(task(rate, **settings))
    for n_epochs in (1, 3):
        first, records = loop.Training(task(rate, **settings)), []
        first.run(n_epochs=n_epochs)
        made = replace(task(rate, **settings), on_epoch=records.append)
        second = loop.Training(made)
        second.restore(first.state())
        second.run()
        result = second.result()
        assert [record["loss"] for record in records] == [
            record["loss"] for record in whole.history
        ]
        assert rates_of(result) == rates_of(whole)
        assert result.rows_trained == whole.rows_trained
        assert result.stopped == whole.stopped
        assert not result.interrupted
        assert_equal_weights(result.weights, whole.weights)
        assert_equal_weights(result.optimizer_state, whole.optimizer_state)


@pytest.mark.parametrize("validated", [False, True])
def test_seconds_of_all_epochs_are_those_of_training(validated):
    loop.train(task(validated=validated))  # compiles
    started = time.perf_counter()
    result = loop.train(task(validated=validated))
    passed = time.perf_counter() - started
    seconds = sum(record["seconds"] for record in result.history)
    assert passed / 20 < seconds < passed


def test_weights_that_overflow_on_a_few_training_rows_are_refused():
    made = task()
    infinite = [np.full_like(array, np.inf) for array in made.weights]
    loop.require_finite_weights(made, made.weights)
    with pytest.raises(ValueError, match="must keep"):
        loop.require_finite_weights(made, infinite)


@pytest.mark.parametrize(("n_devices", "expected"), [(2, True), (1, False)])
def test_a_model_is_distributed_over_several_devices(n_devices, expected):
    strategy = SimpleNamespace(num_replicas_in_sync=n_devices)
    model = SimpleNamespace(distribute_strategy=strategy)
    assert loop.is_distributed(model) is expected
    assert not loop.is_distributed(SimpleNamespace(distribute_strategy=None))
    assert not loop.is_distributed(SimpleNamespace())


class Diary(keras.callbacks.Callback):
    """Records its calls, and whether all variables existed when training began."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append(self.model.built and self.model.optimizer.built)

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(epoch)


class AtBatches(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


def model_task(*, built=True, optimizer="sgd", compiled=None, **settings):
    """Return the task of a compiled model of one layer; nothing is drawn for it."""
    start = [keras.Input((4,))] if built else []
    layer = keras.layers.Dense(3, "softmax", kernel_initializer="ones")
    model = keras.Sequential([*start, layer])
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, metrics=["accuracy"], **compiled or {})
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 4)).astype("float32"), rng.integers(0, 3, 40)
    settings = {"batch_size": 16, "epochs": 3, "verbose": 0} | settings
    return ModelTask(model, NestedRows(X, y), settings.pop("rows", None), 7, **settings)


@pytest.fixture
def by_keras(monkeypatch):
    """Return the tasks that `Model.fit` is to train; they are trained as well."""
    tasks, fit = [], loop.fit_by_keras
    monkeypatch.setattr(loop, "fit_by_keras", lambda t: tasks.append(t) or fit(t))
    return tasks


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("validated", [True, False])
@pytest.mark.parametrize("observed", [True, False])
def test_a_compiled_model_trains_as_by_model_fit(
    built, validated, observed, by_keras, monkeypatch
):
    def trained():
        rows = model_task().table.take(slice(0, 20)) if validated else None
        diary = Diary()
        made = model_task(
            built=built,
            rows=rows,
            first_epoch=2,
            epochs=5,
            callbacks=[diary] * observed,
        )
        history = loop.train_model(made)
        return made.model.get_weights(), history.history, diary.calls

    weights, figures, calls = trained()
    assert not by_keras
    monkeypatch.setattr(loop, "can_compile", lambda task: False)
    expected, of_keras, of_fit = trained()
    assert len(by_keras) == 1
    for a, b in zip(weights, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert len(figures["loss"]) == 3
    assert figures.keys() == of_keras.keys()
    for name, values in of_keras.items():
        np.testing.assert_allclose(figures[name], values, rtol=1e-5)
    assert calls == ([True, 2, 2, 3, 3, 4, 4] if observed else [])
    assert calls[1:] == of_fit[1:]  # which builds later


@pytest.mark.parametrize("built", [True, False])
def test_direction_of_a_metric_is_known_before_the_first_epoch(built, by_keras):
    stop = keras.callbacks.EarlyStopping("accuracy", patience=1, min_delta=10.0)
    history = loop.train_model(model_task(built=built, callbacks=[stop]))
    assert len(history.history["loss"]) == 2
    assert not by_keras


def nested(rows):
    return NestedRows([rows.X, rows.X], rows.y)


@pytest.mark.parametrize("place", ["table", "rows"])
def test_several_inputs_are_left_to_model_fit(place, monkeypatch):
    made, calls = model_task(), []
    monkeypatch.setattr(loop, "fit_by_keras", calls.append)
    place = "validation" if place == "rows" else place
    made = replace(made, **{place: nested(made.table)})
    loop.train_model(made)
    assert calls == [made]


def test_a_step_that_cannot_be_recorded_is_left_to_model_fit(by_keras, monkeypatch):
    def refuse(task):
        raise NotRecordableError

    monkeypatch.setattr(loop, "ModelEpochs", refuse)
    made = model_task()
    assert len(loop.train_model(made).history["loss"]) == 3
    assert by_keras == [made]


def test_what_compiled_epochs_serve(monkeypatch):
    assert loop.can_compile(model_task())
    assert loop.can_compile(model_task(callbacks=[Diary()]))
    nadam = keras.optimizers.Nadam
    assert loop.can_compile(model_task(optimizer=nadam()))
    scaled = keras.optimizers.LossScaleOptimizer
    own_step = model_task()
    own_step.model.train_step = lambda data: {}
    spread = model_task()
    # private: the strategy of a process with two devices
    spread.model._distribute_strategy = SimpleNamespace(num_replicas_in_sync=2)
    for made in (
        model_task(compiled={"run_eagerly": True}),
        model_task(other={"validation_freq": 2}),
        model_task(optimizer=scaled(nadam())),
        model_task(callbacks=[AtBatches()]),
        own_step,
        spread,
    ):
        assert not loop.can_compile(made)
    for backend, expected in (("torch", True), ("jax", False)):
        monkeypatch.setattr(keras_backend, "backend", lambda name=backend: name)
        assert loop.can_compile(model_task()) is expected


@pytest.mark.parametrize(("backend", "seeds"), [("torch", [7]), ("tensorflow", [])])
def test_draws_of_torch_are_seeded(backend, seeds, monkeypatch):
    entered = []

    @contextmanager
    def seeded(seed):
        entered.append(seed)
        yield

    monkeypatch.setattr(keras_backend, "backend", lambda: backend)
    monkeypatch.setattr(loop, "seeded", seeded)
    monkeypatch.setattr(loop, "fit_by_keras", lambda task: list(entered))
    made = model_task(other={"validation_freq": 2})
    assert loop.train_model(made) == entered == seeds


def network(**parameters):
    settings = {"max_iter": 6, "n_iter_no_change": np.inf, "random_state": 0}
    settings |= {"learning_rate_init": 0.05, "batch_size": 30}
    return DNNClassifier((8,), **settings | parameters)


class Interrupt(keras.callbacks.Callback):
    """Interrupts after an epoch, as the user does."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def test_an_interrupt_keeps_the_network_and_is_raised(iris):
    net = network(callbacks=[Interrupt(2)])
    with pytest.raises(KeyboardInterrupt):
        net.fit(*iris)
    assert net.n_iter_ == len(net.history_) == 3
    assert "interrupted by the user" in net.summary()
    whole = network(max_iter=3, callbacks=[keras.callbacks.Callback()]).fit(*iris)
    expected = whole.predict_proba(iris[0])
    np.testing.assert_array_equal(net.predict_proba(iris[0]), expected)


@pytest.mark.parametrize("fitted", [False, True])
def test_an_interrupt_before_the_first_epoch_leaves_the_estimator(fitted, iris):
    class AtOnce(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            raise KeyboardInterrupt

    net = network()
    if fitted:
        net.fit(*iris)
    before = vars(net.set_params(callbacks=[AtOnce()])).copy()
    with pytest.raises(KeyboardInterrupt):
        net.fit(*iris)
    assert vars(net) == before


def test_an_interrupt_ends_an_ensemble_and_a_search(iris):
    net = network(callbacks=[Interrupt(2)])
    ensemble = clone(net).set_params(n_estimators=3)
    search = GridSearchCV(net, {"alpha": [0.1, 1]}, cv=2)
    for estimator in (ensemble, search):
        before = vars(estimator).copy()
        with pytest.raises(KeyboardInterrupt):
            estimator.fit(*iris)
        assert vars(estimator).keys() == before.keys()


def test_an_interrupt_leaves_lbfgs_and_the_recipe(iris, monkeypatch):
    def interrupted(calls, call):
        def count(*args):
            calls.append(args)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return call(*args)

        return count

    # neither takes callbacks, so that the interrupt comes from functions of theirs
    calls = ([], [])
    monkeypatch.setattr(lbfgs, "require_finite", interrupted(calls[0], lambda *_: None))
    monkeypatch.setattr(Rounds, "advance", interrupted(calls[1], Rounds.advance))
    monkeypatch.setattr(
        recipe_training, "_HELD_BYTES", 1
    )  # private: an epoch is a round
    for net in (network(solver="lbfgs"), DNNClassifier(max_iter=6, random_state=0)):
        before = vars(net).copy()
        with pytest.raises(KeyboardInterrupt):
            net.fit(*iris)
        assert vars(net).keys() == before.keys()
    assert [len(own) for own in calls] == [3, 3]


def test_the_signal_of_the_user_reaches_the_caller():
    code = """
import os, signal, threading, time
import numpy as np
from skdnn import DNNClassifier
X = np.random.default_rng(0).normal(size=(2000, 10))
y = X[:, 0] > 0
make = lambda n: DNNClassifier((16,), max_iter=n, n_iter_no_change=np.inf)
make(300).fit(X, y)  # compiles, with XLA as many steps do
net = make(10**6)
for seconds in (2, 10, 50):  # a loaded machine may take long to end an epoch
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        net.fit(X, y)
    except KeyboardInterrupt:
        if hasattr(net, "n_iter_"):
            break
print(net.n_iter_ > 1, np.isfinite(net.predict_proba(X)).all())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == ["True", "True"], done.stderr


DIVERGING = {
    "adam": {},
    "sgd": {"solver": "sgd"},
    "batch norm": {"solver": "sgd", "batch_norm": True},
    "early stopping": {"early_stopping": True, "batch_size": 135},
    "ensemble": {"n_estimators": 2},
}


# early stopping keeps the weights after the first epoch where those are finite
@pytest.mark.parametrize(
    ("case", "max_iter"),
    [*((case, 3) for case in DIVERGING), ("sgd", 1), ("adam", 1), ("ensemble", 1)],
)
def test_numbers_that_overflow_are_refused_as_by_mlp(case, max_iter, iris):
    settings = {"learning_rate_init": 1e300, "batch_size": 150, "max_iter": max_iter}
    net = network(**settings | DIVERGING[case])
    with pytest.raises(ValueError, match="Training must keep"):
        net.fit(*iris)
    assert not hasattr(net, "n_iter_")


def test_partial_fit_and_the_recipe_refuse_them_as_well(iris):
    X, y = iris
    settings = {"learning_rate_init": 1e300, "random_state": 0}
    with pytest.raises(ValueError, match="outputs after the last step"):
        network(**settings, batch_size=150).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="Training must keep the loss finite"):
        DNNClassifier(learning_rate_init=1e30, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="Training must keep"):
        network(solver="lbfgs").fit(X * 1e300, y)


def test_epochs_are_counted_as_by_mlp_where_training_resumes(iris):
    settings = {"hidden_layer_sizes": (8,), "max_iter": 4, "tol": 0.0, "alpha": 0.0}
    mlp = MLPClassifier(**settings, warm_start=True, n_iter_no_change=99)
    net = DNNClassifier(**settings, warm_start=True, n_iter_no_change=np.inf)
    for estimator in (mlp, net):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ConvergenceWarning
            estimator.fit(*iris).fit(*iris)
    assert net.n_iter_ == mlp.n_iter_ == 4
    assert len(net.history_) == 8
    for estimator in (mlp, net):
        estimator.partial_fit(*iris)
    assert net.n_iter_ == mlp.n_iter_ == 1
    assert len(net.history_) == 9
