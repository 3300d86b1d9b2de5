"""Networks and the process they run in: output, seeds, threads, memory, forks."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from skdnn import DNNClassifier
from skdnn._runtime.caches import clear_caches
from skdnn.exceptions import ForkError


def network(**parameters):
    settings = {
        "learning_rate_init": 0.02,
        "max_iter": 20,
        "n_iter_no_change": np.inf,
        "batch_size": 32,
        "random_state": 0,
    }
    return DNNClassifier((16,), **settings | parameters)


def run(code, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return done


TRAIN = """
import sys
import numpy as np
from skdnn import DNNClassifier
rng = np.random.default_rng(0)
for dtype in ("float32", "float64"):
    X = rng.normal(size=(2000, 20)).astype(dtype)
    y = X[:, 0] + X[:, 1] > 0
    net = DNNClassifier((64, 64), dropout=0.2, batch_size=256, max_iter=3,
                        n_iter_no_change=np.inf, random_state=0).fit(X, y)
    net.predict(X)
    np.save(f"{sys.argv[1]}/{dtype}.npy", net.coefs_[0])
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return what processes with one and two threads wrote, and where weights are."""
    results = []
    for n in ("1", "2"):
        folder = tmp_path_factory.mktemp("threads")
        done = run(TRAIN, folder, TF_NUM_INTRAOP_THREADS=n, TF_NUM_INTEROP_THREADS=n)
        results.append((done, folder))
    return results


@pytest.mark.slow
def test_training_writes_nothing(trained):
    for done, _ in trained:
        assert done.stdout == done.stderr == ""


def test_predicting_needs_no_keras(iris, tmp_path):
    fitted = network().fit(*iris)
    file = tmp_path / "net.pickle"
    file.write_bytes(pickle.dumps((fitted, iris[0])))
    code = f"""
import pickle, sys
sys.modules["keras"] = sys.modules["tensorflow"] = None
with open({str(file)!r}, "rb") as f:
    net, X = pickle.load(f)
print(net.predict_proba(X).tobytes().hex())
"""
    assert run(code).stdout.strip() == fitted.predict_proba(iris[0]).tobytes().hex()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_bits_on_any_number_of_threads(dtype, trained):
    one, two = (np.load(folder / f"{dtype}.npy") for _, folder in trained)
    assert one.dtype == dtype
    np.testing.assert_array_equal(one, two)


def test_same_bits_whatever_ran_before(iris, cancer):
    first = network(dropout=0.3).fit(*iris).coefs_
    network(dropout=0.1, random_state=7).fit(*cancer)
    network(dropout=0.5, solver="sgd").fit(*iris)
    again = network(dropout=0.3).fit(*iris).coefs_
    clear_caches()
    from_scratch = network(dropout=0.3).fit(*iris).coefs_
    for a, b, c in zip(first, again, from_scratch, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    other = network(dropout=0.3, random_state=1).fit(*iris).coefs_
    assert not np.array_equal(first[0], other[0])


def test_dropout_is_drawn_again_when_training_resumes(iris, monkeypatch):
    from skdnn._estimator import network_training

    seeds = []
    train_stack = network_training.train_stack

    def recording(tasks):
        seeds.extend(task.dropout_seed for task in tasks)
        return train_stack(tasks)

    monkeypatch.setattr(network_training, "train_stack", recording)
    net = network(dropout=0.5)
    for _ in range(4):
        net.partial_fit(*iris, classes=[0, 1, 2])
    assert len(set(seeds)) == 4


def test_global_seeds_are_unchanged(iris):
    keras.utils.set_random_seed(5)
    expected = np.array(keras.random.normal((3,)))
    keras.utils.set_random_seed(5)
    state = np.random.get_state()[1].copy()
    network(dropout=0.2).fit(*iris)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    np.testing.assert_array_equal(np.array(keras.random.normal((3,))), expected)


def test_without_a_seed_the_one_of_numpy_counts_as_in_scikit_learn(iris):
    results = []
    for seed in (0, 0, 1):
        np.random.seed(seed)
        results.append(network(random_state=None).fit(*iris).coefs_[0])
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_random_state_instances_advance(iris):
    state = np.random.RandomState(3)
    first = network(random_state=state).fit(*iris).coefs_[0]
    second = network(random_state=state).fit(*iris).coefs_[0]
    assert not np.array_equal(first, second)
    again = network(random_state=np.random.RandomState(3)).fit(*iris).coefs_[0]
    np.testing.assert_array_equal(first, again)


def test_fits_in_threads(iris, cancer):
    jobs = [
        (network(random_state=i % 3), data) for i in range(6) for data in (iris, cancer)
    ]
    alone = [net.fit(*data).coefs_[0].copy() for net, data in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda job: job[0].fit(*job[1]).coefs_[0], jobs))
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


# A process that has imported Keras, and used nothing of it, runs each scenario in a
# child of its own: the import takes longer than what is tested.
SCENARIOS = """
import os, signal, sys, traceback, warnings
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_iris
from skdnn import DNNClassifier
from skdnn._training.program import programs
from skdnn.exceptions import ForkError
warnings.simplefilter("ignore")
X, y = load_iris(return_X_y=True)

def exit_code(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def forked(work):
    \"""Return the exit code of a child that does some work.\"""
    child = os.fork()
    if child:
        return exit_code(child)
    signal.alarm(100)
    try:
        os._exit(work())
    except BaseException:
        traceback.print_exc()
        os._exit(1)

def fit_in_child():
    try:
        DNNClassifier((8,), max_iter=2).fit(X, y)
    except ForkError as error:
        return 7 if f"forked from {os.getppid()}" in str(error) else 1
    return 2

def only_imported():
    return forked(fit_in_child)

def keras_was_used():
    keras.ops.zeros(3) + 1
    return forked(fit_in_child)

def tensorflow_was_used():
    tf.constant(1)
    return forked(fit_in_child)

def network_was_trained():
    net = DNNClassifier((8,), max_iter=2, random_state=0).fit(X, y)
    def predict_and_fit():
        try:
            net.predict(X)
            net.fit(X, y)
        except ForkError as error:
            return 7 if "loky" in str(error) else 1
        return 2
    return forked(predict_and_fit)

def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

def many_fits():
    def fit(i):
        net = DNNClassifier(
            (64, 64), learning_rate_init=0.001 * (i + 1), dropout=0.01 * i + 0.1,
            alpha=0.1 / (i + 1), max_iter=3, n_iter_no_change=np.inf, random_state=i,
        )
        net.fit(X / 8, y).predict_proba(X)
    for i in range(5):
        fit(i)
    before = resident()
    for i in range(40):
        fit(i)
    print("growth", resident() - before, programs.n_made, flush=True)
    return 0

for scenario in (only_imported, keras_was_used, tensorflow_was_used,
                 network_was_trained, many_fits):
    print(scenario.__name__, forked(scenario), flush=True)
"""


@pytest.fixture(scope="module")
def scenarios():
    """Return the exit code of each scenario, and the figures of many fits."""
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork here")
    lines = [line.split() for line in run(SCENARIOS).stdout.splitlines()]
    return {name: [float(value) for value in values] for name, *values in lines}


@pytest.mark.slow
def test_memory_stays_flat_and_nothing_is_compiled_again(scenarios):
    growth, compiled = scenarios["growth"]
    assert growth < 15
    assert compiled == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("only_imported", 2),  # which trains
        ("keras_was_used", 7),
        ("tensorflow_was_used", 7),
        ("network_was_trained", 7),  # and predicts
    ],
)
def test_a_forked_child_gets_an_error_where_keras_was_used(
    scenario, expected, scenarios
):
    assert scenarios[scenario] == [expected]
    assert issubclass(ForkError, RuntimeError)
