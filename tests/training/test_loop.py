"""How training ends: by an interrupt of the user, or with numbers that overflow."""

import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier

from skdnn import DNNClassifier
from skdnn._estimator import recipe_training
from skdnn._training import lbfgs
from skdnn._training.stacks import Rounds
from skdnn.model_selection import GridSearchCV


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
