import gc
import os
from collections import Counter

# Before libraries with OpenMP are loaded: while other tests use the cores, threads that
# wait in a loop for those without a core take several times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from optional import require
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.preprocessing import minmax_scale

from skdnn._streaming import limits

# `--hypothesis-profile=long` draws others, and more, each time
settings.register_profile(
    "default", max_examples=60, deadline=None, derandomize=True, database=None
)
settings.register_profile("long", max_examples=3000, deadline=None)
settings.load_profile("default")

matplotlib.use("Agg")
os.environ.setdefault("MPLBACKEND", "Agg")  # for child processes

gc.disable()  # while tests are collected: half a million objects, all of which stay


def pytest_configure(config):
    # Else pytest-xdist begins with the files of most tests, and ends with long ones.
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Begin with files of slow tests, then of many: no core is idle at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    count = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in slow, -count[item.path]))


def pytest_collection_finish():
    """Leave the modules out of what each later collection of garbage looks through."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Fits without a `random_state` draw their seed from NumPy's global generator.

    A hook, as fixtures of a module are made before those of a test.
    """
    np.random.seed(0)


@pytest.fixture(scope="session")
def iris():
    X, y = load_iris(return_X_y=True)
    return minmax_scale(X), y


@pytest.fixture(scope="session")
def iris_frame():
    X, y = load_iris(return_X_y=True, as_frame=True)
    return X, y.map(dict(enumerate(load_iris().target_names))).astype(object)


@pytest.fixture(scope="session")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return minmax_scale(X), y


@pytest.fixture(scope="session")
def passengers():
    """A synthetic raw table of strings, numbers, booleans and missing values."""
    rng = np.random.default_rng(0)
    n = 240
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.2, np.nan, rng.gamma(4, 8, n).round()),
            "sex": rng.choice(["female", "male"], n),
            "deck": pd.Categorical(rng.choice(list("ABCDEFG"), n)),
            "alone": rng.random(n) < 0.5,
            "siblings": pd.array(rng.integers(0, 5, n), dtype="Int64"),
            "port": rng.choice(["Q", "S"], n).astype(object),
            "fare": np.exp(rng.normal(3, 1, n)),
        }
    )
    frame.loc[rng.random(n) < 0.6, "deck"] = None
    frame.loc[rng.random(n) < 0.05, ["siblings", "port"]] = None
    odds = 2.0 * (frame["sex"] == "female") - 1 + 1.5 * frame["deck"].notna()
    lived = rng.random(n) < 1 / (1 + np.exp(-2 * odds.to_numpy()))
    return frame, np.where(lived, "lived", "died")


@pytest.fixture(scope="module")
def client():
    """A client of a Dask cluster of two processes."""
    distributed = require("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    with cluster, distributed.Client(cluster) as client:
        yield client
        pids = set(client.run(os.getpid).values())
    assert not any(map(is_running, pids))  # none is left behind


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def streams_all(monkeypatch):
    """Tables of any size are read block by block, in blocks of few rows."""
    monkeypatch.setattr(limits, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(limits, "BLOCK_BYTES", 0)  # of 1024 rows


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
