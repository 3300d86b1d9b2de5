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


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return done


TRAIN = """
import numpy as np
from skdnn import DNNClassifier
rng = np.random.default_rng(0)
X = rng.normal(size=(2000, 20)).astype({dtype!r})
y = X[:, 0] + X[:, 1] > 0
net = DNNClassifier((64, 64), dropout=0.2, batch_size=256, max_iter=3,
                    n_iter_no_change=np.inf, random_state=0).fit(X, y)
"""


def test_training_writes_nothing():
    done = run(TRAIN.format(dtype="float32") + "net.predict(X)")
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
def test_same_bits_on_any_number_of_threads(dtype):
    code = TRAIN.format(dtype=dtype) + "print(net.coefs_[0].tobytes().hex())"
    one, two = (
        run(code, TF_NUM_INTRAOP_THREADS=n, TF_NUM_INTEROP_THREADS=n).stdout
        for n in ("1", "2")
    )
    assert one == two


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


@pytest.mark.slow
def test_memory_stays_flat_and_nothing_is_compiled_again():
    code = """
import os
import numpy as np
from sklearn.datasets import load_iris
from skdnn import DNNClassifier
from skdnn._training.program import programs

def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

X, y = load_iris(return_X_y=True)
def fit(i):
    net = DNNClassifier(
        (64, 64), learning_rate_init=0.001 * (i + 1), dropout=0.01 * i + 0.1,
        alpha=0.1 / (i + 1), max_iter=3, n_iter_no_change=np.inf, random_state=i,
    )
    net.fit(X / 8, y).predict_proba(X)
import warnings; warnings.simplefilter("ignore")
for i in range(5):
    fit(i)
before = resident()
for i in range(40):
    fit(i)
print(resident() - before, programs.n_made)
"""
    growth, compiled = run(code).stdout.split()
    assert float(growth) < 15
    assert int(compiled) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_child_gets_an_error_and_can_predict():
    code = """
import os, sys
import numpy as np
from sklearn.datasets import load_iris
from skdnn import DNNClassifier
from skdnn.exceptions import ForkError
import warnings; warnings.simplefilter("ignore")
X, y = load_iris(return_X_y=True)
net = DNNClassifier((8,), max_iter=2, random_state=0).fit(X, y)
child = os.fork()
if child == 0:
    try:
        net.predict(X)
        net.fit(X, y)
    except ForkError as error:
        os._exit(7 if "loky" in str(error) else 1)
    os._exit(2)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run(code).stdout.strip() == "7"
    assert issubclass(ForkError, RuntimeError)


FORK = """
import os, signal
import numpy as np
import keras
{start}
from skdnn import DNNClassifier
from skdnn.exceptions import ForkError
import warnings; warnings.simplefilter("ignore")
X, y = np.random.default_rng(0).random((60, 3)), np.arange(60) % 2
child = os.fork()
if child == 0:
    signal.alarm(60)
    try:
        DNNClassifier((8,), max_iter=2).fit(X, y)
    except ForkError as error:
        os._exit(7 if f"forked from {{os.getppid()}}" in str(error) else 1)
    os._exit(2)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("", "2"),  # what was only imported trains
        ("keras.ops.zeros(3) + 1", "7"),
        ("import tensorflow as tf; tf.constant(1)", "7"),
    ],
)
def test_forked_child_of_other_code_that_used_keras_gets_an_error(start, expected):
    assert run(FORK.format(start=start)).stdout.strip() == expected
