"""Silent faults of scikeras 0.13 are fixed here."""

import gc
import os
import pickle
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    check_cv,
    cross_val_score,
)

import skdnn
from skdnn._keras_wrapper.building import build_again


def test_is_a_classifier_and_folds_are_stratified(network, iris):
    assert is_classifier(network())
    cv = check_cv(3, iris[1], classifier=is_classifier(network()))
    assert isinstance(cv, StratifiedKFold)
    scores = cross_val_score(network(epochs=20), *iris, cv=3)
    assert scores.min() > 0.8  # [0, 0, 0] where folds are single classes


def test_votes_and_stacks(network, iris):
    X, y = iris
    members = [("net", network(epochs=20)), ("line", LogisticRegression())]
    assert VotingClassifier(members, voting="soft").fit(X, y).score(X, y) > 0.9
    assert StackingClassifier(members, cv=2).fit(X, y).score(X, y) > 0.9


def test_names_of_columns_are_kept_and_compared(network, iris_frame):
    X, y = iris_frame
    net = network().fit(X, y)
    np.testing.assert_array_equal(net.feature_names_in_, X.columns)
    assert net.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    with pytest.raises(ValueError, match="feature names should match"):
        net.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match=r"has 3 features.*expecting 4 features"):
        network().fit(X.to_numpy(), y).predict(X.to_numpy()[:, :3])


def test_weights_of_the_caller_are_unchanged(network, iris):
    X, y = iris
    weight, rows, labels = np.ones(150), X.copy(), y.copy()
    net = network(class_weight={0: 9, 1: 1, 2: 1})
    net.fit(X, y, sample_weight=weight)
    net.partial_fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(weight, np.ones(150))
    np.testing.assert_array_equal(X, rows)
    np.testing.assert_array_equal(y, labels)
    heavier = net.predict_proba(X)[:, 0].mean()
    assert heavier > network().fit(X, y).predict_proba(X)[:, 0].mean()


def test_random_state_instances_mean_their_own_seed_and_move_on(network, iris):
    def weights(state):
        return network(random_state=state, epochs=1).fit(*iris).model_.get_weights()[0]

    state = np.random.RandomState(3)
    first, second = weights(state), weights(state)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(weights(np.random.RandomState(3)), first)
    assert not np.array_equal(weights(np.random.RandomState(4)), first)
    np.testing.assert_array_equal(weights(0), weights(0))
    assert not np.array_equal(weights(0), weights(1))


def test_the_seed_is_that_of_the_first_weights_and_of_dropout(network, iris):
    def build(meta):
        dense = keras.layers.Dense(3, activation="softmax")
        return keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5), dense])

    def variables(seed):
        net = network(model=build, random_state=seed).initialize(*iris)
        return [variable.numpy() for variable in net.model_.variables]

    for a, b, c in zip(variables(0), variables(0), variables(1), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.ndim == 1 or not np.array_equal(a, c)  # a bias is zero
    assert not np.array_equal(variables(0)[0], variables(1)[0])


def test_no_seed_is_numpy_s_own_as_in_scikit_learn(network, iris):
    def proba(seed):
        np.random.seed(seed)
        return network(random_state=None, epochs=1).fit(*iris).predict_proba(iris[0])

    np.testing.assert_array_equal(proba(1), proba(1))
    assert not np.array_equal(proba(1), proba(2))


def test_global_seeds_are_restored(network, iris):
    import random

    import tensorflow as tf

    keras.utils.set_random_seed(5)
    expected = random.random(), np.random.rand(), float(keras.random.normal(()))
    expected += (float(tf.random.normal(())),)
    keras.utils.set_random_seed(5)
    network().fit(*iris)
    drawn = random.random(), np.random.rand(), float(keras.random.normal(()))
    assert (*drawn, float(tf.random.normal(()))) == expected


def test_determinism_is_unchanged(network, iris):
    import tensorflow as tf

    network().fit(*iris)
    assert "TF_DETERMINISTIC_OPS" not in os.environ
    tf.random.normal((2,))  # an error if it were on


def test_fits_in_threads_equal_sequential_fits(network, iris, digits):
    jobs = [
        (network(random_state=i), data) for i in range(3) for data in (iris, digits)
    ]

    def proba(job):
        net, (X, y) = job
        return clone(net).fit(X, y).predict_proba(X)

    alone = [proba(job) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(proba, jobs))
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_row_keeps_two_dimensions(network, binary_network, iris, binary):
    assert network().fit(*iris).predict_proba(iris[0][:1]).shape == (1, 3)
    net = binary_network().fit(*binary)
    assert net.predict_proba(binary[0][:1]).shape == (1, 2)
    assert net.predict(binary[0][:1]).shape == (1,)
    np.testing.assert_allclose(net.predict_proba(binary[0]).sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("fitted", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("other_dtype", [np.float32, np.float64, np.float16, np.int8])
def test_any_numbers_at_predict(fitted, other_dtype, network, digits):
    X, y = (digits[0] * 16).astype(fitted), digits[1]
    net = network(epochs=1).fit(X, y)
    expected = net.predict_proba(X)
    np.testing.assert_allclose(
        net.predict_proba(X.astype(other_dtype)), expected, rtol=1e-5
    )


def test_one_class_is_refused(network, iris):
    with pytest.raises(ValueError, match=r"at least 2 classes. Got 1 class: .*n_sam"):
        network().fit(iris[0][:50], iris[1][:50])
    assert not hasattr(network(), "classes_")


def test_scoring_with_weights_takes_a_frame(network, iris_frame):
    X, y = iris_frame
    net = network(epochs=20).fit(X, y)
    weight = (y == "setosa").to_numpy(float)
    assert net.score(X, y, sample_weight=weight) == 1.0
    assert net.score(X, y.astype(str)) == net.score(X, y)


def test_an_optimizer_of_the_callers_is_copied(network, iris):
    optimizer = keras.optimizers.SGD(0.3)
    net = network(optimizer=optimizer, optimizer__learning_rate=None)
    for _ in range(2):  # scikeras's second fit: "Unknown variable"
        net.fit(*iris)
    assert net.optimizer is optimizer
    assert net.model_.optimizer is not optimizer
    assert not optimizer.built


def test_a_model_of_the_callers_is_copied(network, iris):
    X, y = iris
    given = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, activation="softmax")]
    )
    before = given.get_weights()
    net = network(model=given).fit(X, y)
    first = net.predict_proba(X)
    for a, b in zip(before, given.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(net.fit(X, y).predict_proba(X), first)
    ready = network(model=given).initialize(X, y)
    np.testing.assert_allclose(ready.predict_proba(X), given(X).numpy(), rtol=1e-5)


def test_training_starts_from_a_trained_model_of_the_callers(network, iris):
    X, y = iris
    given = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, activation="softmax")]
    )
    given.compile("adam", "sparse_categorical_crossentropy")
    given.fit(X, y, epochs=2, verbose=0)
    expected = given.predict(X, verbose=0)
    net = network(model=given, loss=None).initialize(X, y)
    np.testing.assert_allclose(net.predict_proba(X), expected, rtol=1e-5)
    net.fit(X, y)
    assert net.model_.optimizer.iterations == 2 * 5 + 3 * 5
    assert given.optimizer.iterations == 2 * 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_gets_an_error():
    code = """
import os
import numpy as np
import keras
from skdnn import KerasClassifier
from skdnn.exceptions import ForkError
X, y = np.eye(4), [0, 1, 0, 1]

def build():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "softmax")])

loss = "sparse_categorical_crossentropy"
net = KerasClassifier(build, loss=loss, verbose=0).fit(X, y)
child = os.fork()
if child == 0:
    caught = 0
    for ask in (lambda: net.fit(X, y), lambda: net.predict(X)):
        try:
            ask()
        except ForkError:
            caught += 1
    os._exit(caught)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "2", done.stderr


def test_warm_start_keeps_the_classes(network, iris):
    net = network(warm_start=True).fit(*iris)
    model = net.model_
    net.fit(*iris)
    assert net.classes_.tolist() == [0, 1, 2]
    assert net.model_ is model
    assert len(net.history_["loss"]) == 3


def test_an_error_leaves_the_estimator_unchanged(network, iris):
    X, y = iris
    net = network().fit(X, y)
    before = vars(net).copy()
    with pytest.raises(ValueError, match="NaN"):
        net.fit(np.full_like(X, np.nan), y)
    assert vars(net) == before
    unfitted = network()
    with pytest.raises(ValueError, match="inconsistent"):
        unfitted.fit(X, y[:-1])
    with pytest.raises(NotFittedError):
        unfitted.predict(X)


def test_importing_changes_nothing_in_keras():
    code = """
import sys
import skdnn
assert not {"keras", "tensorflow", "scikeras"} & set(sys.modules)
assert "KerasClassifier" in dir(skdnn) and "KerasClassifier" in skdnn.__all__
assert not {"keras", "tensorflow", "scikeras"} & set(sys.modules)
import keras
owners = keras.Model, keras.losses.Loss, keras.metrics.Metric
owners += (keras.optimizers.Optimizer,)
before = [(c.__reduce__, getattr(c, "__deepcopy__", None)) for c in owners]
from skdnn import KerasClassifier
assert "scikeras" in sys.modules
assert before == [(c.__reduce__, getattr(c, "__deepcopy__", None)) for c in owners]
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with pytest.raises(AttributeError, match="no attribute 'KerasClasifier'"):
        _ = skdnn.KerasClasifier


def test_pickles_and_continues(network, iris):
    X, y = iris
    net = network(model__units=4).fit(X, y)
    other = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(other.predict_proba(X), net.predict_proba(X))
    a, b = net.partial_fit(X, y), other.partial_fit(X, y)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), rtol=1e-6)


def test_clone_and_fit_leave_parameters_unchanged(network, iris):
    net = network(callbacks=[keras.callbacks.EarlyStopping("loss")], model__units=4)
    before = net.get_params()
    net.fit(*iris)
    assert net.get_params() == before
    assert clone(net).get_params().keys() == before.keys()
    assert clone(net).model__units == 4
    assert repr(network(model__units=4)).startswith("KerasClassifier(epochs=3, loss=")


def test_a_grid_over_routed_parameters(network, iris):
    grid = {
        "model__units": [2, 16],
        "optimizer__learning_rate": [1e-4, 0.05],
        "batch_size": [32, -1],
    }
    search = GridSearchCV(network(epochs=10), grid, cv=2).fit(*iris)
    assert search.best_params_["optimizer__learning_rate"] == 0.05
    assert search.score(*iris) > 0.8


@pytest.mark.slow
def test_workers_give_the_same_scores(network, iris):
    frames = [
        pd.DataFrame(
            GridSearchCV(network(), {"model__units": [4, 8]}, cv=2, n_jobs=n)
            .fit(*iris)
            .cv_results_
        )["mean_test_score"]
        for n in (1, 2)
    ]
    pd.testing.assert_series_equal(*frames)


def test_names_of_the_process_are_restored(network, iris):
    network().fit(*iris)
    one = keras.layers.Dense(1).name
    for _ in range(3):
        network().fit(*iris)
    two = keras.layers.Dense(1).name
    assert int(two.rpartition("_")[2]) == int(one.rpartition("_")[2]) + 1


def test_layers_made_outside_the_builder_keep_their_names(network, iris):
    outside = {}

    def build(meta):
        base = outside["base"]
        out = keras.layers.Dense(3, activation="softmax")(base.outputs[0])
        return keras.Model(base.inputs[0], out)

    for _ in range(3):
        outside["base"] = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8)])
        assert network(model=build).fit(*iris).score(*iris) > 0.3


def test_a_builder_whose_names_are_taken_is_called_again():
    names = []

    def build():
        names.append(keras.layers.Dense(1).name)
        if len(names) == 2:
            raise ValueError("All layer names should be unique")
        return names[-1]

    assert build_again(build, build) == names[0]
    assert build_again(build, build) == names[2]
    assert names[1] == names[0] != names[2]
    assert build_again(build, build) == names[0]


@pytest.mark.parametrize("activation", ["relu", lambda x: -x])
def test_what_is_compiled_keeps_no_network_alive(activation, network, iris):
    def build(meta):
        dense = keras.layers.Dense(8, activation=activation)
        return keras.Sequential([keras.Input((4,)), dense, keras.layers.Dense(3)])

    net = network(model=build, loss__from_logits=True).fit(*iris)
    net.predict(iris[0])
    model = weakref.ref(net.model_)
    del net
    gc.collect()
    assert model() is None


@pytest.mark.slow
def test_memory_stays_flat_and_nothing_is_compiled_again():
    code = """
import os, warnings
warnings.simplefilter("ignore")
import keras
from sklearn.datasets import load_iris
from skdnn import KerasClassifier
from skdnn._keras_wrapper.prediction import functions
from skdnn._training.program import programs

def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

X, y = load_iris(return_X_y=True)
layers = keras.layers

def build(meta):
    return keras.Sequential([
        keras.Input((4,)), layers.Dense(64, activation="relu"), layers.Dropout(0.1),
        layers.Dense(64, activation="relu"), layers.Dense(3, activation="softmax"),
    ])

def fit(i):
    net = KerasClassifier(
        build, loss="sparse_categorical_crossentropy", optimizer="adam",
        optimizer__learning_rate=0.001 * (i + 1), metrics=["accuracy"], epochs=3,
        verbose=0, random_state=i,
    )
    net.fit(X, y).predict_proba(X)

for i in range(5):
    fit(i)
before = resident()
for i in range(40):
    fit(i)
print(resident() - before, len(programs), len(functions))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    growth, programs, forwards = done.stdout.split()
    assert float(growth) < 15
    assert programs == forwards == "1"
