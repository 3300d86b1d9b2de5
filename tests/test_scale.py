"""Tables of any size and networks of any shape: memory, compilations, learning."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from optional import needs, require
from sklearn.datasets import make_blobs

from skdnn import DNNClassifier

# What the processes below measure with: resident memory, in MiB.
MEASURE = """
import ctypes, gc, warnings
import numpy as np
from skdnn import DNNClassifier
from skdnn._runtime.caches import clear_caches
warnings.simplefilter("ignore")

def status(name):
    with open("/proc/self/status") as f:
        return next(int(s.split()[1]) / 1024 for s in f if s.startswith(name))

def resident():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free goes back to the system
    return status("VmRSS")

def peak_of(work):
    before = resident()
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")  # the peak is reset
    work()
    return status("VmHWM") - before

def made(n, n_features):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, n_features), dtype=np.float32)
    return X, (X[:, 0] + X[:, 1] > 0).astype(int)

def network(hidden, **parameters):
    settings = {"batch_size": 256, "max_iter": 1, "n_iter_no_change": np.inf,
                "random_state": 0}
    return DNNClassifier(hidden, **settings | parameters)
"""
MEASURABLE = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists() or not hasattr(os, "confstr"),
    reason="memory is read from Linux's /proc",
)


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE + code],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return [float(number) for number in done.stdout.split()]


@pytest.mark.slow
@MEASURABLE
def test_many_shapes_leave_memory_where_it_was():
    code = """
def fits(numbers):
    for i in numbers:
        X, y = made(60 + i, 3 + i % 7)
        network((3 + i, 4), batch_size=16).fit(X, y).predict(X)

fits(range(3))
clear_caches()
start = resident()
fits(range(3, 25))  # more than are kept
full = resident()
fits(range(25, 47))
grown = resident()
clear_caches()
print(start, full, grown, resident())
"""
    start, full, grown, cleared = run(code)
    assert full > start + 15  # programs are kept
    assert grown < full + 45  # 22 programs are 75
    assert cleared < start + 100  # keras.Model.fit leaves 450 behind
    assert cleared < grown - 15


@pytest.mark.slow
@needs("jax")
@MEASURABLE
def test_clear_caches_lets_go_of_what_jax_has_compiled():
    code = """
def fits(numbers):
    for i in numbers:
        X, y = made(60 + i, 3 + i % 7)
        network((3 + i, 4), batch_size=16).fit(X, y).predict(X)

fits(range(3))
clear_caches()
start = resident()
fits(range(3, 9))
grown = resident()
clear_caches()
print(start, grown, resident())
"""
    start, grown, cleared = run(code, KERAS_BACKEND="jax")
    assert grown > start + 30
    assert cleared < start + 20


KINDS = ["", "early_stopping=True", "bootstrap=True"]


@pytest.fixture(scope="module")
def peaks():
    """Return what fits of few and many rows, and an answer, take at most; by kind."""
    code = f"""
small, large = made(20_000, 30), made(300_000, 30)
for net in {", ".join(f"network((16,), {kind})" for kind in KINDS)}:
    net.fit(*small).predict(small[0])
    few = peak_of(lambda: net.fit(*small))
    many = peak_of(lambda: net.fit(*large))
    answer = peak_of(lambda: net.predict_proba(large[0]))
    print(few, many, answer, large[0].nbytes / 2**20)
"""
    numbers = iter(run(code))
    return dict(zip(KINDS, zip(*[numbers] * 4, strict=True), strict=True))


@pytest.mark.slow
@MEASURABLE
@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_takes_no_more_than_a_copy_of_the_rows(kind, peaks):
    few, many, answer, table = peaks[kind]
    labels_and_positions = 300_000 * 8 * 8 / 2**20
    assert many - few < table + labels_and_positions
    assert answer < table / 2  # probabilities of two classes are a fifteenth of it


COMPILE = """
for n, parameters in [(900, {}), (1000, {"early_stopping": True}), (1111, {}),
                      (800, {"n_estimators": 2, "bootstrap": True})]:
    X, y = made(n, 4)
    network((5,), batch_size=8, max_iter=25, **parameters).fit(X, y)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_tables_of_any_length_share_a_program(backend, tmp_path):
    """Of XLA, which compiles for fixed lengths and for whatever it takes as fixed."""
    require(backend)
    run(COMPILE, KERAS_BACKEND=backend, XLA_FLAGS=f"--xla_dump_to={tmp_path}")
    compiled = [file.name for file in tmp_path.glob("*.before_optimizations.txt")]
    for name in ("train", "evaluate"):  # inference_train_…, jit_train
        ours = [file for file in compiled if re.search(f"(inference|jit)_{name}", file)]
        assert len(ours) == 1, ours


SOAK = Path(__file__).resolve().parents[1] / "benchmarks" / "soak.py"


@pytest.mark.slow
@MEASURABLE
def test_memory_of_a_long_process_is_flat():
    """The benchmark in full is 1,000 fits and explanations, 10,000 predictions."""
    done = subprocess.run(
        [sys.executable, SOAK, "--share", "0.02"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("growth from the middle on") == 3


@MEASURABLE
@pytest.mark.parametrize(("kept", "is_flat"), [(0, True), (4, False)])
def test_the_benchmark_notices_what_is_kept(kept, is_flat):
    spec = importlib.util.spec_from_file_location("soak", SOAK)
    soak = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(soak)
    memory = []
    work = lambda i: memory.append(np.ones((kept, 2**17)))  # noqa: E731
    assert soak.soak("work", work, 20) is is_flat


def learned(net, X, y):
    """Return the accuracy after a fit, and check the shapes of what is learned."""
    net.fit(X, y)
    proba = net.predict_proba(X)
    assert proba.shape == (len(X), len(net.classes_))
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert len(net.coefs_) == net.n_layers_ - 1
    return net.score(X, y)


def network(hidden, **parameters):
    settings = {
        "learning_rate_init": 0.01,
        "max_iter": 40,
        "n_iter_no_change": np.inf,
        "batch_size": 32,
        "random_state": 0,
    }
    return DNNClassifier(hidden, **settings | parameters)


def test_a_thousand_columns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 1000)).astype(np.float32)
    y = X[:, :3].sum(axis=1) > 0
    X[:, :3] *= 20  # else they drown among the others
    X_train, X_test = X[:200], X[200:]
    net = network((20,), max_iter=10)
    assert learned(net, X_train, y[:200]) > 0.95
    assert net.score(X_test, y[200:]) > 0.8


def test_a_hundred_classes():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(100), 10)
    X = rng.normal(size=(100, 8))[y] + 0.05 * rng.normal(size=(1000, 8))
    assert learned(network((64,)), X, y + 7) > 0.95


def test_ten_hidden_layers():
    X, y = make_blobs(150, n_features=4, random_state=0)
    assert learned(network((16,) * 10, activation="tanh"), X / 10, y) > 0.9


def test_one_hidden_unit():
    X, y = make_blobs(100, centers=2, random_state=0)
    net = network((1,), activation="tanh")
    assert learned(net, X / 5, y) > 0.9
    assert [coef.shape for coef in net.coefs_] == [(2, 1), (1, 1)]


def test_a_batch_of_one():
    X, y = make_blobs(60, random_state=1)
    assert learned(network((8,), batch_size=1, max_iter=10), X / 10, y) > 0.9
